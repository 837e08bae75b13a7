// SPDX-License-Identifier: LGPL-2.1-or-later

/* Groups: joining, results, streams, shutdown, handles, and what is refused. */

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Tasker from 'gi://Tasker?version=1';

import {assert, assertEqual, assertError, assertFails, assertSame, pause, run, test, COLLECTS} from './tap.js';

/* Spawns tasks whose ends come in the order of the list, one after the other. */
function spawnInTurn(group, names) {
    let previous = Promise.resolve();

    return names.map(name => {
        const before = previous;
        const task = group.spawn(name, async () => {
            await before;
            await pause(1);
            return name;
        });
        previous = task.then();
        return task;
    });
}

const TYPES = [Tasker.Group, Tasker.Task, Tasker.Stopper, Tasker.JoinStream];

test('every async pair returns Promises', async () => {
    let pairs = 0;

    for (const {prototype} of TYPES) {
        for (const name of Object.getOwnPropertyNames(prototype).filter(each => each.endsWith('_finish'))) {
            const base = name.slice(0, -'_finish'.length);
            assert(prototype[`_original_${base}_async`] !== undefined, `${base}_async() is not promisified`);
            assert(typeof prototype[base] === 'function', `there is no ${base}()`);
            pairs++;
        }
    }
    assert(pairs >= 8, `only ${pairs} pairs were found`);

    const group = new Tasker.Group();
    const task = group.spawn(async () => {});
    const pending = [
        new Tasker.Stopper().sleep_async(1), new Tasker.Stopper().sleep(1),
        task.join_async(null), task.join(),
        group.join_async(null), group.collect_async(null),
        group.join(), group.collect(), new Tasker.Group().shutdown(1000),
    ];
    for (const each of pending)
        assert(each instanceof Promise, `${each} is no Promise`);
    await Promise.all(pending);
});

test('methods have names in camel case, and properties', async () => {
    const group = new Tasker.Group({name: 'camel', maxRunning: 2, maxQueued: 3, keepResults: false});

    assertEqual([group.maxRunning, group.max_queued, group.keepResults, group.isStopped], [2, 3, false, false]);
    group.maxRunning = 5;
    assertSame(group.getMaxRunning(), 5);
    assert(group.createSignaller().stop());
    assert(group.createStopper().is_cancelled());
    assert(group.isStopped);
    const task = group.spawn(async () => {});
    assertSame(task.isFinished(), task.is_finished());
    assertSame(Tasker.Task.get_current(), null);
    await assertError(task, Tasker.Error, Tasker.Error.STOPPED);
});

test('join reports the first failure', async () => {
    const group = new Tasker.Group();

    group.spawn('later', async () => {
        await pause(20);
        throw new Error('second');
    });
    group.spawn('sooner', async () => {
        throw new Error('first');
    });
    const error = await assertFails(group.join());
    assert(/sooner.*first/.test(error.message), error.message);
    const again = await assertFails(group.join());
    assertSame(again.message, error.message);
});

test('a wait can be cancelled, and loses nothing', async () => {
    const group = new Tasker.Group();
    const cancellable = new Gio.Cancellable();
    const task = group.spawn(async () => {
        await pause(20);
        return 1;
    });
    const waiting = group.join(cancellable);

    cancellable.cancel();
    await assertError(waiting, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
    assertEqual((await group.collect()).map(each => each.value), [1]);
    assertSame(await task, 1);
});

test('collect returns the tasks, in the order of their ends', async () => {
    const group = new Tasker.Group();
    let release;
    const last = group.spawn(() => new Promise(resolve => {
        release = resolve;
    }));
    const tasks = spawnInTurn(group, ['a', 'b']);
    tasks[1].then(() => release('last'));
    const ended = await group.collect();

    assertEqual(ended.map(task => task.value), ['a', 'b', 'last']);
    assertSame(ended[2], last);
    assertEqual(group.poll_collect(), []);
});

test('a Promise of the next task is none of what that returns', async () => {
    const group = new Tasker.Group();
    const spawned = [
        group.spawn(async () => 42),
        group.spawn(async () => {
            throw new Error('fails');
        }),
    ];
    const taken = [];
    const stream = group.joinStream();

    taken.push(await stream.next_async(null), await stream.nextAsync());
    assert(taken.every(({value, done}) => spawned.includes(value) && !done));
    assertSame(new Set(taken.map(({value}) => value)).size, 2);
    assertEqual(await stream.next_async(null), {done: true});

    /* With a callback it is as it is in C. */
    const last = await new Promise(resolve => {
        stream.next_async(null, (_stream, result) => resolve({task: stream.next_finish(result)}));
    });
    assertSame(last.task, null);
});

test('for await over the stream', async () => {
    const group = new Tasker.Group();
    const names = [];

    const [, before] = spawnInTurn(group, ['a', 'b']);
    group.spawn('bad', async () => {
        await before;
        throw new Error('comes out as any other');
    });
    for await (const task of group.joinStream()) {
        assert(task instanceof Tasker.Task && task.is_finished());
        names.push(task.name);
    }
    assertEqual(names, ['a', 'b', 'bad']);
});

test('a stream that is left early gives back what was not taken', async () => {
    const group = new Tasker.Group();

    for (let i = 0; i < 10; i++)
        group.spawn(`${i}`, async () => {});
    const stream = group.joinStream();
    for await (const task of stream) {
        if (task.name === '2')
            break;
    }
    assertEqual(await stream.next(), {done: true});
    assertEqual((await group.collect()).map(task => task.name), ['3', '4', '5', '6', '7', '8', '9']);
});

test('shutdown: who obeys is stopped, who does not is aborted', async () => {
    const group = new Tasker.Group();
    const polite = group.spawn(task => task.waitStopped());
    const deaf = group.spawn(() => new Promise(() => {}));

    await pause(1);
    /* It warns of those who hold it up, which is not to end this program. */
    const fatal = GLib.log_set_always_fatal(GLib.LogLevelFlags.LEVEL_CRITICAL);
    assert(await group.shutdown(20));
    GLib.log_set_always_fatal(fatal);
    await polite;
    await assertError(deaf, Tasker.Error, Tasker.Error.ABORTED);
    assertSame(group.nTasks, 0);
});

test('child groups', async () => {
    const group = new Tasker.Group({name: 'parent'});
    const child = group.new_child('child');
    const task = child.spawn(self => self.waitStopped());

    await pause(1);
    group.stop();
    await task;
    child.finish();
    assert(await group.join());
});

test('spawnWait goes at the pace of the group', async () => {
    const group = new Tasker.Group({maxRunning: 2, maxQueued: 3});
    let most = 0, sum = 0;

    for (let i = 0; i < 50; i++) {
        const {task} = await group.spawnWait(`${i}`, async () => {
            await pause(1);
            sum += i;
        });
        assert(task instanceof Tasker.Task);
        most = Math.max(most, group.nTasks);
    }
    await group.join();
    assertSame(sum, 49 * 50 / 2);
    assert(most <= 5, `${most} tasks were live`);
});

test('spawnWait ends with the group', async () => {
    const group = new Tasker.Group({maxRunning: 1, maxQueued: 1});
    let calls = 0;

    group.spawn(task => task.waitStopped());
    group.spawn(async () => calls++);
    const waiting = group.spawnWait(async () => calls++);
    await pause(5);
    group.stop();
    await assertError(waiting, Tasker.Error, Tasker.Error.STOPPED);
    assert(await group.join());
    assertSame(calls, 0);
    await assertError(group.spawnWait(async () => {}), Tasker.Error, Tasker.Error.FINISHED);
});

test('a clone has tasks of its own, and a task can spawn others', async () => {
    const group = new Tasker.Group();
    const clone = group.clone();
    const names = [];

    group.spawn('outer', async () => {
        clone.spawn('inner', async () => {
            names.push('inner');
        });
        clone.finish();
    });
    await group.join();
    assertEqual(names, ['inner']);
});

test('10,000 tasks, some of which fail', async () => {
    const group = new Tasker.Group({keepResults: false});
    let sum = 0;

    const n = COLLECTS ? 100 : 10000;

    for (let i = 0; i < n; i++) {
        group.spawn(async () => {
            if (i % (n / 100) === 0)
                await pause(1);
            if (i % (n / 10) === 0)
                throw new Error(`${i}`);
            sum += i;
        });
    }
    await assertFails(group.join(), /: 0$/);
    assertEqual([group.nSucceeded, group.nFailed, group.nTasks], [n - 10, 10, 0]);
    assertSame(sum, n * (n - 1) / 2 - n / 10 * 45);
});

test('spawn refuses what is no function, and says what to do', async () => {
    const group = new Tasker.Group();

    function *generator() {
        yield 1;
    }
    async function *asyncGenerator() {
        yield 1;
    }
    for (const spawn of ['spawn', 'spawnWait']) {
        for (const bad of [generator, asyncGenerator])
            await assertFails(() => group[spawn](bad), /^TypeError.*generator.*give an async function/);
        for (const bad of [Promise.resolve(1), group.clone().spawn(async () => {})])
            await assertFails(() => group[spawn](bad), /^TypeError.*not the Promise/);
        for (const bad of [undefined, null, 5, 'name', {}, [], generator()])
            await assertFails(() => group[spawn](bad), /^TypeError.*give an async function/);
        await assertFails(() => group[spawn](5, async () => {}), /^TypeError.*name is a string, not a number/);
        await assertFails(() => group[spawn]('x', async () => {}, {prio: 1}), /^TypeError.*no option “prio”.*priority/);
        await assertFails(() => group[spawn]('x', async () => {}, {priority: 'high'}),
            /^TypeError.*“priority” is a number, not a string/);
        await assertFails(() => group[spawn]('x', async () => {}, {runAlways: 1}), /^TypeError.*“runAlways” is a boolean, not a number/);
        for (const priority of [0.5, NaN, 2 ** 31])
            await assertFails(() => group[spawn](async () => {}, {priority}), /^RangeError.*whole number.*PRIORITY_LOW/);
        for (const timeoutMs of [-1, NaN, 2 ** 32])
            await assertFails(() => group[spawn](async () => {}, {timeoutMs}), /^TypeError.*“timeoutMs”.*milliseconds/);
        for (const bad of ['name', 5, true, async () => {}])
            await assertFails(() => group[spawn](async () => {}, bad), /^TypeError.*options come last/);
        await assertFails(() => group[spawn](), /^TypeError/);
    }
    /* The tasks of the clones, and nothing else. */
    assertSame(group.nSpawned, 2);
});

test('a group is used after its end', async () => {
    const group = new Tasker.Group();

    await group.join();
    const error = await assertError(() => group.spawn(async () => {}), Tasker.Error, Tasker.Error.FINISHED);
    assert(/clone\(\)|new group/.test(error.message));
    await assertError(group.spawnWait(async () => {}), Tasker.Error, Tasker.Error.FINISHED);
    await assertError(() => group.add(new Tasker.Task()), Tasker.Error, Tasker.Error.FINISHED);
    await assertError(() => group.try_add(new Tasker.Task()), Tasker.Error, Tasker.Error.FINISHED);
    await assertError(() => group.spawn_local('x', () => false), Tasker.Error, Tasker.Error.FINISHED);
    assert(await group.join());
    assertEqual(await group.collect(), []);
    for (const name of ['new_child', 'newChild'])
        await assertError(() => group[name]('child'), Tasker.Error, Tasker.Error.FINISHED);
    assertSame(group.clone().isFinished, true);
    assertSame(group.nSpawned, 0);
});

test('wrong types', async () => {
    const group = new Tasker.Group();

    await assertFails(() => new Tasker.Group({nam: 'x'}));
    await assertFails(() => new Tasker.Group({maxRunning: {}.missing}));
    await assertFails(() => group.add(5));
    await assertFails(() => group.add(null));
    await assertFails(() => group.join(5));
    for (const ms of ['long', undefined, null, -1, NaN, Infinity, 2 ** 32]) {
        await assertFails(() => group.shutdown(ms), /^TypeError.*milliseconds/);
        await assertFails(() => new Tasker.Stopper().sleep(ms), /^TypeError.*milliseconds/);
    }
    assertSame(group.nSpawned, 0);
});

test('tasks that are used too early, or twice', async () => {
    const group = new Tasker.Group();
    const task = new Tasker.Task();

    await assertFails(task.join(), /not added/);
    await assertFails(task, /not added/);
    for (const name of ['join_async', 'joinAsync', 'abort'])
        await assertFails(() => task[name](null), /not added/);
    group.add(task);
    for (const name of ['add', 'try_add', 'tryAdd', 'add_wait', 'addWait', 'add_wait_async', 'addWaitAsync'])
        await assertFails(() => group[name](task, null), /added to a group before/);
    for (const name of ['set_priority', 'setPriority', 'set_run_always', 'set_release_in_context', 'set_timeout_ms'])
        await assertFails(() => task[name](1), /added to a group before/);
    task.complete();
    assert(await task.join());
    assertSame(group.nSpawned, 1);
});

test('what is fixed once a task is added', async () => {
    const group = new Tasker.Group();
    const task = new Tasker.Task();
    const values = {priority: GLib.PRIORITY_LOW, runAlways: true, releaseInContext: true, timeoutMs: 100000};
    const names = Object.keys(values).flatMap(name => {
        const snake = name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
        return [[name, name], [snake, name], [snake.replaceAll('_', '-'), name]];
    });

    for (const [name, key] of names) {
        task[name] = values[key];
        assertSame(task[name], values[key]);
    }
    group.add(task);
    for (const [name, key] of names) {
        await assertFails(() => {
            task[name] = values[key];
        }, /^Error.*added to a group before.*option/);
        assertSame(task[name], values[key]);
    }
    task.complete();
    await task;
    await assertFails(() => {
        task.priority = 0;
    }, /added to a group before/);
});

test('who completes a task, and how often', async () => {
    const group = new Tasker.Group();
    const error = new Gio.IOErrorEnum({code: Gio.IOErrorEnum.EXISTS, message: 'there'});
    const byItself = [
        Tasker.Task.new_local('local', () => false),
        Tasker.Task.newLocal('local', () => false),
        Tasker.Task.new_interval('interval', 1, () => false),
        Tasker.Task.new_for_subprocess('true', Gio.Subprocess.new(['true'], Gio.SubprocessFlags.NONE)),
    ];
    const spawned = group.spawn(async () => 'own');
    const byHand = new Tasker.Task();
    const aborted = new Tasker.Task();
    const assertRefused = async (task, pattern) => {
        await assertFails(() => task.complete(), pattern);
        for (const name of ['complete_error', 'completeError'])
            await assertFails(() => task[name](error), pattern);
    };

    for (const task of byItself)
        await assertRefused(task, /^Error.*ends by itself.*new_async/);
    await assertRefused(spawned, /^Error.*by its function: return/);
    for (const task of [...byItself, byHand, aborted])
        group.add(task);
    await assertFails(() => byHand.complete_error(null));
    await assertFails(() => byHand.complete_error(new Error('no GLib.Error')));
    byHand.complete();
    await assertRefused(byHand, /^Error.*completed before/);
    aborted.abort();
    aborted.complete();
    await assertRefused(aborted, /^Error.*completed before/);
    assert(await group.join());
    assertSame(await spawned, 'own');
    await assertRefused(spawned, /by its function/);
    assertEqual([group.nSucceeded, group.nAborted], [byItself.length + 2, 1]);
});

test('a child of a finished group', async () => {
    const parent = new Tasker.Group({name: 'parent'});
    const child = new Tasker.Group({name: 'child', parent});

    assertSame(parent.nSpawned, 1);
    child.finish();
    await parent.join();
    await assertError(() => new Tasker.Group({name: 'late', parent}), Tasker.Error, Tasker.Error.FINISHED);
    assertSame(parent.nSpawned, 1);
    await assertFails(() => new Tasker.Group({parent: 5}));
    assertSame(new Tasker.Group({parent: null}).isFinished, false);
});

test('a step is no async function', async () => {
    const group = new Tasker.Group();

    for (const bad of [async () => false, function *() {}, async function *() {}]) {
        await assertFails(() => group.spawn_local('x', bad), /^TypeError.*step.*group\.spawn\(\)/);
        await assertFails(() => group.spawnLocal('x', bad), /^TypeError.*step/);
        await assertFails(() => Tasker.Task.new_local('x', bad), /^TypeError.*step/);
        await assertFails(() => Tasker.Task.new_interval('x', 1, bad), /^TypeError.*step/);
    }
    for (const bad of [null, undefined, 5, Promise.resolve(1)])
        await assertFails(() => group.spawn_local('x', bad));
    assertSame(group.nSpawned, 0);
    assert(await group.join());
});

test('numbers that are out of range', async () => {
    let calls = 0;
    const step = () => calls++ < 0;

    for (const name of ['new_interval', 'newInterval']) {
        for (const ms of [0, 0.5, -1, NaN, Infinity, 2 ** 32, '5', null, undefined])
            await assertFails(() => Tasker.Task[name]('ticks', ms, step), /^RangeError.*milliseconds, at least 1, not/);
        await assertFails(() => Tasker.Task[name]('ticks', 5, null));
    }
    for (const progress of [-0.1, 1.1, NaN, 'half', null])
        await assertFails(() => new Tasker.Task().set_progress(progress, null), /^RangeError.*0 to 1/);
    assertSame(calls, 0);
});

test('a task by constructor is one that its owner completes', async () => {
    const group = new Tasker.Group();
    const task = new Tasker.Task({priority: GLib.PRIORITY_LOW, runAlways: true});

    assertSame(task.state, Tasker.TaskState.NEW);
    assertSame(GObject.type_name(task.constructor.$gtype), 'TaskerTask');
    group.add(task);
    task.complete();
    await task;
    assertSame(task.state, Tasker.TaskState.SUCCEEDED);
});

run();
