// SPDX-License-Identifier: LGPL-2.1-or-later

/* What the JavaScript tests share: cases that are told as TAP, and assertions.
 *
 * With TASKER_TEST_GC set, garbage is collected before each iteration of the main
 * loop. collect-between.py sets it, and has it collected between every two
 * statements here, in the tests and in the override. */

import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import System from 'system';

/** Whether so much garbage is collected that there is time for fewer rounds only. */
export const COLLECTS = GLib.getenv('TASKER_TEST_GC') !== null;

const CASE_TIMEOUT_S = COLLECTS ? 180 : 60;
const COUNTS = GLib.getenv('TASKER_TEST_INSTANCES') !== null;

const cases = [];
const context = GLib.MainContext.default();

/** Adds a case: an async function. */
export function test(name, func) {
    cases.push({name, func});
}

/** Iterates the main loop for some time. */
export function pause(ms) {
    return new Promise(resolve => {
        GLib.timeout_add(GLib.PRIORITY_DEFAULT, ms, () => {
            resolve();
            return GLib.SOURCE_REMOVE;
        });
    });
}

/** Waits until something is so. */
export async function waitFor(condition) {
    const deadline = GLib.get_monotonic_time() + CASE_TIMEOUT_S * 1e6 / 2;

    while (!condition()) {
        assert(GLib.get_monotonic_time() < deadline, `waited in vain for ${condition}`);
        await pause(1);
    }
}

/** Collects all garbage, and what is garbage only after that. */
export async function collectGarbage() {
    for (let i = 0; i < 3; i++) {
        System.gc();
        await pause(5);
    }
}

export function assert(condition, message = 'not true') {
    if (!condition)
        throw new Error(message);
}

/* As text, whatever it is. */
function show(value) {
    try {
        return String(value);
    } catch (error) {
        return `an unprintable ${typeof value}`;
    }
}

export function assertSame(actual, expected) {
    assert(Object.is(actual, expected), `${show(actual)} is not ${show(expected)}`);
}

export function assertEqual(actual, expected) {
    const [a, b] = [actual, expected].map(value => JSON.stringify(value));
    assert(a === b, `${a} is not ${b}`);
}

/** Checks that a function throws, or a Promise is rejected; returns the error. */
export async function assertFails(what, pattern = null) {
    let value;

    try {
        value = await (typeof what === 'function' ? what() : what);
    } catch (error) {
        assert(pattern === null || pattern.test(show(error)), `${show(error)} is not like ${pattern}`);
        return error;
    }

    throw new Error(`succeeded with ${show(value)} instead of failing`);
}

/** The same for GLib.Error, of which domain and code count. */
export async function assertError(what, domain, code) {
    const error = await assertFails(what);

    assert(error instanceof GLib.Error && error.matches(domain, code), `${show(error)} is another error`);
    return error;
}

function withTimeout(promise) {
    let id = 0;
    const timeout = new Promise((_resolve, reject) => {
        id = GLib.timeout_add_seconds(GLib.PRIORITY_HIGH, CASE_TIMEOUT_S, () => {
            id = 0;
            reject(new Error(`takes longer than ${CASE_TIMEOUT_S} s`));
            return GLib.SOURCE_REMOVE;
        });
    });

    return Promise.race([promise, timeout]).finally(() => {
        if (id !== 0)
            GLib.source_remove(id);
    });
}

/* How many objects there are of each type of ours, where GLib counts them: see
 * "tests/run --instances". */
function countInstances() {
    const types = [GObject.Object.$gtype];
    const counts = {};

    while (types.length > 0) {
        const type = types.pop();

        types.push(...GObject.type_children(type));
        if (type.name.startsWith('Tasker'))
            counts[type.name] = GObject.type_get_instance_count(type);
    }

    return counts;
}

/* Waits until there are no more than there were. */
async function checkInstances(before) {
    const deadline = GLib.get_monotonic_time() + 10e6;
    let more;

    do {
        await collectGarbage();
        more = Object.entries(countInstances()).filter(([name, n]) => n > (before[name] ?? 0));
    } while (more.length > 0 && GLib.get_monotonic_time() < deadline);
    assertEqual(more, []);
}

async function runCase({name, func}, number) {
    try {
        const before = COUNTS ? countInstances() : null;

        await withTimeout(func());
        if (COUNTS)
            await checkInstances(before);
    } catch (error) {
        print(`not ok ${number} - ${name}`);
        for (const line of `${show(error)}\n${error?.stack ?? ''}`.trimEnd().split('\n'))
            print(`# ${line}`);
        return false;
    }

    print(`ok ${number} - ${name}`);
    return true;
}

function iterate() {
    if (COLLECTS)
        System.gc();
    context.iteration(true);
}

/** Runs the cases, or those whose name has the argument in it, and exits. */
export function run() {
    const chosen = cases.filter(({name}) => name.includes(ARGV[0] ?? ''));
    let status = 0;

    if (COUNTS) {
        const object = new GObject.Object();

        assert(GObject.type_get_instance_count(object.constructor.$gtype) > 0, 'this GLib does not count');
    }
    print(`1..${chosen.length}`);

    let done = false;
    (async () => {
        for (const [i, each] of chosen.entries()) {
            if (!await runCase(each, i + 1))
                status = 1;
        }
    })().finally(() => {
        done = true;
    });
    while (!done)
        iterate();

    System.exit(status);
}
