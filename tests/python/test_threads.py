# SPDX-License-Identifier: LGPL-2.1-or-later

"""Functions in worker threads."""

import contextlib
import functools
import subprocess
import sys
import traceback
import weakref

import tap
from support import *


class Thing:
    """Something that can be waited for to be gone."""


def give(task, value):
    return value


def fail(task, error):
    raise error


@contextlib.contextmanager
def queue(functions):
    """Gives a group and tasks that are all queued; they begin when the body is left."""
    gate = threading.Event()
    with Tasker.Group('queue', max_running=1) as group:
        first = group.spawn(lambda task: gate.wait() and None)
        wait_until(lambda: first.state == Tasker.TaskState.RUNNING)
        tasks = [group.spawn(function) for function in functions]
        try:
            yield group, tasks
        finally:
            gate.set()


# There workers come back to C after each task.
WITHOUT_CTYPES = '''
import sys
sys.modules['ctypes'] = None
import gi
gi.require_version('Tasker', '1')
from gi.repository import Tasker
with Tasker.Group() as group:
    tasks = [group.spawn(lambda task: Tasker.Task.get_current()) for _ in range(500)]
print(sum(task.result() is task for task in tasks))
'''


class Results(Case):
    def test_values_are_unchanged(self):
        thing = Thing()
        values = [None, 0, 2 ** 100, 'text', b'\0', [1], {'a': thing}, thing, Thing, Ellipsis]
        with Tasker.Group('values') as group:
            tasks = [group.spawn(give, value) for value in values]
            for task, value in zip(tasks, values):
                self.assertIs(task.result(), value)
                self.assertIs(task.value, value)
        assert_counts(self, group, succeeded=len(values), live=0)

    def test_arguments(self):
        def func(task, *args, **kwargs):
            return task, threading.current_thread(), args, kwargs

        with Tasker.Group() as group:
            task = group.spawn(func, 1, 2, name='func', key='value')
            got, thread, args, kwargs = task.result()
        self.assertIs(got, task)
        self.assertIsNot(thread, threading.current_thread())
        self.assertEqual((args, kwargs), ((1, 2), {'key': 'value'}))
        self.assertEqual(task.name, 'func')

    def test_kinds_of_callables(self):
        class Callable:
            def __call__(self, task):
                return 'called'

            def method(self, task):
                return 'method'

            @staticmethod
            def static(task):
                return 'static'

        with Tasker.Group() as group:
            self.assertEqual(group.spawn(Callable()).result(), 'called')
            self.assertEqual(group.spawn(Callable().method).result(), 'method')
            self.assertEqual(group.spawn(Callable.static).result(), 'static')
            self.assertEqual(group.spawn(lambda task: 'lambda').result(), 'lambda')
            self.assertEqual(group.spawn(functools.partial(give, value=3)).result(), 3)
            self.assertTrue(group.spawn(repr).result().startswith('<Tasker.Task'))

    def test_current(self):
        self.assertIsNone(Tasker.Task.get_current())
        with Tasker.Group() as group:
            task = group.spawn(lambda task: Tasker.Task.get_current())
            self.assertIs(task.result(), task)

    def test_current_of_many_in_a_row(self):
        with queue([lambda task: Tasker.Task.get_current()] * 500) as (group, tasks):
            pass
        self.assertEqual([task.result() for task in tasks], tasks)
        assert_counts(self, group, succeeded=501)

    def test_arguments_are_gone_by_the_end(self):
        def use(task, thing):
            self.assertIsInstance(thing, Thing)

        with Tasker.Group() as group:
            for _ in range(500):
                thing = Thing()
                gone = weakref.ref(thing)
                task = group.spawn(use, thing)
                del thing
                task.result()
                self.assertIsNone(gone())

    def test_without_ctypes(self):
        done = subprocess.run([sys.executable, '-c', WITHOUT_CTYPES], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '500\n', ''))

    def test_value_survives_the_wrapper(self):
        thing = Thing()
        group = Tasker.Group()
        group.spawn(give, thing)
        group.finish()
        with group:
            pass
        gc.collect()
        self.assertEqual([task.result() for task in group.collect()], [thing])

    def test_value_of_set_value(self):
        thing = Thing()
        with Tasker.Group() as group:
            task = group.spawn(lambda task: task.set_value(thing))
            self.assertIs(task.result(), thing)
        task.set_value('late')
        self.assertIs(task.value, thing)

    def test_priority(self):
        order = []
        gate = threading.Event()
        with Tasker.Group(max_running=1) as group:
            group.spawn(lambda task: gate.wait())
            group.spawn(lambda task: order.append('low'), priority=GLib.PRIORITY_LOW)
            group.spawn(lambda task: order.append('high'), priority=GLib.PRIORITY_HIGH)
            gate.set()
        self.assertEqual(order, ['high', 'low'])

    def test_repr(self):
        with Tasker.Group('books') as group:
            task = group.spawn(give, 1)
            task.result()
            self.assertEqual(repr(task), "<Tasker.Task 'give': succeeded>")
            self.assertEqual(repr(group), "<Tasker.Group 'books': 0 tasks>")
            self.assertEqual(len(group), 0)
            self.assertTrue(group)
            group.stop()
        self.assertEqual(repr(group), "<Tasker.Group 'books': 0 tasks, stopped>")

    def test_many_from_many_threads(self):
        n_threads, n_tasks = 8, 1250
        group = Tasker.Group('many')
        sums = [0] * n_threads

        def spawn(number):
            with group.clone() as clone:
                tasks = [clone.spawn(give, i) for i in range(n_tasks)]
                sums[number] = sum(task.result() for task in tasks)

        threads = [threading.Thread(target=spawn, args=(i,)) for i in range(n_threads)]
        with group:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(sums, [n_tasks * (n_tasks - 1) // 2] * n_threads)
        assert_counts(self, group, spawned=n_threads * n_tasks, succeeded=n_threads * n_tasks)
        self.assertEqual(len(group.collect()), n_threads * n_tasks)


class Progress(Case):
    def test_as_properties(self):
        def work(task):
            task.progress_message = 'half of it'
            task.progress = 0.5
            begun.set()
            gate.wait()
            task.set_progress(0.75)
            raise ValueError('three quarters')

        begun, gate = threading.Event(), threading.Event()
        self.addCleanup(gate.set)
        with Tasker.Group(max_running=1) as group:
            task = group.spawn(work)
            other = group.spawn(give, 1)
            begun.wait()
            self.assertEqual((task.progress, task.progress_message), (0.5, 'half of it'))
            self.assertEqual(group.progress, 0.25)
            self.assertEqual((other.progress, other.progress_message), (0, None))
            gate.set()
            with self.assertRaises(ValueError):
                task.result()
        self.assertEqual((task.progress, task.progress_message), (0.75, None))
        self.assertEqual((other.progress, other.progress_message), (1, None))
        self.assertEqual(group.progress, 1)


class Failures(Case):
    def test_the_exception_itself(self):
        error = KeyError('key')
        group = Tasker.Group()
        task = group.spawn(fail, error)
        for _ in range(2):
            try:
                task.result()
            except KeyError as caught:
                self.assertIs(caught, error)
                names = [frame.name for frame in traceback.extract_tb(caught.__traceback__)]
        self.assertIs(task.error, error)
        self.assertIn('fail', names)
        self.assertNotIn('run_in_thread', names)
        with self.assertRaises(GLib.Error) as caught:
            raise task.get_error()
        self.assertEqual(caught.exception.message, "KeyError: 'key'")

    def test_one_is_raised_on_leaving(self):
        error = ValueError('one')
        with self.assertRaises(ValueError) as caught:
            with Tasker.Group() as group:
                group.spawn(fail, error)
                group.spawn(give, 1)
        self.assertIs(caught.exception, error)

    @unittest.skipIf(not hasattr(__builtins__, 'ExceptionGroup'), 'this Python has no ExceptionGroup')
    def test_several_are_raised_on_leaving(self):
        errors = {ValueError('one'), KeyError('two'), OSError('three')}
        with self.assertRaises(ExceptionGroup) as caught:
            with Tasker.Group() as group:
                for error in errors:
                    group.spawn(fail, error)
        self.assertEqual(set(caught.exception.exceptions), errors)

    def test_what_was_told_is_not_told_again(self):
        with Tasker.Group() as group:
            task = group.spawn(fail, ValueError('told'))
            with self.assertRaises(ValueError):
                task.result()
        with Tasker.Group() as group:
            group.spawn(fail, ValueError('collected'))
            self.assertEqual(len(group.collect()), 1)

    def test_join_raises_the_first(self):
        error = ValueError('first')
        group = Tasker.Group(max_running=1)
        group.spawn(fail, error)
        group.spawn(fail, KeyError('second'))
        with self.assertRaises(ValueError) as caught:
            group.join()
        self.assertIs(caught.exception, error)

    def test_each_join_raises_the_same(self):
        error = ValueError('first')
        group = Tasker.Group(max_running=1)
        group.spawn(fail, error)
        group.spawn(fail, KeyError('second'))
        for _ in range(2):
            with self.assertRaises(ValueError) as caught:
                group.join()
            self.assertIs(caught.exception, error)

    def test_join_leaves_out_what_was_taken(self):
        for error in ValueError('taken'), GLib.Error('taken', 'some-quark', 1):
            for keep_results in True, False:
                group = Tasker.Group(keep_results=keep_results)
                task = group.spawn(fail, error)
                with self.assertRaises(type(error)):
                    task.result()
                task = None
                group.join()

    def test_join_leaves_out_what_was_taken_from_a_child(self):
        parent = Tasker.Group()
        with parent.new_child() as child:
            task = child.spawn(fail, GLib.Error('taken', 'some-quark', 1))
            with self.assertRaises(GLib.Error):
                task.result()
        child = task = None
        parent.join()

    def test_body_goes_before(self):
        stopped = []

        def wait(task):
            task.wait_stopped()
            stopped.append(task.is_cancelled())

        with self.assertRaises(ZeroDivisionError):
            with Tasker.Group() as group:
                group.spawn(wait)
                group.spawn(fail, ValueError('ignored'))
                wait_until(lambda: group.get_counts().n_failed == 1)
                1 / 0
        self.assertEqual(stopped, [True])
        self.assertTrue(group.is_stopped())

    def test_strange_exceptions(self):
        class Unprintable(Exception):
            def __str__(self):
                raise RuntimeError('no text')

        errors = [Unprintable(), ValueError('\ud800 \0 lone'), SystemExit(3), KeyboardInterrupt(),
                  GeneratorExit(), BaseException('base')]
        for error in errors:
            group = Tasker.Group()
            task = group.spawn(fail, error)
            with self.assertRaises(type(error)) as caught:
                task.result()
            self.assertIs(caught.exception, error)
            self.assertEqual(task.state, Tasker.TaskState.FAILED)
            self.assertIn(type(error).__name__, task.get_error().message)

    def test_system_exit_is_raised_as_it_is(self):
        with self.assertRaises(SystemExit):
            with Tasker.Group() as group:
                group.spawn(fail, ValueError('other'))
                group.spawn(fail, SystemExit(3))

    def test_gerror_is_passed_on(self):
        error = GLib.Error.new_literal(Gio.io_error_quark(), 'not there', Gio.IOErrorEnum.NOT_FOUND)
        group = Tasker.Group()
        task = group.spawn(fail, error)
        with self.assertRaises(GLib.Error) as caught:
            task.result()
        self.assertIs(caught.exception, error)
        self.assertTrue(task.get_error().matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND))

    def test_cancelled_without_a_stop_is_a_failure(self):
        group = Tasker.Group()
        task = group.spawn(fail, asyncio.CancelledError())
        with self.assertRaises(asyncio.CancelledError):
            task.result()
        self.assertEqual(task.state, Tasker.TaskState.FAILED)

    def test_without_results_the_first_is_kept(self):
        error = ValueError('first')
        with self.assertRaises(ValueError) as caught:
            with Tasker.Group(keep_results=False, max_running=1) as group:
                group.spawn(fail, error)
                for _ in range(100):
                    group.spawn(fail, KeyError('other'))
        self.assertIs(caught.exception, error)

    def test_failure_of_a_child(self):
        error = ValueError('in the child')
        with self.assertRaises(ValueError) as caught:
            with Tasker.Group('parent') as parent:
                child = parent.new_child('child')
                child.spawn(fail, error)
                child.finish()
        self.assertIs(caught.exception, error)

    def test_stop_on_error(self):
        with self.assertRaises(Exception) as caught:
            with Tasker.Group(stop_on_error=True) as group:
                group.spawn(lambda task: task.wait_stopped())
                group.spawn(fail, ValueError('stops'))
        errors = getattr(caught.exception, 'exceptions', [caught.exception])
        self.assertEqual([type(error) for error in errors], [ValueError])
        self.assertTrue(group.is_stopped())


class Ends(Case):
    def test_stop_among_many(self):
        called = []

        def work(task, number):
            called.append(number)
            if number == 10:
                group.stop()

        with queue([functools.partial(work, number=i) for i in range(100)]) as (group, tasks):
            pass
        self.assertEqual(called, list(range(11)))
        self.assertEqual([task.has_succeeded() for task in tasks], [True] * 11 + [False] * 89)
        assert_counts(self, group, succeeded=12, stopped=89)

    def test_failures_among_many(self):
        def work(task, number):
            if number % 3 == 0:
                raise ValueError(number)
            return number

        group = Tasker.Group(max_running=1)
        tasks = [group.spawn(work, i) for i in range(100)]
        for i, task in enumerate(tasks):
            if i % 3 == 0:
                with self.assertRaises(ValueError) as caught:
                    task.result()
                self.assertEqual(caught.exception.args, (i,))
            else:
                self.assertEqual(task.result(), i)
        assert_counts(self, group, succeeded=66, failed=34)

    def test_stop(self):
        with Tasker.Group(max_running=1) as group:
            running = group.spawn(lambda task: task.sleep(1000))
            queued = group.spawn(give, 1)
            wait_until(lambda: running.state == Tasker.TaskState.RUNNING)
            group.stop()
        for task in running, queued:
            with self.assertRaises(Tasker.Stopped) as caught:
                task.result()
            self.assertTrue(caught.exception.matches(Tasker.Error.quark(), Tasker.Error.STOPPED))
        assert_counts(self, group, stopped=2)

    def test_abort(self):
        with Tasker.Group() as group:
            task = group.spawn(lambda task: task.sleep(1000))
            wait_until(lambda: task.state == Tasker.TaskState.RUNNING)
            task.abort()
            with self.assertRaises(Tasker.Aborted):
                task.result()

    def test_cancel_one(self):
        with Tasker.Group() as group:
            task = group.spawn(lambda task: task.sleep(1000))
            other = group.spawn(give, 1)
            task.cancel()
            with self.assertRaises(Tasker.Stopped):
                task.result()
            self.assertEqual(other.result(), 1)

    def test_timeout(self):
        with Tasker.Group() as group:
            task = group.spawn(lambda task: task.sleep(1000))
            begin = time.monotonic()
            with self.assertRaises(TimeoutError):
                task.result(timeout=0.05)
            self.assertGreaterEqual(time.monotonic() - begin, 0.04)
            with self.assertRaises(TimeoutError):
                group.join(timeout=0.05)
            self.assertEqual(task.state, Tasker.TaskState.RUNNING)
            group.stop()

    def test_clone_finishes_only(self):
        gate = threading.Event()
        with Tasker.Group() as group:
            with group.clone() as clone:
                task = clone.spawn(lambda task: gate.wait())
            self.assertTrue(clone.is_finished())
            self.assertFalse(group.is_finished())
            self.assertFalse(task.is_finished())
            gate.set()
        self.assertTrue(task.is_finished())

    def test_shutdown(self):
        begun = threading.Event()

        def wait(task):
            begun.set()
            task.wait_stopped()

        with Tasker.Group() as group:
            group.spawn(wait)
            begun.wait()
            group.shutdown(grace=30)
        assert_counts(self, group, succeeded=1)

    def test_shutdown_of_the_deaf(self):
        gate = threading.Event()
        group = Tasker.Group()
        task = group.spawn(lambda task: gate.wait())
        wait_until(lambda: task.state == Tasker.TaskState.RUNNING)
        with self.assertRaises(TimeoutError):
            group.shutdown(grace=0)
        gate.set()
        group.join()
        self._log.clear()  # it warns of the task, as it should

    def test_leaked_clone_does_not_hold_up_a_shutdown(self):
        group = Tasker.Group()
        clone = group.clone()
        group.shutdown(grace=30)
        self.assertFalse(clone.is_finished())

    def test_wait_for_a_place(self):
        gate = threading.Event()
        with Tasker.Group(max_running=1, max_queued=1) as group:
            running = group.spawn(lambda task: gate.wait())
            wait_until(lambda: running.state == Tasker.TaskState.RUNNING)
            group.spawn_wait(give, 1)
            threading.Timer(0.05, gate.set).start()
            self.assertEqual(group.spawn_wait(give, 2).result(), 2)

    def test_no_place_after_the_stop(self):
        group = Tasker.Group(max_running=1, max_queued=1)
        group.stop()
        with self.assertRaises(Tasker.Stopped):
            group.spawn_wait(give, 1)
        group.join()

    def test_results_are_released(self):
        thing = Thing()
        gone = weakref.ref(thing)
        with Tasker.Group() as group:
            group.spawn(give, thing)
        del thing
        self.assertIsNotNone(gone())
        group.collect()
        self.assertIsNone(gone())


if __name__ == '__main__':
    tap.main()
