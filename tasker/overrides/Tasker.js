// SPDX-License-Identifier: LGPL-2.1-or-later

/* exported _init */

/**
 * Tasker as JavaScript expects it: tasks are async functions that run on the
 * main loop, and Promises of what these return.
 *
 *     const group = new Tasker.Group({name: 'sync'});
 *     const task = group.spawn('fetch', async task => {
 *         await task.sleep(1000);
 *         return 42;
 *     });
 *
 *     print(await task);
 *     for await (const ended of group.joinStream())
 *         print(ended.name, ended.state);
 *     await group.shutdown(5000);
 *
 * Each method that blocks in C returns a Promise here: `group.join()` does what
 * `group.join_async()` does. All methods have a name in camel case as well.
 *
 * No JavaScript function may run in another thread than the main one. What
 * would lead there throws a TypeError that says what to do instead.
 *
 * A task can be awaited, and so **an async function that returns a task returns
 * what the task returns**, once that has ended. Where a task itself is to be
 * returned it has to be inside of something: `group.spawnWait()` resolves to
 * `{task}`, and a stream's `next()` to `{value, done}`.
 */

const {GLib, GObject, Gio} = imports.gi;

/* All of it is inside of this function, for GJS looks up by name what is at the
 * top of a script, each time that it is used. */
function _init() {
    /* The namespace. */
    const Tasker = this;

    /* What each task needs, and what is replaced here and still needed: GJS goes
     * through all classes of an object for every look at a method. */
    const {join: joinTask, get_key: getKey, complete_error: completeWithError} = Tasker.Task.prototype;
    const {add: addTask, try_add: tryAddTask, spawn_owned: spawnOwned} = Tasker.Group.prototype;
    const {complete_many: completeMany} = Tasker.Task;
    const {next_async: beginNext} = Tasker.JoinStream.prototype;
    const {is_cancelled: isCancelled} = Gio.Cancellable.prototype;

    /* What a task's function returned, `{value}`, or failed with, `{error}`. It is
     * kept in the task, and so as long as the library or anybody else holds that;
     * in most cases there is nothing to keep. */
    const OUTCOME = Symbol('outcome');

    /* Set in a stream from which nothing comes any more. */
    const CLOSED = Symbol('closed');

    /**
     * What there is to know of a task that was spawned here and has not ended.
     *
     * @typedef {object} Job
     * @property {number} key - under which the library knows it
     * @property {?Tasker.Task} task - null when it has ended, or will without our doing
     * @property {?function} func - what is to be called when the task's turn comes
     * @property {?Wait} wait - what those wait for who await the task
     *
     * @typedef {object} Wait
     * @property {boolean} succeeded - whether the task has, and the library knows
     * @property {Promise} promise
     * @property {function} resolve
     * @property {function} reject
     */

    /* Our number, as the owner of tasks. */
    const owner = Tasker.register_async_owner(onNews);

    /* By their keys, and the keys that were in use before. A number costs less than
     * the task would as a key, and less than what is set in a task.
     *
     * @type {Array<?Job>} */
    const jobs = [null];
    const freeKeys = [];

    /* Those whose functions have returned, and the library does not know yet.
     *
     * @type {Array<Job>} */
    let returned = [];

    const RESOLVED = Promise.resolve();

    /* Errors */

    /** What the library is told of an error that a function threw, whatever it is. */
    function toGError(error) {
        if (error instanceof GLib.Error)
            return error;

        let message;
        try {
            message = error instanceof Error ? error.message : String(error);
        } catch (e) {
            message = 'an error that cannot be printed';
        }

        /* C strings end at the first NUL. */
        return new Tasker.Error({
            code: Tasker.Error.PANICKED,
            message: message.replaceAll('\0', '\u2400') || error?.name || 'Error',
        });
    }

    function newCancelledError() {
        return new Gio.IOErrorEnum({
            code: Gio.IOErrorEnum.CANCELLED,
            message: 'Operation was cancelled',
        });
    }

    function newFinishedError() {
        return new Tasker.Error({
            code: Tasker.Error.FINISHED,
            message: 'The group is finished and takes no more tasks: spawn through a clone() that was made before, or make a new group',
        });
    }

    /* What to say for values that are not of the type that is asked for. */
    function describe(value) {
        if (value === null || value === undefined)
            return `${value}`;
        if (typeof value === 'object')
            return `an object of type ${value.constructor?.name ?? 'Object'}`;

        return `a ${typeof value}`;
    }

    function checkStopper(stopper, where) {
        if (!(stopper instanceof Gio.Cancellable))
            throw new TypeError(`${where}: give a task, a Tasker.Stopper or another Gio.Cancellable as the stopper, not ${describe(stopper)}`);
    }

    function checkTime(ms, where) {
        if (typeof ms !== 'number' || !(ms >= 0 && ms < 2 ** 32))
            throw new TypeError(`${where}: give a number of milliseconds, not ${typeof ms === 'number' ? ms : describe(ms)}`);
    }

    /* Tasks */

    const {toStringTag} = Symbol;
    const GENERATORS = ['GeneratorFunction', 'AsyncGeneratorFunction'];

    function checkFunction(func, where) {
        if (typeof func === 'function') {
            if (GENERATORS.includes(func[toStringTag]))
                throw new TypeError(`${where}: a generator cannot be a task; give an async function, async task => { … }`);
            return;
        }

        if (typeof func?.then === 'function')
            throw new TypeError(`${where}: give the async function itself, not the Promise that it returns when it is called`);

        throw new TypeError(`${where}: give an async function, async task => { … }, not ${describe(func)}`);
    }

    const OPTIONS = {priority: 'number', runAlways: 'boolean', timeoutMs: 'number'};

    function checkOption(key, value, where) {
        if (!Object.hasOwn(OPTIONS, key))
            throw new TypeError(`${where}: there is no option “${key}”; there are ${Object.keys(OPTIONS).join(', ')}`);
        if (typeof value !== OPTIONS[key])
            throw new TypeError(`${where}: the option “${key}” is a ${OPTIONS[key]}, not ${describe(value)}`);
        if (key === 'timeoutMs')
            checkTime(value, `${where}: the option “timeoutMs”`);
        if (key === 'priority' && (value | 0) !== value)
            throw new RangeError(`${where}: the option “priority” is a whole number, such as GLib.PRIORITY_LOW, not ${value}`);
    }

    function setOptions(task, options, where) {
        if (typeof options !== 'object')
            throw new TypeError(`${where}: the options come last and are an object, such as {timeoutMs: 1000}, not ${describe(options)}`);

        for (const [key, value] of Object.entries(options)) {
            checkOption(key, value, where);
            task[key] = value;
        }
    }

    function checkName(name, where) {
        if (name !== null && name !== undefined && typeof name !== 'string')
            throw new TypeError(`${where}: the name is a string, not ${describe(name)}`);
    }

    function newJob(func) {
        const key = freeKeys.length > 0 ? freeKeys.pop() : jobs.length;
        const job = {key, task: null, func, wait: null};

        jobs[key] = job;

        return job;
    }

    /* The library does not know the key, or will not use it any more. */
    function dropJob(job) {
        jobs[job.key] = null;
        freeKeys.push(job.key);
        job.task = null;
    }

    function makeTask(name, key, options, where) {
        const task = Tasker.Task.new_owned(name ?? null, owner, key);
        if (options)
            setOptions(task, options, where);

        return task;
    }

    /* Whether the handle is finished is found out by adding, for it costs as much to
     * ask. Refused for other reasons, the task is added all the same. */
    function addOrThrow(group, task) {
        try {
            tryAddTask.call(group, task);
        } catch (error) {
            if (error.matches?.(Tasker.Error, Tasker.Error.FINISHED))
                throw newFinishedError();
            addTask.call(group, task);
        }

        return task;
    }

    /* The same in one call, for tasks without options. */
    function spawnOrThrow(group, name, key) {
        const task = spawnOwned.call(group, name ?? null, owner, key);

        if (task === null)
            throw newFinishedError();

        return task;
    }

    /* The library tells of many tasks at once. A function may iterate the main loop,
     * and then keys are not those of the same tasks afterwards. */
    function onNews(begun, ended) {
        const begunJobs = begun.map(key => jobs[key]);
        const endedJobs = ended.map(key => jobs[key]);

        for (const job of begunJobs)
            begin(job);
        for (const job of endedJobs)
            end(job);
    }

    /* A task may have been stopped by one that has begun along with it. */
    function begin(job) {
        const {task, func} = job;
        job.func = null;

        if (task === null)
            return;
        if (isCancelled.call(task) && !task.run_always) {
            completeError(job, newCancelledError());
            return;
        }

        let promise;
        try {
            promise = func(task);
        } catch (error) {
            fail(job, error);
            return;
        }

        if (typeof promise?.then === 'function')
            promise.then(value => succeed(job, value), error => fail(job, error));
        else
            succeed(job, promise);
    }

    /* If it was aborted, what its function did is of no account any more. */
    function succeed(job, value) {
        if (job.task === null)
            return;

        if (value !== undefined)
            job.task[OUTCOME] = {value};
        if (returned.push(job) === 1)
            RESOLVED.then(completeReturned);
    }

    function fail(job, error) {
        if (job.task === null)
            return;

        job.task[OUTCOME] = {error};
        completeError(job, toGError(error));
    }

    function completeError(job, error) {
        completeReturned();
        completeWithError.call(job.task, error);
    }

    /* Has tasks end in the order in which their functions have returned. */
    function completeReturned() {
        const done = returned.filter(job => job.task !== null);
        returned = [];

        for (let first = 0, last; first < done.length;) {
            const awaited = done[first].wait !== null;

            for (last = first + 1; last < done.length && (done[last].wait !== null) === awaited;)
                last++;
            first += completeSome(done.slice(first, last), awaited);
        }
    }

    /* We are told of the ends of those that somebody awaits, and are done with the
     * others. The library comes to a halt at one that was aborted, and we are told of
     * that; so it is left out. */
    function completeSome(done, awaited) {
        const n = completeMany(done.map(job => job.task), awaited);

        for (let i = 0; i < n; i++) {
            if (awaited)
                done[i].wait.succeeded = true;
            else
                forget(done[i]);
        }

        return Math.min(n + 1, done.length);
    }

    function forget(job) {
        if (ears.size > 0)
            ears.get(job.task)?.close();
        dropJob(job);
    }

    function end(job) {
        const {task, wait} = job;

        forget(job);
        if (wait !== null)
            settle(task, wait);
    }

    function settle(task, wait) {
        if (wait.succeeded) {
            wait.resolve(task[OUTCOME]?.value);
            return;
        }

        try {
            wait.resolve(getResult(task));
        } catch (error) {
            wait.reject(error);
        }
    }

    function checkAdded(task) {
        if (task.get_state() === Tasker.TaskState.NEW)
            throw new Error('The task cannot be waited for or aborted, as it was not added to a group');
    }

    /** Returns what an ended task returned, or throws what it failed with. */
    function getResult(task) {
        switch (task.get_state()) {
        case Tasker.TaskState.SUCCEEDED:
            return task.value;
        case Tasker.TaskState.FAILED:
            throw task.error;
        default:
            /* Does not wait any more, and throws how it ended. */
            return joinTask.call(task, null);
        }
    }

    function newWait() {
        const wait = {succeeded: false, promise: null, resolve: null, reject: null};

        wait.promise = new Promise((resolve, reject) => {
            wait.resolve = resolve;
            wait.reject = reject;
        });

        return wait;
    }

    /** Returns a promise of what a task returns. */
    function getPromise(task) {
        const job = jobs[getKey.call(task, owner)];

        if (job === null || job === undefined || job.task !== task)
            return waitForResult(task);

        job.wait ??= newWait();

        return job.wait.promise;
    }

    /* Of one that is not ours, or has ended. */
    async function waitForResult(task) {
        checkAdded(task);
        if (!task.is_finished()) {
            try {
                await task.join_async(null);
            } catch (error) {
                if (!task.is_finished())
                    throw error;
            }
        }

        return getResult(task);
    }

    /* Stoppers */

    /* What listens to a cancellable on the main loop, whichever thread cancels it:
     * one source for all who want to know, as long as there are any.
     *
     * GLib's source for cancellables is not there in JavaScript, other than as the
     * part of a source for streams; so there is a stream that nobody reads. */
    class Ear {
        constructor(stopper) {
            this._stopper = stopper;
            this._callbacks = new Set();
            Ear._stream ??= new Gio.MemoryInputStream();
            this._source = Gio.pollable_source_new_full(Ear._stream, null, stopper);
            this._source.set_callback(() => this._onCancelled());
            this._source.attach(null);
            ears.set(stopper, this);
        }

        close() {
            ears.delete(this._stopper);
            this._source.destroy();
        }

        add(callback) {
            this._callbacks.add(callback);
        }

        remove(callback) {
            this._callbacks.delete(callback);
            if (this._callbacks.size === 0 && ears.get(this._stopper) === this)
                this.close();
        }

        _onCancelled() {
            this.close();
            for (const callback of this._callbacks)
                callback();

            return GLib.SOURCE_REMOVE;
        }
    }

    /** @type {Map<Gio.Cancellable, Ear>} */
    const ears = new Map();

    /** Has a function called when the stopper is cancelled; returns what undoes it. */
    function listen(stopper, callback) {
        const ear = ears.get(stopper) ?? new Ear(stopper);

        ear.add(callback);

        return () => ear.remove(callback);
    }

    /**
     * Waits for a Promise, but not any longer than until the stop.
     *
     * What the Promise stands for goes on, and how it ends is dropped. If both are
     * there, the stop wins.
     *
     * @template T
     * @param {Promise<T>|T} promise
     * @param {Gio.Cancellable} stopper - a task, as a rule
     * @returns {Promise<T>} rejected with Gio.IOErrorEnum.CANCELLED at the stop
     */
    function unless(promise, stopper) {
        checkStopper(stopper, 'Tasker.unless()');
        if (typeof promise === 'function')
            throw new TypeError('Tasker.unless(): give the Promise that the function returns: call it');

        return new Promise((resolve, reject) => {
            if (stopper.is_cancelled()) {
                Promise.resolve(promise).catch(() => {});
                reject(newCancelledError());
                return;
            }

            let unlisten = listen(stopper, () => {
                reject(newCancelledError());
                /* The Promise may be there for ever, and what waits for it as well. */
                stopper = resolve = reject = unlisten = null;
            });
            const settle = (func, result) => {
                if (stopper === null)
                    return;
                unlisten();
                if (stopper.is_cancelled())
                    reject(newCancelledError());
                else
                    func(result);
            };
            Promise.resolve(promise).then(value => settle(resolve, value), error => settle(reject, error));
        });
    }

    function getIterator(iterable) {
        const getAsync = iterable?.[Symbol.asyncIterator];
        const get = getAsync ?? iterable?.[Symbol.iterator];

        if (typeof get !== 'function')
            throw new TypeError(`Tasker.takeUntil(): give something that can be iterated over, not ${describe(iterable)}`);

        return get.call(iterable);
    }

    /**
     * Iterates over something, until its end or the stop.
     *
     * At the stop the loop ends as it does at the end; `stopper.is_cancelled()`
     * tells. The iterator is asked to return then, and if it does not want to, or
     * cannot at once, nobody waits for that.
     *
     *     for await (const line of Tasker.takeUntil(lines, task))
     *         handle(line);
     *
     * @template T
     * @param {AsyncIterable<T>|Iterable<T>} iterable
     * @param {Gio.Cancellable} stopper - a task, as a rule
     * @returns {AsyncIterableIterator<T>}
     */
    function takeUntil(iterable, stopper) {
        checkStopper(stopper, 'Tasker.takeUntil()');
        const iterator = getIterator(iterable);
        let done = false;

        const close = async value => {
            done = true;
            try {
                await iterator.return?.(value);
            } catch (error) {
                if (!stopper.is_cancelled())
                    throw error;
            }

            return {value, done};
        };

        return {
            [Symbol.asyncIterator]() {
                return this;
            },

            async next() {
                if (done)
                    return {value: undefined, done};

                try {
                    const result = await unless(stopper.is_cancelled() ? null : iterator.next(), stopper);
                    ({done = false} = result);
                    return result;
                } catch (error) {
                    if (stopper.is_cancelled())
                        close();
                    else
                        done = true;
                    if (!stopper.is_cancelled())
                        throw error;
                    return {value: undefined, done};
                }
            },

            return: close,
        };
    }

    /**
     * Ticks at a fixed rate until the stop.
     *
     * Where the loop's body takes longer than the interval, the ticks that were
     * missed are left out, and the next one comes when it would have come anyway.
     *
     *     for await (const n of Tasker.interval(0.5, task))
     *         print(`tick ${n}`);
     *
     * @param {number} seconds - the time from one tick to the next, more than 0
     * @param {Gio.Cancellable} stopper - a task, as a rule
     * @returns {AsyncIterableIterator<number>} how many intervals have gone by
     */
    function interval(seconds, stopper) {
        if (typeof seconds !== 'number' || !(seconds > 0) || seconds > 4e6)
            throw new TypeError(`Tasker.interval(): give a number of seconds, more than 0, not ${typeof seconds === 'number' ? seconds : describe(seconds)}`);
        checkStopper(stopper, 'Tasker.interval()');

        return takeUntil(ticks(seconds * 1e6), stopper);
    }

    function ticks(intervalUs) {
        const start = GLib.get_monotonic_time();
        let n = 0;
        let id = 0;

        const wait = (due, resolve) => {
            const ms = Math.max(0, Math.ceil((due - GLib.get_monotonic_time()) / 1000));
            id = GLib.timeout_add(GLib.PRIORITY_DEFAULT, ms, () => {
                id = 0;
                resolve({value: n, done: false});
                return GLib.SOURCE_REMOVE;
            });
        };

        return {
            [Symbol.asyncIterator]() {
                return this;
            },

            next() {
                n = Math.max(n, Math.floor((GLib.get_monotonic_time() - start) / intervalUs)) + 1;
                return new Promise(resolve => wait(start + n * intervalUs, resolve));
            },

            return(value) {
                if (id !== 0)
                    GLib.source_remove(id);
                id = 0;
                return {value, done: true};
            },
        };
    }

    const stopperMethods = {
        /**
         * Sleeps, but not any longer than until the stop.
         *
         * @param {number} ms - how long, in milliseconds
         * @returns {Promise<boolean>} rejected with Gio.IOErrorEnum.CANCELLED at the stop
         */
        async sleep(ms) {
            checkTime(ms, 'Stopper.sleep()');

            return this.sleep_async(ms);
        },

        /**
         * Waits until the stopper is cancelled.
         *
         * @returns {Promise<void>}
         */
        waitStopped() {
            return new Promise(resolve => {
                if (this.is_cancelled())
                    resolve();
                else
                    listen(this, resolve);
            });
        },

        /* What emits "cancelled" is the thread that cancels. */
        connect(signal, handler) {
            checkSignal(signal);
            return GObject.Object.prototype.connect.call(this, signal, handler);
        },

        connect_after(signal, handler) {
            checkSignal(signal);
            return GObject.Object.prototype.connect_after.call(this, signal, handler);
        },
    };

    function checkSignal(signal) {
        if (typeof signal === 'function' || /^cancelled\b/.test(signal))
            throw new TypeError('A JavaScript function cannot be connected to “cancelled”, for that comes in the thread that stops: use waitStopped().then(…)');
    }

    const taskMethods = {
        /**
         * A task is a Promise as well: of what its function returns. It is rejected
         * with the very error that the function threw, or with
         * Tasker.Error.STOPPED or Tasker.Error.ABORTED.
         *
         * A function that awaits its own task waits for ever.
         */
        then(onFulfilled, onRejected) {
            return getPromise(this).then(onFulfilled, onRejected);
        },

        catch(onRejected) {
            return this.then(undefined, onRejected);
        },

        finally(onFinally) {
            return getPromise(this).finally(onFinally);
        },

        /**
         * Waits until the task has ended.
         *
         * @param {?Gio.Cancellable} cancellable - cancels the wait, not the task
         * @returns {Promise<boolean>} rejected with what the library has for an error
         */
        async join(cancellable = null) {
            checkAdded(this);

            return this.join_async(cancellable);
        },

        /**
         * Lets the main loop do what there is to do, redraw for example.
         *
         * @returns {Promise<void>}
         */
        yieldNow() {
            return new Promise(resolve => {
                GLib.idle_add(GLib.PRIORITY_DEFAULT_IDLE, () => {
                    resolve();
                    return GLib.SOURCE_REMOVE;
                });
            });
        },
    };

    const taskProperties = {
        /**
         * What the task's function returned, unchanged, or what
         * tasker_task_set_value() set; undefined if it has not succeeded.
         */
        value: {
            get() {
                if (this.get_state() !== Tasker.TaskState.SUCCEEDED)
                    return undefined;
                const outcome = this[OUTCOME];

                return outcome !== undefined ? outcome.value : this.get_value() ?? undefined;
            },
        },

        /** What the task failed with: the very thing that was thrown; or null. */
        error: {
            get() {
                if (this.get_state() !== Tasker.TaskState.FAILED)
                    return null;
                const outcome = this[OUTCOME];
                const error = this.get_error();

                return outcome !== undefined && isSame(outcome.error, error) ? outcome.error : error;
            },
        },
    };

    /* The library makes something else of G_IO_ERROR_CANCELLED at a deadline. */
    function isSame(error, gerror) {
        return !(error instanceof GLib.Error) || gerror.matches(error.domain, error.code);
    }

    /* Groups */

    const groupMethods = {
        /**
         * Runs an async function on the main loop, when its turn comes.
         *
         * At a stop the function goes on: task.sleep(), task.waitStopped() and
         * Tasker.unless() end, and so does any GIO method that was given the task
         * as its cancellable. At an abort the task ends at once, and what the
         * function still does is dropped, for a Promise cannot be interrupted.
         *
         * @param {string} [name] - what to call the task; may be left out
         * @param {function(Tasker.Task): Promise} func - what to run
         * @param {object} [options]
         * @param {number} [options.priority] - when the turn comes, GLib.PRIORITY_…
         * @param {boolean} [options.runAlways] - whether to run it even after the stop
         * @param {number} [options.timeoutMs] - when to stop it, from its beginning
         * @returns {Tasker.Task} the task, which can be awaited
         */
        spawn(name, func, options) {
            if (typeof name === 'function' || func === undefined) {
                options = func;
                func = name;
                name = null;
            }

            checkFunction(func, 'Group.spawn()');
            checkName(name, 'Group.spawn()');
            const job = newJob(func);
            try {
                job.task = options
                    ? addOrThrow(this, makeTask(name, job.key, options, 'Group.spawn()'))
                    : spawnOrThrow(this, name, job.key);
            } catch (error) {
                dropJob(job);
                throw error;
            }

            return job.task;
        },

        /**
         * The same, but waits until there is room: no more than maxQueued tasks
         * wait for their turn. So who spawns goes at the pace of the group.
         *
         * To be awaited before the next one. Fails with Tasker.Error.STOPPED or
         * Tasker.Error.ABORTED once the group is stopped.
         *
         * @returns {Promise<{task: Tasker.Task}>} the task, in an object, since a
         *   Promise of a task would be one of what the task returns
         */
        async spawnWait(name, func, options) {
            if (typeof name === 'function' || func === undefined)
                [name, func, options] = [null, name, func];

            checkFunction(func, 'Group.spawnWait()');
            checkName(name, 'Group.spawnWait()');
            if (this.is_finished)
                throw newFinishedError();

            const job = newJob(func);
            let task;
            try {
                task = makeTask(name, job.key, options, 'Group.spawnWait()');
                job.task = task;
                await this.add_wait_async(task, null);
            } catch (error) {
                dropJob(job);
                throw error;
            }

            return {task};
        },

        /* In place of a light task, whose function would be let go of along with the
         * handle. */
        spawn_local(name, func) {
            const task = Tasker.Task.new_local(name, func);

            this.add(task);
        },

        /** Adds a task that was made before, once. */
        add(task) {
            checkNew(task);
            addOrThrow(this, task);
        },

        /**
         * Finishes the handle, stops the group, waits, and aborts what is left at
         * the end of the time.
         *
         * @param {number} graceMs - how long to wait before the abort, in milliseconds
         * @param {?Gio.Cancellable} cancellable - cancels the wait
         * @returns {Promise<boolean>}
         */
        async shutdown(graceMs, cancellable = null) {
            checkTime(graceMs, 'Group.shutdown()');

            return this.shutdown_async(graceMs, cancellable);
        },
    };

    const streamMethods = {
        /**
         * Waits for the next task that has ended, as an async iterator does.
         *
         * @param {?Gio.Cancellable} cancellable - cancels the wait
         * @returns {Promise<{value: ?Tasker.Task, done: boolean}>}
         */
        next(cancellable = null) {
            if (this[CLOSED])
                return Promise.resolve({value: undefined, done: true});

            return new Promise((resolve, reject) => {
                beginNext.call(this, cancellable, (stream, result) => {
                    try {
                        const value = stream.next_finish(result);
                        resolve({value: value ?? undefined, done: value === null});
                    } catch (error) {
                        reject(error);
                    }
                });
            });
        },

        /* A Promise of a task would be one of what the task returns. */
        next_async(cancellable = null, callback = null) {
            return callback === null ? this.next(cancellable) : beginNext.call(this, cancellable, callback);
        },

        /** Gives what was not taken back to the group, where a loop was left early. */
        return(value) {
            if (!this[CLOSED]) {
                this[CLOSED] = true;
                this.run_dispose();
            }

            return Promise.resolve({value, done: true});
        },

        [Symbol.asyncIterator]() {
            return this;
        },
    };

    /* Threads */

    const INSTEAD = 'a JavaScript function cannot run in another thread: give an async function to group.spawn(), or call a GIO method that is async itself';

    function forbid(object, name, where) {
        const message = `${where}: ${INSTEAD}`;

        for (const each of [name, toCamelCase(name)]) {
            object[each] = function () {
                throw new TypeError(message);
            };
        }
    }

    function forbidThreads() {
        forbid(Tasker.Task, 'new', 'Tasker.Task.new()');
        forbid(Tasker.Task, 'new_each', 'Tasker.Task.new_each()');
        forbid(Tasker, 'register_external_owner', 'Tasker.register_external_owner()');
        forbid(Tasker, 'register_worker_owner', 'Tasker.register_worker_owner()');
        forbid(Tasker.Group.prototype, 'run_in_thread', 'Group.run_in_thread()');
        forbid(Gio.Task.prototype, 'run_in_thread', 'Gio.Task.run_in_thread()');
        forbid(Gio.Task.prototype, 'run_in_thread_sync', 'Gio.Task.run_in_thread_sync()');
    }

    /* All methods */

    function toCamelCase(name) {
        return name.replace(/_([a-z])/g, (match, letter) => letter.toUpperCase());
    }

    function getMethodNames(type) {
        return Object.getOwnPropertyNames(type.prototype).filter(name =>
            !name.startsWith('_') &&
            typeof Object.getOwnPropertyDescriptor(type.prototype, name)?.value === 'function');
    }

    /* Makes name_async() return a Promise, and name() the same, with null for
     * arguments at the end that are left out. */
    function promisify(proto, name) {
        const asyncName = `${name}_async`;
        const nArguments = proto[asyncName].length - 1;

        Gio._promisify(proto, asyncName, `${name}_finish`);
        proto[name] = function (...args) {
            while (args.length < nArguments)
                args.push(null);

            return this[asyncName](...args);
        };
    }

    function isProperty(type, name) {
        return GObject.Object.find_property.call(type, name.replaceAll('_', '-')) !== null;
    }

    /* Properties have their names in camel case from GJS. */
    function addCamelCase(type) {
        for (const name of getMethodNames(type)) {
            const camelCase = toCamelCase(name);

            if (camelCase !== name && !isProperty(type, name) && !Object.hasOwn(type.prototype, camelCase))
                type.prototype[camelCase] = type.prototype[name];
        }
    }

    function addMethods(type, methods = {}, properties = {}) {
        const names = getMethodNames(type);

        for (const name of names.filter(each => each.endsWith('_async')))
            promisify(type.prototype, name.slice(0, -'_async'.length));
        Object.assign(type.prototype, methods);
        Object.defineProperties(type.prototype, properties);
        addCamelCase(type);
    }

    /* Mistakes of which C would only log a message, and begin nothing: who awaits
     * that would wait for ever. */
    function guard(type, names, check) {
        for (const name of names) {
            const method = type.prototype[name];
            const guarded = function (...args) {
                check(this, ...args);

                return method.apply(this, args);
            };

            type.prototype[name] = type.prototype[toCamelCase(name)] = guarded;
        }
    }

    function checkNew(task) {
        if (task instanceof Tasker.Task && task.get_state() !== Tasker.TaskState.NEW)
            throw new Error('The task was added to a group before');
    }

    function checkUnset(task) {
        if (task.get_state() !== Tasker.TaskState.NEW)
            throw new Error('The task was added to a group before, and this is fixed then: set it first, or give it to spawn() as an option');
    }

    function checkProgress(_task, progress) {
        if (typeof progress !== 'number' || !(progress >= 0 && progress <= 1))
            throw new RangeError(`Task.set_progress(): give a number from 0 to 1, not ${typeof progress === 'number' ? progress : describe(progress)}`);
    }

    /* Set in a task that nobody is to complete, or nobody any more: why. */
    const COMPLETED = Symbol('completed');

    function checkCompletable(task) {
        const reason = getKey.call(task, owner) !== 0
            ? 'A task that was spawned is completed by its function: return from that, or throw'
            : task[COMPLETED];

        if (reason !== undefined)
            throw new Error(reason);
    }

    function guardCompletion(name) {
        const complete = Tasker.Task.prototype[name];
        const guarded = function (...args) {
            checkCompletable(this);
            complete.apply(this, args);
            this[COMPLETED] = 'The task was completed before: do so once';
        };

        Tasker.Task.prototype[name] = Tasker.Task.prototype[toCamelCase(name)] = guarded;
    }

    /* What runs by itself. */
    function guardConstructor(name, check = () => {}) {
        const construct = Tasker.Task[name];
        const guarded = function (...args) {
            check(...args);
            const task = construct.apply(this, args);
            task[COMPLETED] = 'The task ends by itself: only one made with new Tasker.Task() or Tasker.Task.new_async() can be completed';

            return task;
        };

        Tasker.Task[name] = Tasker.Task[toCamelCase(name)] = guarded;
    }

    /* What is called again as long as it returns what is true. */
    function checkStep(func) {
        if (func?.[toStringTag] !== undefined)
            throw new TypeError('A step is a function that returns whether it is to be called again, and neither async nor a generator: give an async function to group.spawn()');
    }

    function checkInterval(_name, ms, func) {
        checkStep(func);
        if (typeof ms !== 'number' || !(ms >= 1 && ms < 2 ** 32))
            throw new RangeError(`Tasker.Task.new_interval(): give a number of milliseconds, at least 1, not ${typeof ms === 'number' ? ms : describe(ms)}`);
    }

    /* GJS sets properties without our methods. */
    function guardProperty(name) {
        const accessor = {...getAccessor(name)};
        const {set: setProperty} = accessor;

        accessor.set = function (value) {
            checkUnset(this);
            setProperty.call(this, value);
        };
        for (const each of [name, name.replaceAll('_', '-'), toCamelCase(name)])
            Object.defineProperty(Tasker.Task.prototype, each, accessor);
    }

    function getAccessor(name) {
        return Object.getOwnPropertyDescriptor(Tasker.Task.prototype, name) ??
            Object.getOwnPropertyDescriptor(Tasker.Stopper.prototype, name);
    }

    function guardParent() {
        const {_init: init} = Tasker.Group.prototype;

        Tasker.Group.prototype._init = function (...args) {
            if (args[0]?.parent instanceof Tasker.Group && args[0].parent.is_finished)
                throw newFinishedError();

            return init.apply(this, args);
        };
    }

    function guardMethods() {
        guard(Tasker.Group, ['try_add', 'add_wait_async'], (_group, task) => checkNew(task));
        guard(Tasker.Group, ['new_child'], group => {
            if (group.is_finished)
                throw newFinishedError();
        });
        guard(Tasker.Task, ['abort', 'join_async'], checkAdded);
        guard(Tasker.Task, ['set_progress'], checkProgress);
        guardCompletion('complete');
        guardCompletion('complete_error');
        for (const name of ['priority', 'run_always', 'release_in_context', 'timeout_ms']) {
            guard(Tasker.Task, [`set_${name}`], checkUnset);
            guardProperty(name);
        }
        for (const name of ['new_for_gtask', 'new_for_subprocess'])
            guardConstructor(name);
        guardConstructor('new_local', (_name, func) => checkStep(func));
        guardConstructor('new_interval', checkInterval);
        guardParent();
    }

    addMethods(Tasker.Stopper, stopperMethods);
    Tasker.Stopper.prototype.wait = stopperMethods.waitStopped;
    addMethods(Tasker.Task, taskMethods, taskProperties);
    addMethods(Tasker.Group, groupMethods);
    addMethods(Tasker.JoinStream, streamMethods);
    addMethods(Tasker.Signaller);
    forbidThreads();
    guardMethods();

    Object.assign(Tasker, {unless, takeUntil, interval});
}
