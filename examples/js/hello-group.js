#!/usr/bin/env -S gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later

/* The smallest program in JavaScript: a group, two tasks, one of which starts
 * the other, and a timer that stops them both. It runs for one second. */

import GLib from 'gi://GLib';
import Tasker from 'gi://Tasker?version=1';

/* A task is an async function. It gets the task itself, to obey. */
async function tick(task) {
    /* At the stop the sleep fails, and the function with it: that is how a task
     * says that it has ended because it was stopped. */
    for (;;) {
        await task.sleep(10 * 1000);
        print('tick');
    }
}

async function hello(task, group) {
    /* A task may start others. Then it finishes its handle, to promise that no
     * more will come: a join waits for that, too. */
    group.spawn('tick', tick);
    group.finish();

    print('hello');
    await task.waitStopped();
    print('goodbye');
}

async function main() {
    const group = new Tasker.Group({name: 'greetings'});
    const clone = group.clone();

    group.spawn('hello', task => hello(task, clone));

    GLib.timeout_add(GLib.PRIORITY_DEFAULT, 1000, () => {
        group.stop();
        return GLib.SOURCE_REMOVE;
    });

    /* Waits for every task, and reports the first that failed. To be stopped is
     * not a failure. */
    await group.join();
}

const loop = new GLib.MainLoop(null, false);
main().catch(logError).finally(() => loop.quit());
loop.run();
