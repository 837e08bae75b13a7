// SPDX-License-Identifier: LGPL-2.1-or-later

/* The works in JavaScript: `gjs -m works.js WORK N`, as the program in C. */

import GLib from 'gi://GLib';
import System from 'system';
import Tasker from 'gi://Tasker?version=1';

const noop = async () => {};

const works = {
    async 'js-spawn'(n) {
        const group = new Tasker.Group();

        for (let i = 0; i < n; i++)
            group.spawn(noop);
        await group.join();
    },

    async 'js-await'(n) {
        const group = new Tasker.Group();
        const tasks = [];

        for (let i = 0; i < n; i++)
            tasks.push(group.spawn(noop));
        await Promise.all(tasks);
    },

    async 'js-promises'(n) {
        const promises = [];

        for (let i = 0; i < n; i++)
            promises.push(noop());
        await Promise.all(promises);
    },
};

/* What the untimed round has left is no part of the timed one. Some of it is
 * garbage only after other garbage is collected. */
async function collectGarbage() {
    for (let i = 0; i < 3; i++) {
        System.gc();
        await new Promise(resolve => {
            GLib.timeout_add(GLib.PRIORITY_LOW, 20, () => {
                resolve();
                return GLib.SOURCE_REMOVE;
            });
        });
    }
}

async function main(work, n) {
    await works[work](n);
    await collectGarbage();
    const begin = GLib.get_monotonic_time();
    await works[work](n);
    print(`ns=${(GLib.get_monotonic_time() - begin) * 1000 / n}`);
}

const loop = new GLib.MainLoop(null, false);
main(ARGV[0], Number(ARGV[1])).catch(error => {
    logError(error);
    System.exit(1);
}).finally(() => loop.quit());
loop.run();
