# SPDX-License-Identifier: LGPL-2.1-or-later

"""Tasker as Python expects it: tasks that are awaited, groups in "with".

A function runs where it is safe to run: plain ones in worker threads,
coroutines on the running asyncio loop.

    async with Tasker.Group('sync') as group:
        task = group.spawn(resize, path)     # resize(task, path), in a thread
        group.spawn(fetch, url)              # async def fetch(task, url)
        print(await task)

Where a loop runs in the calling thread, what waits is awaited; elsewhere the
same function blocks.
"""

import asyncio
import builtins
import functools
import inspect
import math
import time

from gi.repository import Gio, GLib

from ..module import get_introspection_module
from ..overrides import override
from ._tasker import jobs, threads, waits
from ._tasker.jobs import is_coroutine_function, make_task

Tasker = get_introspection_module('Tasker')

__all__ = []


def _public(item):
    __all__.append(item.__name__)
    return item


def _property(name, doc):
    """Makes a Python property of one of GObject's."""
    def get(self):
        return self.get_property(name)

    def set(self, value):
        self.set_property(name, value)

    return property(get, set, doc=doc)


def _read_property(name, doc):
    def get(self):
        return self.get_property(name)

    return property(get, doc=doc)


def _early_property(name, doc):
    """Makes a property that is fixed once a task is added, and its setter."""
    def get(self):
        return self.get_property(name)

    def set(self, value):
        if self.get_state() != Tasker.TaskState.NEW:
            raise RuntimeError(f'{name.replace("-", "_")} is to be set before it is added to a group')
        self.set_property(name, value)

    return property(get, set, doc=f'{doc} Fixed once it is added to a group.'), set


class _End(GLib.Error):
    """How a task ended that has neither succeeded nor failed."""

    def __init__(self, message):
        super().__init__(message, GLib.quark_to_string(Tasker.Error.quark()), int(self.CODE))


@_public
class Stopped(_End):
    """The task was stopped; a GLib.Error with Tasker.Error.STOPPED."""

    CODE = Tasker.Error.STOPPED


@_public
class Aborted(_End):
    """The task was aborted; a GLib.Error with Tasker.Error.ABORTED."""

    CODE = Tasker.Error.ABORTED


def _as_end(error):
    """Returns what a GLib.Error is here, itself if it says nothing of a stop."""
    for end in (Stopped, Aborted):
        if error.matches(Tasker.Error.quark(), end.CODE):
            return end(error.message)
    return error


def _deadlock_error():
    """Makes what C says of such a wait, if it is C's."""
    return GLib.Error.new_literal(Tasker.Error.quark(), 'A wait that could never end, for it is '
                                  'inside of what it waits for', Tasker.Error.DEADLOCK)


def _raise_all(errors, always_group=False):
    """Raises what tasks have failed with, and empties the list.

    The exceptions have the frames of this and of who has called it in their
    tracebacks: nothing in these may lead to them, nor to the group that keeps them.
    """
    try:
        for error in errors:
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                raise error
        group = getattr(builtins, 'BaseExceptionGroup', None)
        if errors and (group is None or (len(errors) == 1 and not always_group)):
            raise errors[0]
        if errors:
            raise group('tasks of the group have failed', errors) from None
    finally:
        errors.clear()
        error = None


@override
class Stopper(Tasker.Stopper):
    """Says when to stop: a Gio.Cancellable that can also be slept on."""

    async def _sleep_async(self, seconds):
        if await waits.await_stop(self, seconds):
            raise waits.cancelled_error()

    def sleep(self, seconds):
        """Sleeps, but not beyond the stop: then it raises Gio.IOErrorEnum.CANCELLED.

        In a coroutine it is awaited, elsewhere it blocks.
        """
        if waits.running_loop() is not None:
            return self._sleep_async(seconds)
        if waits.is_main_thread():
            if waits.sleep(self, seconds):
                raise waits.cancelled_error()
            return None
        Tasker.Stopper.sleep(self, max(0, round(seconds * 1000)))
        return None

    async def _wait_stopped_async(self):
        await waits.await_stop(self, None)

    def wait_stopped(self):
        """Waits for the stop. In a coroutine it is awaited, elsewhere it blocks."""
        if waits.running_loop() is not None:
            return self._wait_stopped_async()
        if waits.is_main_thread():
            waits.sleep(self, None)
            return None
        return Tasker.Stopper.wait(self)

    async def yield_now(self):
        """Lets everything else on the loop have its turn, the redrawing of windows too.

        Raises Gio.IOErrorEnum.CANCELLED after the stop.
        """
        await waits.yield_to_loop()
        if self.is_cancelled():
            raise waits.cancelled_error()


Stopper = _public(Stopper)


@override
class Task(Tasker.Task):
    """One unit of work: what its function obeys, and what others hold on to.

    It can be awaited, any number of times and from any loop, and gives what its
    function returned or raises what that raised.
    """

    name = _read_property('name', 'What the task is called, or None.')
    priority, set_priority = _early_property('priority', 'When its turn comes.')
    run_always, set_run_always = _early_property('run-always', 'Whether it is run even after the '
                                                 'stop.')
    release_in_context, set_release_in_context = _early_property(
        'release-in-context', 'Whether its data is released in the home context.')
    state = _read_property('state', 'Where it is on its way.')

    @property
    def progress(self):
        """How far it is, from 0 to 1."""
        return self.get_property('progress')

    @progress.setter
    def progress(self, value):
        self.set_progress(value, self.progress_message)

    @property
    def progress_message(self):
        """What it is at, for people, or None."""
        return self.get_property('progress-message')

    @progress_message.setter
    def progress_message(self, value):
        self.set_progress(self.progress, value)

    def set_progress(self, progress, message=None):
        """Says how far it is, from 0 to 1, and what it is at."""
        if not 0 <= progress <= 1:
            raise ValueError(f'progress goes from 0 to 1, and is not {progress}')
        Tasker.Task.set_progress(self, progress, message)

    def __repr__(self):
        return f'<Tasker.Task {self.name or "without a name"!r}: {self.state.value_nick}>'

    @property
    def value(self):
        """What its function has returned, or what was set before that."""
        outcome = jobs.get_outcome(self)
        return self.get_value() if outcome is None else outcome.value

    def set_value(self, value):
        """Keeps any object as the value; the function's result goes before it."""
        if not self.is_finished():
            jobs.keep_value(self, value)

    @property
    def error(self):
        """What it has failed with: an exception, or None."""
        outcome = jobs.get_outcome(self)
        return self.get_error() if outcome is None else outcome.error

    @staticmethod
    def get_current():
        """Returns the task that the caller is inside of, or None."""
        job = jobs.get_current()
        return Tasker.Task.get_current() if job is None else job.task

    def cancel(self):
        """Asks this task alone to end.

        One that create_task() made has no way to hear of that, and gets a
        CancelledError instead.
        """
        Gio.Cancellable.cancel(self)
        job = jobs.of_key.get(_get_key(self, _COROUTINES))
        if job is not None and job.is_deaf:
            waits.outbox_of(job.loop).post(job.cancel)

    def abort(self):
        """Aborts this task alone: a coroutine gets a CancelledError at its next await."""
        self._check_added()
        return Tasker.Task.abort(self)

    def _claim_completion(self):
        mark = object()
        if self.is_finished() or self.__dict__.setdefault('_completed', mark) is not mark:
            raise asyncio.InvalidStateError('the task was completed before, and can be only once')

    def complete(self):
        """Ends an async task as succeeded, in any thread."""
        self._claim_completion()
        Tasker.Task.complete(self)

    def complete_error(self, error):
        """Ends an async task as failed, in any thread."""
        self._claim_completion()
        Tasker.Task.complete_error(self, error)

    def _check_added(self):
        if self.get_state() == Tasker.TaskState.NEW:
            raise RuntimeError('the task has not been added to a group')

    def _get_result(self):
        """The task has ended: returns its value, or raises."""
        if _has_succeeded(self):
            return self.value
        outcome = jobs.get_outcome(self)
        try:
            _join_task(self, None)
        except GLib.Error as error:
            failure = error
        # Outside of the handler, for that would be the context of the exception.
        try:
            if outcome is not None and outcome.error is not None:
                raise outcome.take()
            raise _as_end(failure)
        finally:
            # The exception has this frame in its traceback.
            self = outcome = failure = None

    def _wait(self, cancellable):
        """Blocks until the task has ended, however it did."""
        try:
            Tasker.Task.join(self, cancellable)
        except GLib.Error:
            if not self.is_finished():
                raise

    def _block(self, timeout):
        """Waits; a signal that raises stops the group, a second one aborts it."""
        try:
            waits.block(self._wait, timeout)
        except (GLib.Error, TimeoutError):
            raise
        except BaseException:
            signaller = self.create_signaller()
            signaller.stop()
            try:
                waits.block(self._wait)
            except BaseException:
                signaller.abort()
                raise
            raise

    def result(self, timeout=None):
        """Waits, and returns what the function returned or raises what it raised.

        A task that was stopped or aborted raises Stopped or Aborted. TimeoutError
        is raised when the time is up, in seconds.
        """
        # As a rule that is all, and each further call of C's costs time.
        if _has_succeeded(self):
            return self.value
        if not self.is_finished():
            self._check_added()
            if waits.running_loop() is not None:
                raise asyncio.InvalidStateError('the task has not ended; where a loop runs, '
                                                'await it')
            self._block(timeout)
        try:
            return self._get_result()
        finally:
            self = None

    def join(self):
        """Waits until the task has ended, and raises unless it succeeded.

        In a coroutine it is awaited, elsewhere it blocks.
        """
        if waits.running_loop() is not None:
            return self._join_async()
        self.result()

    async def _join_async(self):
        await self

    async def _await(self):
        if not self.is_finished():
            self._check_added()
            job = jobs.of_key.get(_get_key(self, _COROUTINES))
            if job is not None and job is jobs.get_current():
                raise _deadlock_error()
            if job is not None and job.loop is asyncio.get_running_loop():
                await job.wait()
            if not self.is_finished():
                await waits.bridge.wait(self._begin_join, _finish_nothing)
        try:
            return self._get_result()
        finally:
            self = None

    def _begin_join(self, cancellable, callback):
        Tasker.Task.join_async(self, cancellable, callback)

    def __await__(self):
        return self._await().__await__()


Task = _public(Task)


_join_task = Tasker.Task.join


def _finish_nothing(result):
    """For a wait of which only the end matters."""


_spawn_owned = Tasker.Group.spawn_owned
_new_owned_task = Tasker.Task.new_owned
_get_key = Tasker.Task.get_key
_has_succeeded = Tasker.Task.has_succeeded
_set_priority = Tasker.Task.set_priority
_add = Tasker.Group.add
_is_finished = Tasker.Group.is_finished
jobs.complete, jobs.complete_error = Tasker.Task.complete, Tasker.Task.complete_error
# Our numbers as the owner of coroutines, and of calls.
_COROUTINES = Tasker.register_external_owner(jobs.tell)
_CALLS = Tasker.register_worker_owner(jobs.run_calls)
_DEFAULT = GLib.PRIORITY_DEFAULT
jobs.worker_begin = threads.find_function('tasker_worker_begin')
jobs.worker_next = threads.find_function('tasker_worker_next')


def _refuse_loop():
    """For what blocks, and has another form to be awaited."""
    if waits.running_loop() is not None:
        raise RuntimeError('"for" would block the loop that runs in this thread; use "async for"')


def _take(tasks):
    """What was collected is its taker's affair."""
    for task in tasks:
        outcome = jobs.get_outcome(task)
        if outcome is not None:
            outcome.take()
    return tasks


@override
class JoinStream(Tasker.JoinStream):
    """The tasks of a group as they end: "for" and "async for" take each one.

    It is also a Gio.ListModel, with len() and indexing.
    """

    def __iter__(self):
        return self

    def __next__(self):
        _refuse_loop()
        task = waits.block(lambda cancellable: Tasker.JoinStream.next(self, cancellable))
        if task is None:
            raise StopIteration
        return _take((task,))[0]

    def __aiter__(self):
        return _AsyncStream(self._group)


JoinStream = _public(JoinStream)


class _AsyncStream:
    """Takes tasks for asyncio, from a stream that belongs to the bridge's thread."""

    def __init__(self, group):
        self._group = group
        self._stream = None

    def _begin(self, cancellable, callback):
        if self._stream is None:
            self._stream = Tasker.Group.join_stream(self._group)
        Tasker.JoinStream.next_async(self._stream, cancellable, callback)

    def _finish(self, result):
        return Tasker.JoinStream.next_finish(self._stream, result)

    def __aiter__(self):
        return self

    async def __anext__(self):
        self._group._refuse_inside()
        returned = self._group._get_crew().returned
        if returned:
            return _take((returned.pop(0),))[0]
        task = await waits.bridge.wait(self._begin, self._finish, self._on_lost)
        if task is None:
            raise StopAsyncIteration
        return _take((task,))[0]

    def _on_lost(self, task):
        # It is for whoever takes results next, for this one may be gone.
        if task is not None:
            self._group._get_crew().returned.append(task)

    def __del__(self):
        if self._stream is not None:
            waits.bridge.call(_drop, [self._stream])


def _drop(stream):
    """Lets go of a stream in its own thread."""
    stream.clear()


@override
class Group(Tasker.Group):
    """Tasks that are stopped and joined together.

    In a "with" statement, or "async with" in a coroutine, the group is joined
    when the body is left; an exception in the body stops it first. What tasks
    have failed with, and nobody was told of, is raised then: one exception
    itself, several as an ExceptionGroup.

    With stop_on_error=True it acts as asyncio.TaskGroup: the first failure stops
    the group, cancels its coroutines and the body, and all failures are raised
    as an ExceptionGroup.
    """

    name = _read_property('name', 'What the group is called, or None.')
    progress = _read_property('progress', 'How far all of it is, from 0 to 1.')
    max_running = _property('max-running', 'How many tasks run at once; 0 is no bound.')
    max_queued = _property('max-queued', 'How many tasks wait at most; 0 is no bound.')
    abort_on_drop = _property('abort-on-drop', 'Whether the group is aborted with its last handle.')
    ordered_shutdown = _property('ordered-shutdown', 'Whether groups below are shut down in turn.')
    stop_with_parent = _read_property('stop-with-parent', 'Whether it hears the stop of the parent.')

    def __init__(self, name=None, **properties):
        super().__init__(name=name, **properties)
        self._get_crew(properties.get('parent'))

    def __repr__(self):
        n_tasks = self.get_n_tasks()
        what = ', stopped' if self.is_stopped() else ''
        return (f'<Tasker.Group {self.name or "without a name"!r}: {n_tasks} '
                f'{"task" if n_tasks == 1 else "tasks"}{what}>')

    def __len__(self):
        """How many tasks live."""
        return self.get_n_tasks()

    def __bool__(self):
        return True

    @property
    def keep_results(self):
        """Whether what has ended is kept until it is taken."""
        return self.get_property('keep-results')

    @keep_results.setter
    def keep_results(self, value):
        self.set_property('keep-results', value)
        self._get_crew().keeps_failures = bool(value)

    @property
    def stop_on_error(self):
        """Whether the first failure stops the group; fixed once it is entered."""
        return self.get_property('stop-on-error')

    @stop_on_error.setter
    def stop_on_error(self, value):
        self.set_property('stop-on-error', value)
        self._get_crew().stop_on_error = bool(value)

    def set_keep_results(self, value):
        self.keep_results = value

    def set_stop_on_error(self, value):
        self.stop_on_error = value

    def _get_crew(self, parent=None):
        try:
            return self._crew
        except AttributeError:
            # This may have been made by other than a call of the class.
            self._cloned = False
            self._crew = jobs.Crew(self, None if parent is None else parent._get_crew())
            return self._crew

    def new_child(self, name=None):
        """Makes a group that is a task of this one."""
        self._check_open()
        child = Tasker.Group.new_child(self, name)
        child._get_crew(self)
        return child

    def clone(self):
        """Makes a further handle on the group; leaving its "with" finishes it."""
        clone = Tasker.Group.clone(self)
        clone._cloned = True
        clone._crew = self._get_crew()
        return clone

    # Adding tasks

    def _check_open(self):
        if _is_finished(self):
            raise RuntimeError('the group is finished, and takes no more tasks')

    def _check_new(self, task):
        if isinstance(task, Tasker.Task) and task.get_state() != Tasker.TaskState.NEW:
            raise RuntimeError('the task was added before, and can be only once')

    def add(self, task):
        """Adds a task that was made first, whether there is room or not."""
        self._check_open()
        self._check_new(task)
        _add(self, task)

    def try_add(self, task):
        """Adds a task if there is room."""
        self._check_new(task)
        return Tasker.Group.try_add(self, task)

    def add_wait(self, task, cancellable=None):
        """Adds a task as soon as there is room; blocks. spawn_wait() can be awaited."""
        self._check_new(task)
        return Tasker.Group.add_wait(self, task, cancellable)

    def spawn_local(self, name, func, *data):
        """Runs func(stopper, *data) in the main context again and again until it returns False."""
        self._check_open()
        Tasker.Group.spawn_local(self, name, func, *data)

    def _make(self, func, args, kwargs, name, priority):
        """Makes a task, and the job of a coroutine, to be registered when it is added."""
        crew = self._get_crew()
        name = name or getattr(func, '__name__', None)
        self._check_open()
        job = None
        if jobs.is_coroutine_function(func):
            job = jobs.CoroutineJob(crew, jobs.get_loop_for(func), func, args, kwargs)
            task = _new_owned_task(name, _COROUTINES, job.key)
        else:
            task = jobs.make_task([crew, func, args, kwargs, None], _new_owned_task, name, _CALLS)
        if priority != _DEFAULT:
            _set_priority(task, priority)
        return task, job

    def _begin(self, job, name):
        """Adds a coroutine, which begins now or when there is room."""
        # It may be aborted by the time that we have the task.
        jobs.of_key[job.key] = job
        try:
            task = _spawn_owned(self, name, _COROUTINES, job.key)
            if task is not None:
                job.register(task)
                job.begin(task)
                return task
            self._check_open()
            task = _new_owned_task(name, _COROUTINES, job.key)
        except BaseException:
            if job.task is None:
                del jobs.of_key[job.key]
            job.close()
            raise
        job.register(task)
        _add(self, task)
        return task

    def spawn(self, func, /, *args, name=None, priority=GLib.PRIORITY_DEFAULT, **kwargs):
        """Runs a function as a task of the group, and returns the task.

        The function is called with the task, and then the arguments. A coroutine
        function runs on the asyncio loop of the caller, any other one in a worker
        thread. It never blocks, and is never refused for want of room.
        """
        if priority != _DEFAULT:
            task, job = self._make(func, args, kwargs, name, priority)
            if job is not None:
                job.register(task)
            _add(self, task)
            return task
        crew = self._get_crew()
        name = name or getattr(func, '__name__', None)
        if is_coroutine_function(func):
            job = jobs.CoroutineJob(crew, jobs.get_loop_for(func), func, args, kwargs)
            return self._begin(job, name)
        call = [crew, func, args, kwargs, None]
        call[4] = task = make_task(call, _spawn_owned, self, name, _CALLS)
        if task is None:
            self._check_open()
        return task

    def create_task(self, coro, *, name=None, context=None):
        """Runs a coroutine as a task of the group, as asyncio.TaskGroup does."""
        if not inspect.iscoroutine(coro):
            raise TypeError(f'create_task() needs a coroutine, not {type(coro).__name__}; '
                            'spawn() takes functions')
        try:
            loop = asyncio.get_running_loop()
            if self.is_stopped():
                raise RuntimeError('the group was stopped, and begins no more tasks')
        except RuntimeError:
            coro.close()
            raise
        options = {} if context is None else {'context': context}
        job = jobs.CoroutineJob(self._get_crew(), loop, None, (), options, coro)
        return self._begin(job, name or coro.__name__)

    def spawn_wait(self, func, /, *args, name=None, priority=GLib.PRIORITY_DEFAULT, **kwargs):
        """As spawn(), but waits until there is room for the task.

        With max_queued, a producer goes at the group's pace. In a coroutine it is
        awaited, elsewhere it blocks. Raises Stopped or Aborted once the group is.
        """
        self._check_open()
        task, job = self._make(func, args, kwargs, name, priority)
        if waits.running_loop() is not None:
            return self._add_wait_async(task, job)
        waits.block(lambda cancellable: self._name_end(Tasker.Group.add_wait, self, task,
                                                       cancellable))
        return task

    @staticmethod
    def _name_end(function, *args):
        """Has the stop of a group raised as what it is called here."""
        try:
            return function(*args)
        except GLib.Error as error:
            raise _as_end(error) from None

    def _begin_add_wait(self, task, job, cancellable, callback):
        if not cancellable.is_cancelled():
            Tasker.Group.add_wait_async(self, task, cancellable, callback)
        elif job is not None:
            # Where there is room by now C would add it, for one who has gone.
            job.unregister()

    def _finish_add_wait(self, job, result):
        """Says whether the task was added, also if nobody waits for that any more."""
        try:
            self._name_end(Tasker.Group.add_wait_finish, self, result)
        except GLib.Error:
            if job is not None:
                job.unregister()
            raise

    async def _add_wait_async(self, task, job):
        if job is not None:
            job.register(task)
        await waits.bridge.wait(
            lambda cancellable, callback: self._begin_add_wait(task, job, cancellable, callback),
            lambda result: self._finish_add_wait(job, result))
        return task

    # Stopping

    def stop_on_signal(self, signum):
        """Has a signal stop the group, and the next one abort it, until it is joined.

        Meanwhile Python's handler is not called: Ctrl+C raises no KeyboardInterrupt.
        """
        Tasker.Group.stop_on_signal(self, signum)
        waits.add_watcher(self, signum)

    # Joining

    def _get_failure(self, function, *args):
        """Calls what waits for the group; returns the failure that C tells of.

        A task may have failed with what could as well be said of the wait. The last
        argument cancels that, or is its result.
        """
        try:
            function(self, *args)
        except GLib.Error as error:
            domain = Tasker.Error.quark()
            if error.matches(domain, Tasker.Error.TIMED_OUT) and self.get_n_tasks() > 0:
                raise TimeoutError(error.message) from None
            if error.matches(domain, Tasker.Error.DEADLOCK) and Tasker.Task.get_current():
                raise
            if isinstance(args[-1], Gio.Cancellable) and args[-1].is_cancelled():
                raise
            return error
        return None

    def _wait(self, cancellable):
        return self._get_failure(Tasker.Group.join, cancellable)

    def _block(self, wait, timeout=None):
        """Blocks in wait(); a signal that raises stops the group, a second one aborts it."""
        try:
            return waits.block(wait, timeout)
        except (GLib.Error, TimeoutError):
            raise
        except BaseException:
            self.stop()
            try:
                waits.block(self._wait)
            except BaseException:
                self.abort()
                raise
            raise

    def _refuse_inside(self):
        """Refuses to have a coroutine wait for the group that it is a task of, or one above."""
        job = jobs.get_current()
        crew = None if job is None else job.crew
        while crew is not None:
            if crew is self._get_crew():
                raise _deadlock_error()
            crew = crew.parent

    async def _wait_async(self):
        return await waits.bridge.wait(
            lambda cancellable, callback: Tasker.Group.join_async(self, cancellable, callback),
            lambda result: self._get_failure(Tasker.Group.join_finish, result))

    def _list_first(self, error):
        """Returns the first failure as a list, the exception itself if it is Python's."""
        if error is None:
            return []
        crew = self._get_crew()
        if not crew.knows(error):
            return [error]
        return [failure.tell() for failure in crew.list_failures() if not failure.taken][:1]

    def join(self, timeout=None):
        """Finishes this handle, waits for all tasks, and raises the first failure.

        In a coroutine it is awaited, elsewhere it blocks. TimeoutError is raised
        when the time is up, in seconds.
        """
        if waits.running_loop() is not None:
            return self._join_async(timeout)
        errors = self._list_first(self._block(self._wait, timeout))
        self = None
        _raise_all(errors)

    async def _join_async(self, timeout):
        self._refuse_inside()
        try:
            failure = await asyncio.wait_for(self._wait_async(), timeout)
        except asyncio.TimeoutError:
            # Until Python 3.10 that is another class.
            raise TimeoutError from None
        errors = self._list_first(failure)
        self = failure = None
        _raise_all(errors)

    def shutdown(self, grace):
        """Finishes this handle, stops the group, and waits for at most so many seconds.

        What still runs when the time is up is aborted. TimeoutError is raised if a
        function does not return even so. In a coroutine it is awaited, elsewhere it
        blocks.
        """
        grace_ms = max(0, round(grace * 1000))
        if waits.running_loop() is not None:
            return self._shutdown_async(grace_ms)
        errors = self._list_first(self._block(
            functools.partial(self._get_failure, Tasker.Group.shutdown, grace_ms)))
        self = None
        _raise_all(errors)

    async def _shutdown_async(self, grace_ms):
        self._refuse_inside()
        errors = self._list_first(await waits.bridge.wait(
            functools.partial(Tasker.Group.shutdown_async, self, grace_ms),
            functools.partial(self._get_failure, Tasker.Group.shutdown_finish)))
        self = None
        _raise_all(errors)

    def collect(self):
        """Finishes this handle, waits for all tasks, and returns those not taken yet.

        In a coroutine it is awaited, elsewhere it blocks.
        """
        if waits.running_loop() is not None:
            return self._collect_async()
        tasks = self._block(lambda cancellable: Tasker.Group.collect(self, cancellable))
        return _take(self._get_crew().take_returned(tasks))

    async def _collect_async(self):
        self._refuse_inside()
        crew = self._get_crew()
        tasks = await waits.bridge.wait(
            lambda cancellable, callback: Tasker.Group.collect_async(self, cancellable, callback),
            lambda result: Tasker.Group.collect_finish(self, result),
            lost=lambda tasks: crew.returned.extend(tasks))
        return _take(crew.take_returned(tasks))

    def poll_collect(self):
        """Returns the tasks that have ended and were not taken yet."""
        return _take(self._get_crew().take_returned(Tasker.Group.poll_collect(self)))

    def join_stream(self):
        """Finishes this handle, and gives the tasks one by one, as they end."""
        stream = Tasker.Group.join_stream(self)
        stream._group = self
        return stream

    # "with"

    def _list_failures(self, error, all=False):
        """Returns what nobody was told of, or all, after the join."""
        crew = self._get_crew()
        known = error is None or crew.knows(error)
        return crew.take_failures(all) + ([] if known else [error])

    def __enter__(self):
        if waits.running_loop() is not None:
            raise RuntimeError('leaving the "with" would block the loop that runs in this thread; '
                               'use "async with"')
        self._get_crew()
        return self

    def __exit__(self, kind, error, trace):
        self.finish()
        if self._cloned:
            return
        if kind is not None:
            self.stop()
        failure = self._block(self._wait)
        if kind is None:
            errors, always_group = self._list_failures(failure), self._crew.stop_on_error
            self = failure = None
            _raise_all(errors, always_group)

    async def __aenter__(self):
        crew = self._get_crew()
        if not self._cloned:
            self._refuse_inside()
            crew.body = jobs.Body(self, crew)
        return self

    async def __aexit__(self, kind, error, trace):
        if self._cloned:
            self.finish()
            return
        crew = self._crew
        body = crew.body
        body.leaving = True
        cancelled = error if kind is not None and issubclass(kind, asyncio.CancelledError) else None
        if body.is_ours():
            cancelled = None
        if kind is not None:
            self.stop()
            if cancelled is not None or crew.stop_on_error:
                crew.cancel_coroutines()
        while True:
            try:
                await body.drain()
                failure = await self._wait_async()
                break
            except asyncio.CancelledError as again:
                cancelled = again
                self.stop()
                crew.cancel_coroutines()
        crew.body = None
        errors, always_group = self._list_reasons(error, cancelled, failure)
        if always_group:
            body.cancel_again()
        self = crew = body = error = trace = cancelled = failure = None
        _raise_all(errors, always_group)

    def _list_reasons(self, error, cancelled, failure):
        """All tasks have ended: returns what is to be raised, and whether as a group."""
        if not self._crew.stop_on_error:
            if cancelled is not None:
                return [] if cancelled is error else [cancelled], False
            return self._list_failures(failure) if error is None else [], False
        errors = self._list_failures(failure, all=True)
        if cancelled is not None and not errors:
            return [cancelled], False
        if error is not None and not isinstance(error, asyncio.CancelledError):
            errors.append(error)
        return errors, bool(errors)


Group = _public(Group)


def _check_stopper(stopper):
    if not isinstance(stopper, Gio.Cancellable):
        raise TypeError('a task, or another Gio.Cancellable, is needed to stop it, not '
                        f'{type(stopper).__name__}')


@_public
async def unless(awaitable, stopper):
    """Awaits something, unless the stop comes first.

    Then that is cancelled, and Gio.IOErrorEnum.CANCELLED is raised. Where both are
    there together the stop wins.
    """
    try:
        _check_stopper(stopper)
    except TypeError:
        if inspect.iscoroutine(awaitable):
            awaitable.close()
        raise
    operation = asyncio.ensure_future(awaitable)
    watch = waits.watch_of(stopper)
    stop = watch.add(asyncio.get_running_loop())
    try:
        if not stopper.is_cancelled():
            await asyncio.wait((operation, stop), return_when=asyncio.FIRST_COMPLETED)
        if not stopper.is_cancelled():
            return operation.result()
        await _cancel(operation)
        raise waits.cancelled_error()
    except asyncio.CancelledError:
        await _cancel(operation)
        raise
    finally:
        watch.remove(stop)
        operation = None


async def _cancel(operation):
    """Cancels an operation, and waits until it has cleaned up.

    If the one who waits is cancelled meanwhile, so is the operation once more.
    """
    cancelled = None
    while not operation.done():
        operation.cancel()
        try:
            await asyncio.wait((operation,))
        except asyncio.CancelledError as again:
            cancelled = again
    if not operation.cancelled():
        operation.exception()  # nobody else asks for it
    try:
        if cancelled is not None:
            raise cancelled
    finally:
        cancelled = None


@_public
async def take_until(iterable, stopper):
    """Goes through an async iterable, and ends with it or at the stop."""
    iterator = iterable.__aiter__()
    try:
        while True:
            try:
                item = await unless(iterator.__anext__(), stopper)
            except StopAsyncIteration:
                return
            except GLib.Error as error:
                if waits.is_cancelled_error(error) and stopper.is_cancelled():
                    return
                raise
            yield item
    finally:
        close = getattr(iterator, 'aclose', None)
        if close is not None:
            await close()


@_public
class interval:
    """Ticks at a fixed rate until the stop, for "for" and for "async for".

    The first tick comes after one interval, in seconds. Ticks that were missed are
    left out; each gives the number of intervals since the beginning.
    """

    def __init__(self, seconds, stopper):
        if seconds <= 0:
            raise ValueError('the interval has to be longer than nothing')
        _check_stopper(stopper)
        self._seconds = seconds
        self._stopper = stopper
        self._begin = time.monotonic()
        self._tick = 0

    def _get_delay(self):
        now = time.monotonic() - self._begin
        self._tick = max(self._tick + 1, math.floor(now / self._seconds) + 1)
        return max(0, self._tick * self._seconds - now)

    def __iter__(self):
        return self

    def __next__(self):
        _refuse_loop()
        if waits.sleep(self._stopper, self._get_delay()):
            raise StopIteration
        return self._tick

    def __aiter__(self):
        return self

    async def __anext__(self):
        if await waits.await_stop(self._stopper, self._get_delay()):
            raise StopAsyncIteration
        return self._tick
