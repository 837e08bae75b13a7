# SPDX-License-Identifier: LGPL-2.1-or-later

"""Waiting: for a blocking call, so that Ctrl+C ends it, and for asyncio."""

import asyncio
import collections
import contextlib
import functools
import os
import signal
import sys
import threading
import weakref

from gi.repository import Gio, GLib, GObject

from . import threads


def is_cancelled_error(error):
    """Tells whether an exception is GIO's way to say that something was cancelled."""
    return (isinstance(error, GLib.Error) and
            error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))


def cancelled_error():
    """Makes the exception that says so."""
    return GLib.Error.new_literal(Gio.io_error_quark(), 'Operation was cancelled',
                                  Gio.IOErrorEnum.CANCELLED)


def running_loop():
    """Returns the asyncio loop that runs in this thread, or None."""
    return asyncio._get_running_loop()


def is_main_thread():
    """Tells whether this is the thread in which Python handles signals."""
    return threading.get_ident() == threading.main_thread().ident


async def yield_to_loop():
    """Lets all else that is ready on the running loop go first.

    Where that is a GLib loop, this is what has a lower priority as well.
    """
    loop = asyncio.get_running_loop()
    events = sys.modules.get('gi.events')
    if events is None or not isinstance(loop, events.GLibEventLoop):
        await asyncio.sleep(0)
        return
    future = loop.create_future()
    source = GLib.Idle(priority=GLib.PRIORITY_DEFAULT_IDLE)
    source.set_callback(lambda *unused: set_done(future) or GLib.SOURCE_REMOVE)
    source.attach(GLib.MainContext.ref_thread_default())
    try:
        await future
    finally:
        source.destroy()


# All that a handler can be set for.
_SIGNALS = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


_groups_by_signal = {}  # weak references to those that it stops


def add_watcher(group, number):
    """A group is stopped by a signal, until it is joined."""
    others = [other for other in _groups_by_signal.get(number, ()) if other() is not None]
    _groups_by_signal[number] = [*others, weakref.ref(group)]


def _is_watched(number):
    groups = [group() for group in _groups_by_signal.get(number, ())]
    return any(group is not None and (not group.is_finished() or group.get_n_tasks() > 0)
               for group in groups)


class _SignalWatch:
    """A thread that hears of signals while the main thread is inside of C.

    Python runs the handler of a signal in the main thread, and not before that
    returns to Python. So the wait that it is in has to be cancelled; the byte
    that Python writes for each signal wakes this thread to do it.
    """

    def __init__(self):
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._cancellable = None
        self._former = -1
        threading.Thread(target=self._run, name='tasker-signals', daemon=True).start()

    def _run(self):
        while True:
            numbers = os.read(self._reader, 64)
            # Whoever else wants to hear of signals, asyncio perhaps.
            if self._former >= 0:
                with contextlib.suppress(OSError):
                    os.write(self._former, numbers)
            cancellable = self._cancellable
            if cancellable is not None:
                cancellable.cancel()

    def call(self, wait, cancellable):
        """Calls wait(cancellable) so that a signal cancels it.

        The handlers of signals are called when it has returned, and not while its
        result is made into something of Python: an exception would be lost there.
        """
        handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        # What stops a group is not Python's: to set a handler would take it away.
        handlers = {number: handler for number, handler in handlers.items()
                    if callable(handler) and not _is_watched(number)}
        arrived = []
        before = self._cancellable, self._former
        former = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._cancellable = cancellable
        if former != self._writer:
            self._former = former
        try:
            for number in handlers:
                signal.signal(number, lambda *args: arrived.append(args))
            return wait(cancellable)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(former)
            self._cancellable, self._former = before
            for number, frame in arrived:
                handlers[number](number, frame)


_watch = None


def block(wait, timeout=None):
    """Calls wait(cancellable), which blocks, and returns what it returns.

    In the main thread Ctrl+C, and each other signal whose handler raises, ends
    it. TimeoutError is raised when the time is up, in seconds.
    """
    global _watch
    main = is_main_thread()
    if not main and timeout is None:
        return wait(None)
    if main and _watch is None:
        _watch = _SignalWatch()

    cancellable = Gio.Cancellable()
    rung = threading.Event()

    def ring():
        rung.set()
        cancellable.cancel()

    alarm = bridge.call_later(timeout, ring) if timeout is not None else None
    try:
        while True:
            try:
                return _watch.call(wait, cancellable) if main else wait(cancellable)
            except GLib.Error as error:
                if not is_cancelled_error(error) or not cancellable.is_cancelled():
                    raise
            # By now the handler of a signal has raised, if it does that. The alarm may
            # ring until here and is seen, or after this and cancels what follows.
            cancellable.reset()
            if rung.is_set():
                raise TimeoutError
    finally:
        if alarm is not None:
            alarm.destroy()


def on_cancelled(stopper, function):
    """Has a function called when the stopper is cancelled, in any thread; returns
    the number of the handler. g_cancellable_connect() is called "connect" as well."""
    return GObject.Object.connect(stopper, 'cancelled', function)


def sleep(stopper, seconds):
    """Sleeps until the stop, or so long, and returns whether it was the stop.

    In the main thread signals are heard meanwhile.
    """
    stopped = threading.Event()
    handler = on_cancelled(stopper, lambda *unused: stopped.set())
    try:
        if not stopper.is_cancelled():
            stopped.wait(seconds)
    finally:
        GObject.Object.disconnect(stopper, handler)
    return stopper.is_cancelled()


class _Outbox:
    """What other threads have for an asyncio loop, handed over in batches."""

    def __init__(self, loop):
        self._loop = weakref.ref(loop)
        self._calls = collections.deque()
        self._scheduled = False

    def post(self, function, *args):
        """Has the loop call a function; returns False if it was closed."""
        # Who delivers says first that he does, and then looks.
        self._calls.append((function, args))
        if self._scheduled:
            return True
        self._scheduled = True
        loop = self._loop()
        try:
            loop.call_soon_threadsafe(self._deliver)
        except (AttributeError, RuntimeError):
            self._scheduled = False
            self._calls.clear()
            return False
        return True

    def _deliver(self):
        self._scheduled = False
        for _ in range(len(self._calls)):
            function, args = self._calls.popleft()
            function(*args)


_outboxes = weakref.WeakKeyDictionary()


def outbox_of(loop):
    """Returns the outbox of a loop."""
    outbox = _outboxes.get(loop)
    if outbox is None:
        outbox = _outboxes.setdefault(loop, _Outbox(loop))
    return outbox


def _settle(future, lost, value, error):
    if future.cancelled():
        if error is None and lost is not None:
            lost(value)
    elif error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


def _settle_lost(future, lost):
    if future.exception() is None and lost is not None:
        lost(future.result())


def _on_ready(finish, outbox, future, lost, source, result, *unused):
    try:
        value = finish(result)
        if not outbox.post(_settle, future, lost, value, None) and lost is not None:
            lost(value)
    except Exception as error:
        outbox.post(_settle, future, None, None, error)
    finally:
        # The exception, or that which is the value, may have this frame.
        future = lost = value = None


def _begin(begin, cancellable, on_ready, outbox, future):
    try:
        begin(cancellable, on_ready)
    except Exception as error:
        outbox.post(_settle, future, None, None, error)
    finally:
        on_ready = future = None


class _Bridge:
    """A thread with a main context of its own, which waits for those who run
    asyncio, where there may be no GLib loop."""

    def __init__(self):
        self._lock = threading.Lock()
        self._context = None
        self._calls = collections.deque()
        self._scheduled = False

        self._thread = None
        self._closed = False

    def _get_context(self):
        with self._lock:
            if self._context is None:
                self._context = GLib.MainContext.new()
                self._thread = threading.Thread(target=self._run, name='tasker-bridge', daemon=True)
                self._thread.start()
            return self._context

    def _run(self):
        self._context.push_thread_default()
        # PyGObject's own iteration() makes an asyncio loop for every context.
        iterate = super(GLib.MainContext, self._context).iteration
        while not self._closed:
            iterate(True)

    def forget(self):
        """In a child process there is no such thread."""
        self.__init__()

    def close(self):
        """At the end of the interpreter nothing may be under way in the thread."""
        self._closed = True
        if self._thread is not None:
            self._context.wakeup()
            self._thread.join(threads.ABORT_GRACE)

    def _attach(self, source, function):
        source.set_callback(function)
        source.attach(self._get_context())
        return source

    def call(self, function, *args):
        """Calls a function in that thread."""
        self._calls.append((function, args))
        if not self._scheduled:
            self._scheduled = True
            self._attach(GLib.Idle(priority=GLib.PRIORITY_DEFAULT), self._deliver)

    def _deliver(self, *unused):
        self._scheduled = False
        for _ in range(len(self._calls)):
            function, args = self._calls.popleft()
            function(*args)
            function = args = None
        return GLib.SOURCE_REMOVE

    def call_later(self, seconds, function):
        """Calls a function there in some time; returns the source, to be destroyed."""
        def on_time(*unused):
            function()
            return GLib.SOURCE_REMOVE
        return self._attach(GLib.Timeout(min(max(0, round(seconds * 1000)), GLib.MAXINT32)), on_time)

    async def wait(self, begin, finish, lost=None):
        """Awaits one of GIO's pairs of functions.

        begin(cancellable, callback) and finish(result) are called in the
        bridge's thread. If the awaiting task is cancelled, so is the operation;
        should it have had a result all the same, lost() gets that, on the loop.
        """
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        cancellable = Gio.Cancellable()
        outbox = outbox_of(loop)
        self.call(_begin, begin, cancellable,
                  functools.partial(_on_ready, finish, outbox, future, lost), outbox, future)
        try:
            return await future
        except asyncio.CancelledError:
            cancellable.cancel()
            # It may have come between the result and the one who waits for that.
            if future.done() and not future.cancelled():
                _settle_lost(future, lost)
            raise
        finally:
            # An exception that comes out of it has this frame in its traceback.
            future = None


bridge = _Bridge()
os.register_at_fork(after_in_child=bridge.forget)
threads.closers.append(bridge.close)


class StopWatch:
    """Hears of the cancellation of a stopper, for those who await it on a loop.

    It knows nothing of the stopper.
    """

    def __init__(self):
        self._futures = set()

    def add(self, loop):
        """Returns a future that is done when the stopper is cancelled."""
        future = loop.create_future()
        self._futures.add(future)
        return future

    def remove(self, future):
        """The future is of no use any more."""
        self._futures.discard(future)

    def on_cancelled(self, *unused):
        """For the signal, in any thread. May not block."""
        with contextlib.suppress(KeyError):
            while True:
                future = self._futures.pop()
                outbox_of(future.get_loop()).post(set_done, future)


def set_done(future):
    """Says that what a future waits for is there."""
    if not future.done():
        future.set_result(None)


_watches = weakref.WeakKeyDictionary()


def watch_of(stopper):
    """Returns what hears of the stop for coroutines."""
    watch = _watches.get(stopper)
    if watch is None:
        watch = _watches.setdefault(stopper, StopWatch())
        on_cancelled(stopper, watch.on_cancelled)
    return watch


async def await_stop(stopper, seconds):
    """Returns whether the stop came in that time; None is for ever."""
    loop = asyncio.get_running_loop()
    watch = watch_of(stopper)
    future = watch.add(loop)
    timer = None
    try:
        if not stopper.is_cancelled():
            if seconds is not None:
                timer = loop.call_later(seconds, set_done, future)
            await future
    finally:
        watch.remove(future)
        if timer is not None:
            timer.cancel()
    return stopper.is_cancelled()
