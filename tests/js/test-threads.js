// SPDX-License-Identifier: LGPL-2.1-or-later

/* No path leads a JavaScript function to a worker thread: it would block there
 * for ever, or crash. */

import Gio from 'gi://Gio';
import GObject from 'gi://GObject';
import Tasker from 'gi://Tasker?version=1';

import {assert, assertFails, assertSame, pause, run, test} from './tap.js';

let calls = 0;
const worker = () => {
    calls++;
    return true;
};

async function assertForbidden(func) {
    await assertFails(func, /^TypeError: .*another thread.*group\.spawn\(\)/);
}

test('constructors of tasks', async () => {
    for (const name of ['new', 'new_each', 'newEach']) {
        await assertForbidden(() => Tasker.Task[name]('worker', worker));
        await assertForbidden(() => Tasker.Task[name]('worker', 10, worker));
        await assertForbidden(() => Tasker.Task[name](null, worker));
    }
});

test('the raw spawn is not to be had', async () => {
    const group = new Tasker.Group();
    const task = group.spawn('sync', worker);

    assert(task instanceof Tasker.Task);
    assertSame(task.stops_alone, true);
    assertSame(await task, true);
    assertSame(calls, 1);
    assertSame(group.nSpawned, 1);
});

test('workers of a GTask', async () => {
    const group = new Tasker.Group();
    const gtask = Gio.Task.new(null, null, null);

    await assertForbidden(() => group.run_in_thread(gtask, worker));
    await assertForbidden(() => group.runInThread(gtask, worker));
    await assertForbidden(() => gtask.run_in_thread(worker));
    await assertForbidden(() => gtask.run_in_thread_sync(worker));
    assertSame(group.nSpawned, 0);
});

/* They are told by whichever thread. */
test('owners of external tasks, and of those in threads', async () => {
    await assertForbidden(() => Tasker.register_external_owner(worker));
    await assertForbidden(() => Tasker.registerExternalOwner(worker));
    await assertForbidden(() => Tasker.register_worker_owner(worker));
});

test('handlers of "cancelled"', async () => {
    const group = new Tasker.Group();
    const task = group.spawn(self => self.waitStopped());
    const stopper = group.create_stopper();

    for (const each of [task, stopper]) {
        await assertFails(() => each.connect('cancelled', worker), /^TypeError.*waitStopped/);
        await assertFails(() => each.connect_after('cancelled', worker), /^TypeError.*waitStopped/);
        await assertFails(() => each.connect(worker), /^TypeError.*waitStopped/);
    }
    const id = task.connect('notify::state', () => {});
    assert(id > 0);
    GObject.signal_handler_disconnect(task, id);
    group.stop();
    await group.join();
});

test('nothing was called', async () => {
    await pause(20);
    assertSame(calls, 1);
});

run();
