// SPDX-License-Identifier: LGPL-2.1-or-later

/* What the override leaves as it is. It runs with the override and without it, so
 * that it also says what the introspection data alone are good for. No function of
 * JavaScript is given to what would call it in another thread. */

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import Tasker from 'gi://Tasker?version=1';

import {assert, assertEqual, assertError, assertSame, run, test, waitFor} from './tap.js';

/* The program says which it is, so that neither is taken for the other. */
const WITH_OVERRIDE = {'with-override': true, 'without-override': false}[ARGV.shift()];
const EXISTS = [Gio.IOErrorEnum, Gio.IOErrorEnum.EXISTS];

/* As every language has them: begins with a callback, and ends in it. */
function finish(object, name, ...args) {
    return new Promise((resolve, reject) => {
        object[`${name}_async`](...args, (source, result) => {
            try {
                resolve({value: source[`${name}_finish`](result)});
            } catch (error) {
                reject(error);
            }
        });
    });
}

/* A task that its owner completes. */
function add(group, name = null) {
    const task = Tasker.Task.new_async(name, null);

    group.add(task);

    return task;
}

async function finished(group) {
    group.finish();
    await waitFor(() => group.get_n_tasks() === 0);
}

test('which it is', async () => {
    assertSame(typeof Tasker.Task.prototype.then === 'function', WITH_OVERRIDE);
    assertSame(Tasker.unless !== undefined, WITH_OVERRIDE);
});

test('poll_join', async () => {
    const group = Tasker.Group.new('poll');
    const tasks = ['one', 'bad', 'three'].map(name => add(group, name));

    assertEqual(group.poll_join(), [true, 0]);
    tasks[0].complete();
    tasks[1].complete_error(new GLib.Error(...EXISTS, 'no luck'));
    tasks[2].complete();
    await waitFor(() => group.get_n_tasks() === 0);
    await assertError(async () => group.poll_join(), ...EXISTS);
    assertEqual(group.poll_join(), [true, 1]);
    assertEqual(group.poll_join(), [true, 0]);
});

test('collect and poll_collect', async () => {
    const group = Tasker.Group.new('collect');
    const tasks = [add(group, 'one'), add(group, 'two')];

    assertEqual(group.poll_collect(), []);
    tasks[0].complete();
    await waitFor(() => group.get_n_tasks() === 1);
    const polled = group.poll_collect();
    assertSame(polled.length, 1);
    assertSame(polled[0], tasks[0]);
    tasks[1].complete();
    const {value: collected} = await finish(group, 'collect', null);
    assertSame(collected.length, 1);
    assertSame(collected[0], tasks[1]);
});

/* The override spawns in this way, and is another owner. */
/* An owner is there for good, and so is all that its function can see. */
function registerOwner(told) {
    return Tasker.register_async_owner((begun, ended) => {
        told.begun.push(...begun);
        told.ended.push(...ended);
    });
}

test('an owner is told of many tasks by their keys', async () => {
    const group = Tasker.Group.new('owned');
    const told = {begun: [], ended: []};
    const owner = registerOwner(told);
    const tasks = [5, 6, 7].map(key => group.spawn_owned(`${key}`, owner, key));
    const last = Tasker.Task.new_owned('8', owner, 8);

    group.add(last);
    assertEqual(tasks.map(task => task.get_key(owner)), [5, 6, 7]);
    assertSame(last.get_key(owner + 1), 0);
    await waitFor(() => told.begun.length === 4);
    assertSame(Tasker.Task.complete_many(tasks.slice(0, 2), false), 2);
    assertSame(Tasker.Task.complete_many([tasks[2], last], true), 2);
    await finished(group);
    await waitFor(() => told.ended.length === 2);
    assertEqual(told, {begun: [5, 6, 7, 8], ended: [7, 8]});
    assertEqual(group.poll_collect().map(task => task.get_name()), ['5', '6', '7', '8']);
    assertSame(group.spawn_owned(null, owner, 9), null);
});

test('counts', async () => {
    const group = Tasker.Group.new('counts');

    add(group).complete();
    add(group);
    await waitFor(() => group.get_n_tasks() === 1);
    group.abort();
    await finished(group);
    assertEqual(group.get_counts(), [2, 0, 1, 0, 0, 1]);
    assertSame(group.n_spawned, 2);
});

test('a GTask', async () => {
    const group = Tasker.Group.new('gtask');
    const gtask = Gio.Task.new(null, null, null);
    const task = Tasker.Task.new_for_gtask(gtask);

    group.add(task);
    GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
        gtask.return_boolean(true);
        return GLib.SOURCE_REMOVE;
    });
    await finished(group);
    assertSame(task.get_state(), Tasker.TaskState.SUCCEEDED);
});

test('a subprocess', async () => {
    const group = Tasker.Group.new('processes');
    const tasks = ['true', 'false'].map(name => {
        const process = Gio.Subprocess.new([name], Gio.SubprocessFlags.NONE);

        return Tasker.Task.new_for_subprocess(name, process);
    });

    tasks.forEach(task => group.add(task));
    await finished(group);
    assertEqual(tasks.map(task => task.get_state()),
        [Tasker.TaskState.SUCCEEDED, Tasker.TaskState.FAILED]);
});

test('steps in the main loop', async () => {
    const group = Tasker.Group.new('steps');
    let n = 0;

    group.add(Tasker.Task.new_local('steps', stopper => {
        assert(stopper instanceof Tasker.Stopper);
        return ++n < 5;
    }));
    group.add(Tasker.Task.new_interval('ticks', 1, () => ++n < 10));
    await finished(group);
    assertSame(n >= 10, true);
    assertSame(group.n_succeeded, 2);
});

/* GJS has the property where a method has the same name. */
test('the stream', async () => {
    const group = Tasker.Group.new('stream');
    const stream = group.clone().join_stream();

    assertSame(stream.is_ended, false);
    assertSame(stream.try_next(), null);
    const task = add(group);
    task.complete();
    await finished(group);
    assertSame(stream.is_ended, false);
    assertSame(stream.try_next(), task);
    assertSame(stream.is_ended, true);
    assertSame((await finish(stream, 'next', null)).value, null);
});

test('the models', async () => {
    const group = Tasker.Group.new('models');
    const live = group.get_tasks();
    const task = add(group);

    await waitFor(() => live.get_n_items() === 1);
    assertSame(live.get_item(0), task);
    assertSame(group.get_tasks(), live);
    const stream = group.join_stream();
    task.complete();
    await waitFor(() => stream.get_n_items() === 1);
    assertSame(stream.get_item(0), task);
    assertSame(stream.get_item(1), null);
    assert(GObject.type_is_a(stream.get_item_type(), Tasker.Task.$gtype));
});

test('a deadline', async () => {
    const group = Tasker.Group.new('deadline');
    const stopper = group.create_stopper();

    stopper.timeout_ms = 1;
    assertSame(stopper.get_timeout_ms(), 1);
    await waitFor(() => stopper.is_cancelled());
    assertSame(stopper.timed_out(), true);
    assertSame(group.create_stopper().timed_out(), false);
});

test('settings of a task', async () => {
    const group = Tasker.Group.new('settings');
    const task = Tasker.Task.new_async('set', null);

    task.set_release_in_context(true);
    task.set_priority(GLib.PRIORITY_LOW);
    task.set_run_always(true);
    task.set_progress(0.5, 'half');
    assertEqual([task.get_release_in_context(), task.get_priority(), task.get_run_always(),
        task.get_progress(), task.dup_progress_message(), task.get_stops_alone(), task.get_name()],
    [true, GLib.PRIORITY_LOW, true, 0.5, 'half', true, 'set']);
    group.add(task);
    task.set_value(42);
    task.complete();
    await finished(group);
    assertSame(task.get_value(), 42);
    assertSame(task.get_error(), null);
});

test('asynchronous pairs', async () => {
    const group = Tasker.Group.new('pairs');
    const stopper = group.create_stopper();
    const task = Tasker.Task.new_async('one', null);

    assertSame((await finish(stopper, 'sleep', 1)).value, true);
    assertSame((await finish(group, 'add_wait', task, null)).value, true);
    task.complete();
    assertSame((await finish(task, 'join', null)).value, true);
    assertSame((await finish(group, 'join', null)).value, true);
    assertSame((await finish(group, 'shutdown', 1000, null)).value, true);
    assertSame((await finish(stopper, 'wait')).value, undefined);
});

test('objects that are made by themselves', async () => {
    const stream = new Tasker.JoinStream();
    const signaller = new Tasker.Signaller();

    assertSame(stream.is_ended, true);
    assertSame(stream.try_next(), null);
    assertSame(stream.get_n_items(), 0);
    assertSame((await finish(stream, 'next', null)).value, null);
    assertSame(signaller.stop(), true);
    assertSame(signaller.is_stopped(), true);
    assertSame(new Tasker.Stopper().is_cancelled(), false);
});

run();
