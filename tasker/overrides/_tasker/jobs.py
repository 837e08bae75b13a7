# SPDX-License-Identifier: LGPL-2.1-or-later

"""What runs as a task: functions in worker threads, coroutines on a loop."""

import asyncio
import collections
import collections.abc
import contextlib
import contextvars
import dis
import functools
import inspect
import itertools
import sys
import threading
import traceback
import weakref

from gi.repository import Gio, GLib, Tasker

from . import threads, waits

# As C has them, without the checks for others. Set when the classes are there.
complete = complete_error = None

# What C knows of an exception is a text in this domain.
ERROR_DOMAIN = 'python-exception-quark'

# The coroutines that have not ended, by the key that C knows. What is kept in an
# object of GObject's has the object ask for the interpreter's lock with every
# reference, so these are not.
of_key = {}
of_runner = {}  # by the asyncio task that runs it


# A key is not used again, for C may tell of a coroutine that has just ended.
_keys = itertools.count(1)


class Outcome:
    """What a function returned, or raised.

    As long as the group keeps the task, C does, and the collector of garbage
    cannot look through that: whoever catches an exception has it refer to his
    frame, and so perhaps to the group. So then the outcome belongs to the crew,
    and the task knows it weakly; and after the crew it belongs to the task.
    """

    __slots__ = ('value', '__weakref__')

    error = None

    def __init__(self, value):
        self.value = value

    def take(self):
        """Somebody has collected the task."""


class Failure(Outcome):
    """What a function raised."""

    __slots__ = ('error', 'taken', 'told', 'crew', '_trace')

    def __init__(self, error):
        super().__init__(None)
        self.error = error
        self.taken = False  # by somebody who has awaited or collected the task
        self.told = False  # to somebody who has joined the group
        self.crew = None  # a weak reference to who keeps it for that
        self._trace = error.__traceback__

    def take(self):
        """Somebody takes it; returns the exception, to be raised."""
        self.taken = True
        crew = None if self.crew is None else self.crew()
        if crew is not None:
            crew.on_taken(self)
        return self._renew()

    def tell(self):
        """Somebody has joined; returns the exception, to be raised."""
        self.told = True
        return self._renew()

    def _renew(self):
        # Who was told before has added his frames to the traceback, and they are not
        # those of the next one.
        return self.error.with_traceback(self._trace)


class _Place:
    """Where a task has its outcome, or knows it weakly.

    It is put on a task, and lives as long as that does: the Python object that stands
    for a task may go and another one take its place, but what is set on it stays.
    """

    __slots__ = ('outcome', '__weakref__')

    def __init__(self, outcome):
        self.outcome = outcome


def get_outcome(task):
    """Returns the outcome of a task, or None."""
    place = getattr(task, '_place', None)
    if place is None:
        return None
    outcome = place.outcome
    return outcome() if isinstance(outcome, weakref.ref) else outcome


def keep_value(task, value):
    """Keeps a value for a task whose group is not known."""
    task._place = _Place(Outcome(value))


# The first failure of a group is one, in whatever threads they come.
_keeping = threading.RLock()


def _describe_error(error):
    return error.domain, error.code, error.message


class Crew:
    """What all handles of a group share in Python."""

    def __init__(self, group, parent):
        self.signaller = group.create_signaller()
        self.parent = parent  # the crew of the group that this one is a task of
        self.keeps_failures = group.get_property('keep-results')
        self.stop_on_error = group.get_property('stop-on-error')
        self.failures = {}  # those that nobody has taken, in the order in which they came
        self.known_errors = set()  # what C may tell of, and Python has told
        self.outcomes = weakref.WeakKeyDictionary()  # by their places
        self.jobs = {}  # coroutines that have not ended, by their keys
        self.body = None  # if asyncio is in an "async with" of the group
        self.returned = []  # tasks that were taken for one who was cancelled
        self.children = weakref.WeakValueDictionary()  # crews of groups that are tasks of it
        threads.crews.add(self)
        if parent is not None:
            parent.children[id(self)] = self

    def __del__(self):
        # Its group is gone, and C does not keep the tasks any more.
        for place, outcome in list(self.outcomes.items()):
            place.outcome = outcome
        if self.parent is not None:
            self.parent.inherit(self)

    def inherit(self, child):
        """A group that was a task of this one is gone."""
        self.known_errors |= child.known_errors
        for failure in child.failures:
            if not failure.taken and not failure.told:
                self._keep_failure(failure)

    def keep(self, task, outcome):
        """A task has this outcome; in any thread."""
        task._place = place = _Place(weakref.ref(outcome))
        self.outcomes[place] = outcome

    def _keep_failure(self, failure):
        with _keeping:
            if self.keeps_failures or not self.failures:
                failure.crew = weakref.ref(self)
                self.failures[failure] = None

    def add_failure(self, failure):
        """A task has failed; in any thread."""
        self._keep_failure(failure)
        if not self.known_errors and isinstance(failure.error, GLib.Error):
            self.known_errors.add(_describe_error(failure.error))
        if self.stop_on_error:
            self.signaller.stop()
            body = self.body
            if body is not None:
                body.outbox.post(body.interrupt)

    def on_taken(self, failure):
        """Somebody else has this failure now."""
        # As in asyncio.TaskGroup, what was awaited counts there all the same.
        if not self.stop_on_error:
            self.failures.pop(failure, None)

    def list_failures(self):
        """Returns the failures of this group and of those below."""
        failures = list(self.failures)
        for child in list(self.children.values()):
            failures += child.list_failures()
        return failures

    def knows(self, error):
        """Tells whether what C says of a failure is about one of Python's, be it taken."""
        return error.domain == ERROR_DOMAIN or any(
            (domain, code) == (error.domain, error.code) and error.message.endswith(message)
            for domain, code, message in self._list_known_errors())

    def _list_known_errors(self):
        # As long as C keeps a task its outcome is there, and C keeps the first failure.
        errors = {_describe_error(outcome.error) for outcome in list(self.outcomes.values())
                  if isinstance(outcome.error, GLib.Error)}
        errors |= self.known_errors
        for child in list(self.children.values()):
            errors |= child._list_known_errors()
        return errors

    def take_failures(self, all=False):
        """Returns the errors that nobody has been told of, or all; they are told now."""
        errors = [failure.tell() for failure in list(self.failures)
                  if all or not (failure.taken or failure.told)]
        for child in list(self.children.values()):
            errors += child.take_failures()
        return errors

    def take_returned(self, tasks):
        """Returns what was given back, and the tasks after it."""
        returned, self.returned = self.returned, []
        return returned + list(tasks)

    def cancel_coroutines(self):
        """Ends what does not listen to the stop; in a coroutine."""
        loop = asyncio.get_running_loop()
        for job in list(self.jobs.values()):
            if job.loop is loop:
                job.cancel_once()
            else:
                waits.outbox_of(job.loop).post(job.cancel_once)


def _on_stopped(body):
    if body is not None:
        body.outbox.post(body.look_for_failure)


class Body:
    """The body of an "async with" of a group, and who runs it."""

    def __init__(self, group, crew):
        self.crew = crew
        self.outbox = waits.outbox_of(asyncio.get_running_loop())
        self.runner = asyncio.current_task()
        self.leaving = False
        self.interrupted = False
        self._drained = None
        if crew.stop_on_error:
            # A task that Python has not made may fail, too.
            self._group = weakref.ref(group)
            self._stopper = group.create_stopper()
            myself = weakref.ref(self)
            waits.on_cancelled(self._stopper, lambda *unused: _on_stopped(myself()))

    def look_for_failure(self):
        """The group was stopped, perhaps by a failure; on the loop."""
        group = self._group()
        if group is not None and group.get_counts().n_failed > 0:
            self.interrupt()

    def on_left(self):
        """A coroutine has ended, perhaps the last one; perhaps in another thread."""
        drained = self._drained
        if drained is not None and not self.crew.jobs:
            self.outbox.post(waits.set_done, drained)

    async def drain(self):
        """Waits until no coroutine is there, which could still spawn others."""
        while self.crew.jobs:
            self._drained = asyncio.get_running_loop().create_future()
            if self.crew.jobs:
                await self._drained

    def interrupt(self):
        """A task has failed, and with it all of them; on the loop."""
        if self.crew.body is not self:
            return
        self.crew.cancel_coroutines()
        if not self.leaving and not self.interrupted:
            self.interrupted = True
            self.runner.cancel()

    def is_ours(self):
        """Tells whether the cancellation of the body was this one alone."""
        if not self.interrupted:
            return False
        uncancel = getattr(self.runner, 'uncancel', None)
        return uncancel is None or uncancel() == 0


    def cancel_again(self):
        """Has a cancellation from outside come at the next await, for failures go first."""
        cancelling = getattr(self.runner, 'cancelling', None)
        if cancelling is not None and cancelling() > 0:
            self.runner.uncancel()
            self.runner.cancel()


def _related(error):
    """Yields an exception and those that it came from or is made of."""
    seen = set()
    waiting = [error]
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        waiting += [error.__cause__, error.__context__, *getattr(error, 'exceptions', ())]


_GENERATORS = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_YIELD_VALUE = dis.opmap['YIELD_VALUE']
_YIELD_FROM = dis.opmap.get('YIELD_FROM')  # until Python 3.10


def _may_go_on(frame):
    """Tells whether a frame may be that of a generator or coroutine that goes on.

    It may have caught the exception before others did. Until Python 3.12, to
    clear such a frame closes what it belongs to; later ones refuse to.
    """
    code = frame.f_code
    if sys.version_info >= (3, 13) or not code.co_flags & _GENERATORS:
        return False
    last, *following = code.co_code[frame.f_lasti:frame.f_lasti + 4:2]
    return last == _YIELD_VALUE or following == [_YIELD_FROM]


def release_frames(error):
    """Clears the frames of a traceback that are not run any more.

    The function's own has the task in it, which has the exception, which has
    the traceback.
    """
    for each in _related(error):
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if not _may_go_on(frame):
                with contextlib.suppress(RuntimeError):
                    frame.clear()


def to_gerror(error):
    """Makes of an exception what C can keep of it."""
    if isinstance(error, GLib.Error):
        return GLib.Error(error.message, error.domain, error.code)
    try:
        text = f'{type(error).__name__}: {error}'
    except Exception:
        text = type(error).__name__
    text = text.encode('utf-8', 'replace').decode().replace('\0', '\N{REPLACEMENT CHARACTER}')
    return GLib.Error(text, ERROR_DOMAIN, 0)


def _is_end(error, task):
    """Tells whether a function ended so because its task was asked to."""
    return ((isinstance(error, asyncio.CancelledError) or waits.is_cancelled_error(error)) and
            task.is_cancelled())


def _keep(task, crew, error):
    """Keeps what a task failed with, and returns what C is to know of it."""
    if _is_end(error, task):
        return waits.cancelled_error()
    release_frames(error)
    failure = Failure(error)
    crew.keep(task, failure)
    crew.add_failure(failure)
    return to_gerror(error)


# Functions of the library's, which are looked for when that is there.
worker_begin = worker_next = None


def make_task(call, make, *args):
    """Has C make a task of a call; make() is given its arguments and the key of the
    call, and may return None.

    A call is [crew, func, args, kwargs, None]. The task is put in the place of the
    None once C has it for good: to look for it would take longer than the call.
    """
    key = id(call)
    threads.queued[key] = call
    task = None
    try:
        task = make(*args, key)
    finally:
        if task is None:
            threads.queued.pop(key, None)
    return task


def _run(call, task):
    """Calls a function; returns what C is to know of its failure, or None."""
    crew, func, args, kwargs, known = call
    # It may begin before spawn() has got its task.
    task = known or task or Tasker.Task.get_current()
    try:
        value = func(task, *args, **kwargs)
        if value is not None:
            if isinstance(value, collections.abc.Coroutine):
                value.close()
                raise TypeError(f'{describe(func)} returned a coroutine in a worker thread; '
                                'give spawn() an async function to have it run on the loop')
            crew.keep(task, Outcome(value))
    except BaseException as error:
        error.__traceback__ = error.__traceback__.tb_next or error.__traceback__
        return _keep(task, crew, error)
    finally:
        # The frame of the function, which the traceback has, has this one.
        call = task = crew = func = args = kwargs = known = value = None
    return None


def run_calls(task, key):
    """What C has a worker thread run: a call, and then those that are at hand.

    What a call had is let go of before C is told that it has ended.
    """
    if task is None:
        threads.queued.pop(key, None)
        return True
    if not threads.is_attached():
        threads.attach(Tasker.worker_at_idle)
    thread = threading.get_ident()
    threads.running.add(thread)
    try:
        worker_begin()
        while key:
            failure = _run(threads.queued.pop(key), task)
            if failure is not None:
                raise failure
            task = None
            key = worker_next()
        return True
    finally:
        threads.running.discard(thread)
        task = failure = None


class _Starter:
    """Starts coroutines on a loop, some in each iteration.

    So a loop that many are spawned on at once has time for other things between
    them, and most of them end before the last ones have begun.
    """

    BATCH = 100

    def __init__(self, loop):
        self._loop = weakref.ref(loop)
        self._jobs = collections.deque()

    def add(self, job):
        """Has a coroutine started."""
        if not self._jobs:
            self._loop().call_soon(self._start_some)
        self._jobs.append(job)

    def _start_some(self):
        for _ in range(min(self.BATCH, len(self._jobs))):
            self._jobs[0].start()
            self._jobs.popleft()
        if self._jobs:
            self._loop().call_soon(self._start_some)


_starters = weakref.WeakKeyDictionary()


def _starter_of(loop):
    """Returns that of the loop that runs in this thread."""
    starter = _starters.get(loop)
    if starter is None:
        starter = _starters[loop] = _Starter(loop)
        _LoopEnd().stay(loop)
    return starter


class _LoopEnd:
    """Ends the coroutines of a loop that is closed: it will not end them.

    Nobody is told when a loop is closed, but it drops its timers; and one of them
    is all that holds this.
    """

    # Main loops count milliseconds in 32 bits.
    SECONDS = 20 * 24 * 60 * 60

    def stay(self, loop):
        """Has the loop hold it for longer."""
        loop.call_later(self.SECONDS, self.stay, loop, context=contextvars.Context())

    def __del__(self):
        for job in list(of_key.values()):
            if job.loop.is_closed():
                job.bury()


class CoroutineJob:
    """A coroutine that runs on an asyncio loop as a task of a group.

    What create_task() was given has no function, and does not know of its task.
    All but is said on the loop.
    """

    __slots__ = ('crew', 'loop', 'func', 'args', 'kwargs', 'coroutine', 'key', 'task', 'starter',
                 'runner', 'begun', 'aborted', 'waiters')

    def __init__(self, crew, loop, func, args, kwargs, coroutine=None):
        self.crew = crew
        self.loop = loop
        self.func = func
        self.args = args
        self.kwargs = kwargs  # of create_task(), if there is no function
        self.coroutine = coroutine
        self.key = next(_keys)
        self.task = None
        self.starter = None
        self.runner = None
        self.begun = False
        self.aborted = False
        self.waiters = None

    @property
    def is_deaf(self):
        """Tells whether the coroutine has no way to hear that it is stopped."""
        return self.func is None

    def close(self):
        """Gives up a coroutine that was not begun."""
        if self.coroutine is not None:
            self.coroutine.close()
            self.coroutine = None

    def register(self, task):
        """It has a task now; on the loop."""
        self.task = task
        self.starter = _starter_of(self.loop)
        of_key[self.key] = self.crew.jobs[self.key] = self

    def unregister(self):
        """The task was not added after all; in any thread."""
        self._forget()

    def _forget(self):
        """Returns the task, unless another thread was first."""
        task = self.task
        if task is None or of_key.pop(self.key, None) is None:
            return None
        del self.crew.jobs[self.key]
        self.task = self.func = self.args = self.kwargs = None
        self.close()
        if self.crew.body is not None:
            self.crew.body.on_left()
        return task

    def begin(self, task):
        """Its turn has come; on the loop."""
        self.begun = True
        self.starter.add(self)

    def start(self):
        """Begins to run, soon after that."""
        task = self.task
        if self.aborted:
            self._end(waits.cancelled_error())
            return
        try:
            if self.coroutine is None:
                runner = self.loop.create_task(self.func(task, *self.args, **self.kwargs))
            else:
                runner = self.loop.create_task(self.coroutine, **self.kwargs)
        except BaseException as error:
            error.__traceback__ = error.__traceback__.tb_next or error.__traceback__
            self._end(_keep(task, self.crew, error))
            return
        self.coroutine = None
        self.runner = runner
        of_runner[runner] = self
        runner.add_done_callback(self._on_done)

    def cancel(self, *unused):
        """Ends the coroutine at its next await, or before it begins."""
        self.aborted = True
        if self.runner is not None:
            self.runner.cancel()

    def cancel_once(self):
        """Ends it, unless it is about to: what cleans up already is left to do so."""
        if not self.aborted:
            self.cancel()

    def abort(self, task):
        """C says so; or that its turn will not come."""
        if self.begun or self.task is None:
            self.cancel()
        elif self._forget() is not None:
            self._wake()

    def bury(self):
        """The loop was closed, so it has ended, whatever C knows; in any thread."""
        with _telling:
            task = self._forget()
            begun = self.begun
        if task is None:
            return
        of_runner.pop(self.runner, None)
        self.runner = self.waiters = None
        if begun:
            _give_up(task)
        else:
            task.abort()

    def _on_done(self, runner):
        self.runner = None
        del of_runner[runner]
        try:
            value = runner.result()
        except asyncio.CancelledError:
            # If nobody but asyncio knows of that, it was stopped all the same.
            if not self.task.is_cancelled():
                Gio.Cancellable.cancel(self.task)
            self._end(waits.cancelled_error())
        except BaseException as error:
            error.__traceback__ = error.__traceback__.tb_next or error.__traceback__
            self._end(_keep(self.task, self.crew, error))
        else:
            if value is not None:
                self.crew.keep(self.task, Outcome(value))
            self._end(None)

    def _end(self, failure):
        task = self._forget()
        if failure is None:
            complete(task)
        else:
            complete_error(task, failure)
        self._wake()

    def _wake(self):
        if self.waiters is not None:
            for waiter in self.waiters:
                waits.set_done(waiter)
            self.waiters = None

    async def wait(self):
        """Waits until it has ended."""
        if self.task is None:
            return
        waiter = self.loop.create_future()
        if self.waiters is None:
            self.waiters = set()
        self.waiters.add(waiter)
        try:
            await waiter
        finally:
            if self.waiters is not None:
                self.waiters.discard(waiter)


def get_current():
    """Returns the job of the coroutine that the caller is inside of, or None."""
    if waits.running_loop() is None:
        return None
    return of_runner.get(asyncio.current_task())


# Who buries a job sees whether C has told that it begins, or C is told by tell().
_telling = threading.RLock()


def _give_up(task):
    """Ends the task of a coroutine that nobody runs."""
    Gio.Cancellable.cancel(task)
    complete_error(task, waits.cancelled_error())


def tell(task, key, aborted):
    """What C tells of a coroutine's task, in any thread."""
    with _telling:
        job = of_key.get(key)
        if job is not None and not aborted:
            job.begun = True
    if job is None:
        if not aborted:
            # It was queued when its loop was closed.
            _give_up(task)
        return
    function = job.abort if aborted else job.begin
    if waits.running_loop() is job.loop:
        function(task)
    elif not waits.outbox_of(job.loop).post(function, task):
        job.bury()


def get_loop_for(func):
    """Returns the loop that an async function is to run on."""
    loop = waits.running_loop()
    if loop is None:
        raise RuntimeError(f'{describe(func)} is an async function, and no asyncio loop runs in '
                           'this thread; call spawn() from a coroutine')
    return loop


def describe(func):
    """Returns a function's name, for people."""
    while isinstance(func, functools.partial):
        func = func.func
    return getattr(func, '__qualname__', None) or repr(func)


_GENERATOR = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_COROUTINE = inspect.CO_COROUTINE


def is_coroutine_function(func):
    """Tells where a function is to run; raises TypeError if it is none."""
    try:
        flags = func.__code__.co_flags
    except AttributeError:
        flags = _look_closer(func)
    if flags & _GENERATOR:
        raise TypeError(f'{describe(func)} is a generator function, and calling it runs nothing; '
                        'give spawn() a function that goes through the generator')
    return flags & _COROUTINE


def _look_closer(func):
    """Returns the flags of what is not a plain function."""
    if inspect.iscoroutine(func):
        func.close()
        raise TypeError('spawn() calls the function itself: give it the async function and then '
                        'its arguments, or use create_task() for a coroutine')
    if not callable(func):
        raise TypeError(f'spawn() needs a function, not {type(func).__name__}')
    while isinstance(func, functools.partial):
        func = func.func
    if not inspect.isroutine(func) and not isinstance(func, type):
        func = type(func).__call__
    code = getattr(func, '__code__', None)
    return code.co_flags if code is not None else 0
