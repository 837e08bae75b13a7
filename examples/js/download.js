#!/usr/bin/env -S gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Downloads many things at the same time, but never more than 100, while a
 * heartbeat shows that the main loop is free. Ctrl+C stops it in good order; a
 * second Ctrl+C insists.
 *
 *     gjs -m download.js [NUMBER]
 *
 * What it downloads comes from a server of its own, so that it harms nobody. */

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Soup from 'gi://Soup?version=3.0';
import System from 'system';
import Tasker from 'gi://Tasker?version=1';

const AT_ONCE = 100;
const HEARTBEAT_S = 0.25;
const SIGINT = 2;
const STATUS_INTERRUPTED = 130;

Gio._promisify(Soup.Session.prototype, 'send_and_read_async');

/* The server: it takes a little to answer. */

class Server {
    constructor() {
        this._server = new Soup.Server();
        this._server.add_handler('/', (_server, message, path) => this._onRequest(message, path));
        this._server.listen_local(0, Soup.ServerListenOptions.IPV4_ONLY);
        this.uri = this._server.get_uris()[0].to_string();
    }

    _onRequest(message, path) {
        message.pause();
        GLib.timeout_add(GLib.PRIORITY_DEFAULT, 5, () => {
            message.set_status(Soup.Status.OK, null);
            message.set_response('text/plain', Soup.MemoryUse.COPY, `This is ${path}\n`);
            message.unpause();
            return GLib.SOURCE_REMOVE;
        });
    }
}

/* The downloads */

let downloading = 0;
let most = 0;

const session = new Soup.Session({max_conns: AT_ONCE, max_conns_per_host: AT_ONCE});

/* The task is the cancellable: so a stop ends the download that is under way,
 * with an error that tells the group that this one was stopped. */
async function download(task, uri) {
    const message = Soup.Message.new('GET', uri);

    most = Math.max(most, ++downloading);
    try {
        const bytes = await session.send_and_read_async(message, GLib.PRIORITY_DEFAULT, task);
        if (message.get_status() !== Soup.Status.OK)
            throw new Error(`${uri}: ${message.get_reason_phrase()}`);

        return bytes.get_size();
    } finally {
        downloading--;
    }
}

function report(group) {
    print(`${group.nSucceeded} downloaded, ${group.nStopped + group.nAborted} stopped, ${group.nFailed} failed`);
}

/* A group of its own, for the other one is to have all of its 100 places. */
function startHeartbeat(group) {
    const heart = new Tasker.Group({name: 'heart'});

    heart.spawn('beat', async task => {
        for await (const tick of Tasker.interval(HEARTBEAT_S, task))
            print(`beat ${tick}: ${group.nTasks} to go`);
    });

    return heart;
}

async function main(number) {
    const server = new Server();
    const group = new Tasker.Group({name: 'downloads', maxRunning: AT_ONCE});
    const heart = startHeartbeat(group);
    let nBytes = 0;

    group.stop_on_signal(SIGINT);
    for (let i = 0; i < number; i++) {
        group.spawn(async task => {
            const size = await download(task, `${server.uri}${i}`);
            nBytes += size;
        });
    }

    try {
        await group.join();
    } finally {
        heart.stop();
        await heart.join();
        report(group);
    }

    print(`${nBytes} bytes, never more than ${most} at once`);

    return group.isStopped ? STATUS_INTERRUPTED : 0;
}

const loop = new GLib.MainLoop(null, false);
let status = 1;
main(Number(ARGV[0] ?? 10000)).then(result => {
    status = result;
}, error => printerr(error.message)).finally(() => loop.quit());
loop.run();
System.exit(status);
