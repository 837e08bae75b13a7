// SPDX-License-Identifier: LGPL-2.1-or-later

/* Async functions as tasks: what they return, throw, and see of stop and abort. */

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Tasker from 'gi://Tasker?version=1';

import {assert, assertEqual, assertError, assertFails, assertSame, pause, run, test, waitFor} from './tap.js';

const {TaskState} = Tasker;

test('a task begins later, and is RUNNING in its function', async () => {
    const group = new Tasker.Group({name: 'states'});
    const states = [];
    const task = group.spawn('look', async self => {
        assertSame(self, task);
        states.push(self.state);
        await pause(1);
        states.push(self.state);
    });

    states.push(task.state);
    await task;
    states.push(task.state);
    assertEqual(states, [TaskState.QUEUED, TaskState.RUNNING, TaskState.RUNNING, TaskState.SUCCEEDED]);
    assertSame(task.name, 'look');
    assert(task instanceof Gio.Cancellable);
});

test('values come unchanged', async () => {
    const group = new Tasker.Group();
    const values = [undefined, null, 0, -0, NaN, '', 'a\0b', Symbol('s'), 10n ** 30n, {}, [], () => 1,
        new Map(), /x/, new Error('as a value'), false];

    for (const value of values) {
        const task = group.spawn(async () => value);
        assertSame(await task, value);
        assertSame(task.value, value);
        assertSame(task.error, null);
    }
    await group.join();
});

test('a function that is not async will do', async () => {
    const group = new Tasker.Group();
    const error = new Error('at once');

    assertSame(await group.spawn(() => 5), 5);
    assertSame(await assertFails(group.spawn(() => {
        throw error;
    })), error);
});

test('what is thrown is what comes out, and the library has its message', async () => {
    const group = new Tasker.Group();
    const odd = {toString() {
        throw new Error('no');
    }};
    const thrown = [new RangeError('too far'), 'a string', undefined, null, 7, odd, Symbol('s'),
        new Error('a\0b'), new Error(''), Object.create(null)];
    const messages = ['too far', 'a string', 'undefined', 'null', '7', 'an error that cannot be printed',
        'Symbol(s)', 'a␀b', 'Error', 'an error that cannot be printed'];

    for (const [i, error] of thrown.entries()) {
        const task = group.spawn(async () => {
            throw error;
        });
        assertSame(await task.catch(e => e), error);
        assertSame(task.state, TaskState.FAILED);
        assertSame(task.error, error);
        assertSame(task.value, undefined);
        assertSame(task.get_error().message, messages[i]);
        assert(task.get_error().matches(Tasker.Error, Tasker.Error.PANICKED));
    }
    const error = await assertError(group.join(), Tasker.Error, Tasker.Error.PANICKED);
    assert(error.message.includes('too far'), error.message);
});

test('an error of GIO stays what it is', async () => {
    const group = new Tasker.Group();
    const task = group.spawn('read', async () => {
        Gio.File.new_for_path('/nowhere/at/all').load_contents(null);
    });

    await assertError(task, Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND);
    await assertError(group.join(), Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND);
});

test('a task is a Promise, before and after its end', async () => {
    const group = new Tasker.Group();
    const task = group.spawn(async () => 1);
    const failing = group.spawn(async () => {
        throw new Error('x');
    });
    let finals = 0;

    assertEqual(await Promise.all([task, task, task.then(n => n + 1)]), [1, 1, 2]);
    assertSame(await task, 1);
    assertSame(await failing.catch(error => error.message), 'x');
    assertSame(await failing.catch(error => error.message), 'x');
    await task.finally(() => finals++);
    await failing.finally(() => finals++).catch(() => {});
    assertSame(finals, 2);
});

test('awaiting a task of which nobody told', async () => {
    const group = new Tasker.Group();
    const task = Tasker.Task.new_async('by hand', null);

    await assertFails(task, /not added/);
    group.add(task);
    const waiting = Promise.all([task, task]);
    await pause(1);
    task.complete();
    assertEqual(await waiting, [null, null]);
    assertSame(await task, undefined);

    const failing = new Tasker.Task();
    group.add(failing);
    failing.complete_error(new Gio.IOErrorEnum({code: Gio.IOErrorEnum.EXISTS, message: 'there'}));
    await assertError(failing, Gio.IOErrorEnum, Gio.IOErrorEnum.EXISTS);
});

test('an async function that returns a task returns what that returns', async () => {
    const group = new Tasker.Group();
    const outer = group.spawn(async () => group.spawn(async () => 'inner'));

    assertSame(await outer, 'inner');
});

test('options', async () => {
    const group = new Tasker.Group({max_running: 1});
    const order = [];

    group.spawn('first', async () => order.push('first'));
    group.spawn('late', async () => order.push('late'), {priority: GLib.PRIORITY_LOW});
    group.spawn(async () => order.push('soon'), {priority: GLib.PRIORITY_HIGH});
    await group.join();
    assertEqual(order, ['soon', 'first', 'late']);
});

test('no more than maxRunning at once', async () => {
    const group = new Tasker.Group({maxRunning: 3});
    let running = 0, most = 0;

    for (let i = 0; i < 50; i++) {
        group.spawn(async () => {
            most = Math.max(most, ++running);
            await pause(i % 3);
            running--;
        });
    }
    await group.join();
    assertSame(most, 3);
    assertSame(group.nSucceeded, 50);
});

test('stop: who sleeps is woken, who waits elsewhere is left alone', async () => {
    const group = new Tasker.Group();
    let finallies = 0;
    const sleeper = group.spawn('sleeper', async task => {
        try {
            await task.sleep(1e6);
        } finally {
            finallies++;
        }
    });
    const waiter = group.spawn('waiter', async task => {
        await task.waitStopped();
        return 'clean';
    });
    const deaf = group.spawn('deaf', async task => {
        await pause(50);
        return task.is_cancelled();
    });

    await pause(5);
    assert(group.stop());
    await assertError(sleeper, Tasker.Error, Tasker.Error.STOPPED);
    assertSame(await waiter, 'clean');
    assertSame(await deaf, true);
    assertSame(finallies, 1);
    assert(await group.join());
    assertEqual([group.nStopped, group.nSucceeded], [1, 2]);
});

test('what is queued does not begin after the stop', async () => {
    const group = new Tasker.Group();
    const begun = [];
    const stopping = group.spawn(async () => {
        begun.push('stopping');
        group.stop();
    });
    const queued = Array.from({length: 10}, () => group.spawn(async () => begun.push('queued')));
    const always = group.spawn(async task => begun.push(task.is_cancelled()), {runAlways: true});

    await stopping;
    await always;
    for (const task of queued)
        await assertError(task, Tasker.Error, Tasker.Error.STOPPED);
    assertEqual(begun, ['stopping', true]);
    assert(await group.join());
    assertEqual([group.nStopped, group.nSucceeded], [10, 2]);
});

test('nothing begins after an abort', async () => {
    const group = new Tasker.Group();
    let begun = 0;

    group.spawn(async () => {
        begun++;
        group.abort();
    });
    for (let i = 0; i < 10; i++)
        group.spawn(async () => begun++, {runAlways: i % 2 === 0});
    assert(await group.join());
    assertSame(begun, 1);
    assertSame(group.nAborted + group.nSucceeded, 11);
    assert(group.nAborted >= 10);
});

test('abort: a task ends at once, and what it still does is dropped', async () => {
    const group = new Tasker.Group();
    const ends = [];
    let release;
    const released = new Promise(resolve => {
        release = resolve;
    });
    const task = group.spawn(async () => {
        await released;
        ends.push('returned');
        return 'dropped';
    });
    const failing = group.spawn(async () => {
        await released;
        ends.push('threw');
        throw new Error('dropped');
    });

    await waitFor(() => failing.state === TaskState.RUNNING);
    assert(task.abort() && failing.abort());
    await assertError(task, Tasker.Error, Tasker.Error.ABORTED);
    await assertError(failing, Tasker.Error, Tasker.Error.ABORTED);
    assert(await group.join());
    assertEqual(ends, []);

    release();
    await waitFor(() => ends.length === 2);
    assertSame(task.state, TaskState.ABORTED);
    assertSame(task.value, undefined);
    assertSame(failing.error, null);
    assertEqual([group.nAborted, group.nFailed], [2, 0]);
});

test('what has returned has succeeded, whatever comes after', async () => {
    const aborts = [
        group => group.abort(),
        (group, task) => task.abort(),
        group => group.create_signaller().abort(),
    ];

    for (const abort of aborts) {
        const group = new Tasker.Group();
        const kept = group.spawn(async () => 'kept');
        const aborting = group.spawn(async () => {
            await undefined;
            abort(group, kept);
        });

        assertSame(await kept, 'kept');
        assertSame(kept.state, TaskState.SUCCEEDED);
        await aborting.catch(() => {});
        assert(await group.join());
    }
});

test('tasks end in the order in which they return', async () => {
    const group = new Tasker.Group();
    const names = Array.from({length: 100}, (_, i) => `${i}`);

    for (const name of names) {
        const task = group.spawn(name, async () => {
            if (name % 3 === 0)
                throw new Error(name);
        });
        if (name % 4 === 0)
            task.catch(() => {});
    }
    assertEqual((await group.collect()).map(task => task.name), names);
    assertEqual([group.nSucceeded, group.nFailed], [66, 34]);
});

test('a function that iterates the main loop', async () => {
    const group = new Tasker.Group();
    const begun = [];
    const nested = group.spawn(() => {
        const loop = new GLib.MainLoop(null, false);

        (async () => {
            aborted.abort();
            await waitFor(() => aborted.is_finished());
            for (const name of ['first', 'second'])
                await group.spawn(name, async task => begun.push(task.name));
            loop.quit();
        })();
        loop.run();
        begun.push('nested');
    });
    const aborted = group.spawn(async () => begun.push('aborted'));
    const next = group.spawn(async () => begun.push('next'));

    await Promise.all([nested, next]);
    await assertError(aborted, Tasker.Error, Tasker.Error.ABORTED);
    assertEqual(begun, ['first', 'second', 'nested', 'next']);
});

test('a task is a cancellable for GIO', async () => {
    const group = new Tasker.Group();
    const socket = Gio.Socket.new(Gio.SocketFamily.UNIX, Gio.SocketType.DATAGRAM, Gio.SocketProtocol.DEFAULT);
    const task = group.spawn(async self => {
        self.cancel();
        socket.condition_wait(GLib.IOCondition.IN, self);
    });

    await assertError(task, Tasker.Error, Tasker.Error.STOPPED);
});

test('one task is stopped alone', async () => {
    const group = new Tasker.Group();
    const one = group.spawn(task => task.sleep(1e6));
    const other = group.spawn(async task => {
        await task.sleep(20);
        return 'undisturbed';
    });

    await pause(1);
    one.cancel();
    await assertError(one, Tasker.Error, Tasker.Error.STOPPED);
    assertSame(await other, 'undisturbed');
});

test('a deadline', async () => {
    const group = new Tasker.Group();
    const task = group.spawn(self => self.sleep(1e6), {timeoutMs: 20});

    await assertError(task, Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT);
    assertSame(task.state, TaskState.FAILED);
});

test('stopOnError', async () => {
    const group = new Tasker.Group({name: 'strict', stopOnError: true});
    const other = group.spawn(task => task.sleep(1e6));

    group.spawn('culprit', async () => {
        throw new Error('that one');
    });
    const error = await assertFails(group.join(), /that one/);
    assert(error.message.includes('culprit'));
    await assertError(other, Tasker.Error, Tasker.Error.STOPPED);
});

run();
