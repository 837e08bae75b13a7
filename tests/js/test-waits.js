// SPDX-License-Identifier: LGPL-2.1-or-later

/* What a task awaits: sleep, yieldNow, waitStopped, unless, takeUntil, interval. */

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Tasker from 'gi://Tasker?version=1';

import {assert, assertEqual, assertError, assertFails, assertSame, pause, run, test, waitFor, COLLECTS} from './tap.js';

const CANCELLED = [Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED];
const NEVER = new Promise(() => {});

test('sleep', async () => {
    const group = new Tasker.Group();
    const begin = GLib.get_monotonic_time();

    await group.spawn(task => task.sleep(30));
    assert(GLib.get_monotonic_time() - begin >= 30e3, 'it slept too little');
});

test('yieldNow lets the main loop redraw', async () => {
    const group = new Tasker.Group();
    const PRIORITY_REDRAW = GLib.PRIORITY_HIGH_IDLE + 20;
    let redraws = 0;
    const id = GLib.idle_add(PRIORITY_REDRAW, () => {
        redraws++;
        return redraws < 1000 ? GLib.SOURCE_CONTINUE : GLib.SOURCE_REMOVE;
    });

    await group.spawn(task => task.yieldNow());
    assertSame(redraws, 1000);
    assert(id > 0);
});

test('waitStopped', async () => {
    const group = new Tasker.Group();
    const stopper = group.create_stopper();
    let heard = 0;

    for (let i = 0; i < 3; i++)
        stopper.waitStopped().then(() => heard++);
    await pause(5);
    assertSame(heard, 0);
    group.stop();
    await stopper.waitStopped();
    await stopper.wait();
    await pause(5);
    assertSame(heard, 3);
});

test('unless: what comes first', async () => {
    const stopper = new Tasker.Stopper();
    const error = new Error('mine');

    assertSame(await Tasker.unless(Promise.resolve(5), stopper), 5);
    assertSame(await Tasker.unless(6, stopper), 6);
    assertSame(await assertFails(Tasker.unless(Promise.reject(error), stopper)), error);

    const waiting = Tasker.unless(NEVER, stopper);
    await pause(5);
    stopper.cancel();
    await assertError(waiting, ...CANCELLED);
    await assertError(Tasker.unless(Promise.resolve(7), stopper), ...CANCELLED);
});

test('unless: the stop wins', async () => {
    const stopper = new Tasker.Stopper();
    const results = [Promise.resolve(1), Promise.reject(new Error('dropped'))].map(promise =>
        Tasker.unless(promise, stopper));

    stopper.cancel();
    for (const result of results)
        await assertError(result, ...CANCELLED);
});

test('unless: what is dropped is dropped silently', async () => {
    const cancellable = new Gio.Cancellable();
    let reject;
    const dropped = new Promise((_resolve, no) => {
        reject = no;
    });
    const waiting = Tasker.unless(dropped, cancellable);

    cancellable.cancel();
    await assertError(waiting, ...CANCELLED);
    reject(new Error('too late'));
    await pause(5);
    await assertError(Tasker.unless(Promise.reject(new Error('x')), cancellable), ...CANCELLED);
    await pause(5);
});

test('unless: many at once', async () => {
    const group = new Tasker.Group();
    const n = COLLECTS ? 10 : 1000;
    let done = 0;
    const task = group.spawn(async self => {
        const waits = Array.from({length: n * 2}, (_, i) =>
            Tasker.unless(i % 2 ? NEVER : pause(1).then(() => done++), self));
        const ends = await Promise.allSettled(waits);
        return ends.filter(({status}) => status === 'fulfilled').length;
    });

    await waitFor(() => done === n);
    await pause(1);
    task.cancel();
    assertSame(await task, n);
});

test('takeUntil: to the end', async () => {
    const stopper = new Tasker.Stopper();
    const taken = [];

    async function *count() {
        for (let i = 0; i < 3; i++) {
            await pause(1);
            yield i;
        }
    }
    for await (const i of Tasker.takeUntil(count(), stopper))
        taken.push(i);
    for await (const i of Tasker.takeUntil(['a', 'b'], stopper))
        taken.push(i);
    assertEqual(taken, [0, 1, 2, 'a', 'b']);
});

test('takeUntil: until the stop, or a break', async () => {
    const stopper = new Tasker.Stopper();
    let finallies = 0, taken = 0;

    async function *count() {
        try {
            for (let i = 0; ; i++) {
                await pause(1);
                yield i;
            }
        } finally {
            finallies++;
        }
    }
    for await (const i of Tasker.takeUntil(count(), stopper)) {
        if (i === 2)
            break;
    }
    assertSame(finallies, 1);

    for await (const i of Tasker.takeUntil(count(), stopper)) {
        taken++;
        if (i === 4)
            stopper.cancel();
    }
    assertSame(taken, 5);
    await pause(5);
    assertSame(finallies, 2);

    for await (const i of Tasker.takeUntil(count(), stopper))
        throw new Error(`${i} was taken after the stop`);
});

test('takeUntil: waiting for what never comes', async () => {
    const stopper = new Tasker.Stopper();
    const silent = {
        [Symbol.asyncIterator]: () => ({next: () => NEVER}),
    };

    GLib.timeout_add(GLib.PRIORITY_DEFAULT, 5, () => {
        stopper.cancel();
        return GLib.SOURCE_REMOVE;
    });
    for await (const nothing of Tasker.takeUntil(silent, stopper))
        throw new Error(`${nothing} came`);
});

test('takeUntil: errors come through', async () => {
    const error = new Error('in the middle');

    async function *fail() {
        yield 1;
        throw error;
    }
    const iterator = Tasker.takeUntil(fail(), new Tasker.Stopper());
    assertEqual(await iterator.next(), {value: 1, done: false});
    assertSame(await assertFails(iterator.next()), error);
    assertEqual(await iterator.next(), {done: true});
});

test('interval: at a fixed rate', async () => {
    const stopper = new Tasker.Stopper();
    const begin = GLib.get_monotonic_time();
    const ticks = [];

    for await (const n of Tasker.interval(0.02, stopper)) {
        const elapsed = (GLib.get_monotonic_time() - begin) / 1000;
        assert(elapsed >= n * 20, `tick ${n} came after ${elapsed} ms`);
        ticks.push(n);
        if (ticks.length === 2)
            await pause(70);
        if (ticks.length === 4)
            stopper.cancel();
    }
    assert(ticks[0] >= 1);
    /* Some were missed, and do not come in a row afterwards. */
    assert(ticks[2] - ticks[1] >= 3, `${ticks}`);
    assertSame(ticks.length, 4);
});

test('interval: the stop ends the wait', async () => {
    const group = new Tasker.Group();
    const task = group.spawn(async self => {
        let n = 0;
        for await (const tick of Tasker.interval(1000, self))
            n = tick;
        return n;
    });

    await pause(5);
    group.stop();
    assertSame(await task, 0);
});

test('wrong arguments', async () => {
    const stopper = new Tasker.Stopper();

    await assertFails(() => Tasker.unless(NEVER), /^TypeError.*unless.*stopper, not undefined/);
    await assertFails(() => Tasker.unless(NEVER, {}), /^TypeError.*not an object of type Object/);
    for (const bad of [() => NEVER, async () => {}])
        await assertFails(() => Tasker.unless(bad, stopper), /^TypeError.*Promise that the function returns/);
    for (const bad of [null, undefined, {}, () => [], NEVER])
        await assertFails(() => Tasker.takeUntil(bad, stopper), /^TypeError.*iterated over/);
    await assertFails(() => Tasker.takeUntil(5, stopper), /^TypeError.*iterated over, not a number/);
    await assertFails(() => Tasker.takeUntil([], null), /^TypeError.*not null/);
    for (const seconds of [0, -1, NaN, Infinity, '1', null])
        await assertFails(() => Tasker.interval(seconds, stopper), /^TypeError.*number of seconds/);
    await assertFails(() => Tasker.interval(1), /^TypeError.*stopper/);
});

run();
