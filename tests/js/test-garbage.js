// SPDX-License-Identifier: LGPL-2.1-or-later

/* What a task has in JavaScript lives as long as the task, and no longer. */

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';
import Tasker from 'gi://Tasker?version=1';

import {assert, assertEqual, assertError, assertFails, assertSame, collectGarbage, pause, run, test, COLLECTS} from './tap.js';

const PAGE_SIZE = 4096;
const N_TASKS = COLLECTS ? 10 : 50;

/* Returns the resident memory in bytes. */
function getMemory() {
    const [, contents] = GLib.file_get_contents('/proc/self/statm');

    return Number(new TextDecoder().decode(contents).split(' ')[1]) * PAGE_SIZE;
}

/* How many functions called marked() there are, and objects of the library and
 * others. A WeakRef would keep what it refers to: GJS never tells the engine that
 * a turn of the main loop is over. */
function count() {
    const [file] = Gio.File.new_tmp('tasker-heap-XXXXXX');

    try {
        System.dumpHeap(file.get_path());
        const heap = new TextDecoder().decode(file.load_contents(null)[1]);
        const marked = heap.match(/^0x\w+ \w Function (.*\/)?marked$/gm) ?? [];
        const objects = heap.match(/^0x\w+ \w GObject_Object /gm) ?? [];

        return {marked: marked.length, objects: objects.length};
    } finally {
        file.delete(null);
    }
}

/* One object more or less is chance; one for each round is a leak. */
async function assertLeavesNothing(work) {
    const ROUNDS = 6;
    let most = 0;
    const look = () => {
        most = Math.max(most, count().marked);
    };

    await work(look);
    await collectGarbage();
    const before = count();
    assert(most > before.marked, 'marked functions are not counted');

    for (let i = 0; i < ROUNDS; i++)
        await work(look);
    await collectGarbage();
    const after = count();
    assert(after.marked < before.marked + ROUNDS, `${after.marked - before.marked} functions more`);
    assert(after.objects < before.objects + ROUNDS, `${after.objects - before.objects} objects more`);
}

test('a value waits for whoever collects', async () => {
    const group = new Tasker.Group();

    (() => {
        group.spawn('value', async () => ({kept: [1, 2]}));
        System.gc();
        group.spawn('error', async () => {
            throw new RangeError('kept');
        });
        System.gc();
        group.spawn('nothing', async () => {}).mark = 'kept';
    })();
    await collectGarbage();
    const [value, error, nothing] = await group.collect();
    System.gc();
    assertEqual(value.value, {kept: [1, 2]});
    System.gc();
    assert(error.error instanceof RangeError);
    System.gc();
    assertSame(nothing.mark, 'kept');
});

test('functions that nobody else holds', async () => {
    const group = new Tasker.Group({maxRunning: 2});
    let sum = 0;

    for (let i = 0; i < 20; i++) {
        group.spawn(async task => {
            System.gc();
            await task.yieldNow();
            System.gc();
            await task.sleep(1);
            System.gc();
            const n = await Tasker.unless(pause(1).then(() => i), task);
            sum += n;
            System.gc();
        });
        System.gc();
    }
    await group.join();
    assertSame(sum, 190);
});

test('a handle that nobody holds but its tasks', async () => {
    const group = new Tasker.Group();
    const names = [];

    (() => {
        const clone = group.clone();
        clone.spawn(async () => {
            await collectGarbage();
            names.push('spawn');
        });
        clone.spawn_local('local', () => names.push('local') < 0);
    })();
    await collectGarbage();
    group.finish();
    await collectGarbage();
    await pause(50);
    await group.join();
    assertEqual(names.sort(), ['local', 'spawn']);
});

test('awaiting what nobody holds', async () => {
    const group = new Tasker.Group();
    const waits = [
        group.spawn(async () => 1).then(n => n + 1),
        group.spawn(task => task.waitStopped()).then(() => 3),
        assertError(group.spawn(task => task.sleep(1e6)), Tasker.Error, Tasker.Error.STOPPED),
        group.collect().then(tasks => tasks.length),
    ];

    await collectGarbage();
    group.stop();
    await collectGarbage();
    const [two, three, , length] = await Promise.all(waits);
    assertEqual([two, three, length], [2, 3, 3]);
});

test('a stream that nobody holds but its reader', async () => {
    let n = 0;
    const read = async () => {
        const group = new Tasker.Group();
        for (let i = 0; i < 20; i++)
            group.spawn(() => pause(i));
        for await (const task of group.joinStream()) {
            System.gc();
            n += task.is_finished();
        }
    };

    await read();
    assertSame(n, 20);
});

test('tasks, groups, values, errors and functions are freed', async () => {
    await assertLeavesNothing(async look => {
        const group = new Tasker.Group();

        for (let i = 0; i < N_TASKS; i++) {
            const task = group.spawn(async function marked(self) {
                await self.sleep(i % 3);
                function marked() {
                    return self;
                }
                marked.group = group;
                if (i % 5 === 0)
                    throw marked;
                return marked;
            });
            task.own = function marked() {
                return task;
            };
            task.catch(() => {});
        }
        group.spawn(() => new Promise(() => {}));
        group.spawn(self => Tasker.unless(new Promise(() => {}), self));
        group.spawn(self => self.waitStopped());
        Tasker.unless(pause(1), group.create_stopper());
        await pause(50);
        look();
        group.abort();
        assertSame((await group.collect()).length, N_TASKS + 3);
        await pause(50);
    });
});

test('a Promise keeps none of those who have ceased to wait for it', async () => {
    const forEver = new Promise(() => {});

    await assertLeavesNothing(async look => {
        const stopper = new Tasker.Stopper();
        stopper.own = function marked() {};
        const wait = Tasker.unless(forEver, stopper);

        look();
        stopper.cancel();
        await assertFails(wait);
    });
});

test('tasks that are never run leave nothing', async () => {
    await assertLeavesNothing(async look => {
        const group = new Tasker.Group();

        group.stop();
        for (let i = 0; i < N_TASKS; i++) {
            group.spawn(async function marked() {
                await pause(1);
            });
            new Tasker.Task().own = function marked() {};
        }
        look();
        await assertFails(() => group.spawn(5));
        await assertFails(() => group.spawn('x', async function marked() {}, {no: 1}));
        await group.join();
        await assertFails(() => group.spawn(async function marked() {}));
    });
});

/* The objects of the library that have no wrapper any more are to be seen here
 * only; it takes many of them. */
const testMany = COLLECTS ? () => {} : test;

testMany('memory does not grow', async () => {
    const SLACK = 8e6;
    const round = async () => {
        const group = new Tasker.Group();
        for (let i = 0; i < 2000; i++) {
            group.spawn(`${i}`, async task => {
                if (i % 10 === 0)
                    await task.sleep(1);
                if (i % 20 === 0)
                    throw new Error('x');
                return {i};
            });
        }
        group.spawn(() => new Promise(() => {})).abort();
        await assertFails(group.join());
    };

    const rounds = async () => {
        for (let i = 0; i < 80; i++) {
            await round();
            if (i % 20 === 19)
                await collectGarbage();
        }
    };

    /* It takes the allocators some time to have as much as they ever want, and they may
     * want more once more. What is lost is so each time. */
    await rounds();
    const sizes = [getMemory()];
    let grew = true;
    for (let i = 0; i < 3 && grew; i++) {
        await rounds();
        sizes.push(getMemory());
        grew = sizes.at(-1) - sizes.at(-2) >= SLACK;
    }
    assert(!grew, `memory grew each time: ${sizes.join(', ')} bytes`);
});

run();
