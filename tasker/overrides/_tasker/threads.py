# SPDX-License-Identifier: LGPL-2.1-or-later

"""Python in threads that Python has not made, and how the interpreter ends."""

import atexit
import threading
import time
import weakref

# How long the end of the interpreter waits for tasks that were stopped, and
# how long for what was queued to be freed after the abort.
STOP_GRACE = 2.0
ABORT_GRACE = 5.0
LOOK_INTERVAL = 0.005

# The groups that Python has tasks in, to be stopped at the end.
crews = weakref.WeakSet()
# The calls of functions that C knows by their keys and has not begun; by key.
queued = {}
# The worker threads that run functions, and those whose state is kept.
running = set()
_attached = set()
# What is to be closed at the very end.
closers = []


# Without these it is slower, but no different.
try:
    import ctypes
    from ctypes import pythonapi
    _ensure, _release = pythonapi.PyGILState_Ensure, pythonapi.PyGILState_Release
except (ImportError, AttributeError):
    _ensure = _release = None


def find_function(name):
    """Returns a function of the library's, called as one of C's that keeps the
    interpreter's lock: to take it again may take as long as many small functions."""
    try:
        function = getattr(ctypes.PyDLL(None), name)
    except (NameError, TypeError, OSError, AttributeError):
        return int  # int() is 0: there is nothing
    function.restype = ctypes.c_size_t
    return function


# It starts anew with each state, so it tells whether this one is kept.
_local = threading.local()


def attach(at_idle):
    """Keeps Python's state for this worker thread until that goes idle.

    Whenever C calls Python in a thread that Python does not know, the
    interpreter makes a thread state, and deletes it when the call returns. That
    takes several times as long as a small function. So the first call takes the
    state one more time than it gives it back.

    at_idle is Tasker.worker_at_idle().
    """
    _local.attached = True
    if _ensure is not None and at_idle(_detach):
        _attached.add(threading.get_ident())
        _ensure()


def _detach(*unused):
    # This call has its own hold on the state, and gives that back afterwards.
    del _local.attached
    _attached.discard(threading.get_ident())
    _release(0)


def is_attached():
    """Tells whether attach() was called in this thread."""
    return hasattr(_local, 'attached')


def _wait_while(condition, seconds):
    end = time.monotonic() + seconds
    while condition() and time.monotonic() < end:
        time.sleep(LOOK_INTERVAL)


def _on_exit():
    """Stops what runs, and then leaves it alone: from here on nothing may call
    Python that is not in it already."""
    for crew in list(crews):
        crew.signaller.stop()
    _wait_while(lambda: queued or running, STOP_GRACE)
    for crew in list(crews):
        crew.signaller.abort()
    _wait_while(lambda: queued or len(_attached) > len(running), ABORT_GRACE)
    for close in closers:
        close()


atexit.register(_on_exit)
