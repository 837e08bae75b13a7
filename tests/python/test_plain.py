# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the override leaves as it is. It runs with the override and without it, so
that it also says what the introspection data alone are good for."""

import sys

import tap
from support import *

# The program says which it is, so that neither is taken for the other.
WITH_OVERRIDE = {'with-override': True, 'without-override': False}[sys.argv.pop(1)]


def succeed(stopper, *data):
    return True


def fail(stopper, *data):
    raise GLib.Error('no luck', 'g-io-error-quark', Gio.IOErrorEnum.EXISTS)


def wait(stopper, *data):
    while not stopper.is_cancelled():
        time.sleep(0.001)
    return stopper.set_error_if_cancelled()


def finished(group):
    """Waits for the tasks of a group in a main loop."""
    group.finish()
    iterate_until(lambda: group.get_n_tasks() == 0)


class Plain(Case):
    def setUp(self):
        super().setUp()
        self.group = Tasker.Group.new('plain')
        self.addCleanup(delattr, self, 'group')

    def test_which(self):
        self.assertEqual(hasattr(Tasker.Task, '__await__'), WITH_OVERRIDE)

    def test_poll_join(self):
        for name, func in ('one', succeed), ('bad', fail), ('three', succeed):
            self.group.add(Tasker.Task.new(name, func))
            iterate_until(lambda: self.group.get_n_tasks() == 0)
        with self.assertRaises(GLib.Error) as caught:
            self.group.poll_join()
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.EXISTS))
        self.assertEqual(self.group.poll_join(), (True, 1))
        self.assertEqual(self.group.poll_join(), (True, 0))

    def test_each(self):
        seen = []

        def func(index, stopper, *data):
            self.assertIsInstance(stopper, Tasker.Stopper)
            seen.append(index)
            return True

        task = Tasker.Task.new_each('each', 100, func)
        self.group.add(task)
        finished(self.group)
        self.assertEqual(task.get_state(), Tasker.TaskState.SUCCEEDED)
        self.assertEqual(sorted(seen), list(range(100)))
        self.assertEqual(task.get_progress(), 1)

    def test_run_in_thread(self):
        results = []

        def func(gtask, source, data, cancellable):
            self.assertIsInstance(cancellable, Tasker.Stopper)
            self.assertIsNot(threading.current_thread(), threading.main_thread())
            gtask.return_int(42)

        gtask = Gio.Task.new(None, None, lambda source, result: results.append(result.propagate_int()))
        gtask.set_name('answer')
        self.group.run_in_thread(gtask, func)
        finished(self.group)
        iterate_until(lambda: results)
        self.assertEqual(results, [42])
        assert_counts(self, self.group, spawned=1, succeeded=1)

    def test_gtask(self):
        gtask = Gio.Task.new(None, None, None)
        task = Tasker.Task.new_for_gtask(gtask)
        self.group.add(task)
        GLib.idle_add(gtask.return_boolean, True)
        finished(self.group)
        self.assertEqual(task.get_state(), Tasker.TaskState.SUCCEEDED)

    def test_subprocess(self):
        good = Gio.Subprocess.new(['true'], Gio.SubprocessFlags.NONE)
        bad = Gio.Subprocess.new(['false'], Gio.SubprocessFlags.NONE)
        tasks = [Tasker.Task.new_for_subprocess(name, process)
                 for name, process in (('true', good), ('false', bad))]
        for task in tasks:
            self.group.add(task)
        finished(self.group)
        self.assertEqual([task.get_state() for task in tasks],
                         [Tasker.TaskState.SUCCEEDED, Tasker.TaskState.FAILED])
        self.assertEqual([task.get_name() for task in tasks], ['true', 'false'])

    def test_stream(self):
        stream = self.group.clone().join_stream()
        self.assertFalse(stream.is_ended())
        self.assertIsNone(stream.try_next())
        task = Tasker.Task.new('one', succeed)
        self.group.add(task)
        finished(self.group)
        self.assertFalse(stream.is_ended())
        self.assertIs(stream.try_next(), task)
        self.assertTrue(stream.is_ended())
        self.assertIsNone(stream.try_next())

    def test_model(self):
        stream = self.group.clone().join_stream()
        tasks = [Tasker.Task.new(str(i), succeed) for i in range(3)]
        for task in tasks:
            self.group.add(task)
        live = self.group.get_tasks()
        finished(self.group)
        iterate_until(lambda: stream.get_n_items() == 3 and live.get_n_items() == 0)
        self.assertEqual({stream.get_item(i) for i in range(3)}, set(tasks))
        self.assertIsNone(stream.get_item(3))
        self.assertEqual(stream.get_item_type(), Tasker.Task.__gtype__)

    def test_deadline(self):
        task = Tasker.Task.new('late', wait)
        task.set_timeout_ms(10)
        self.assertEqual(task.get_timeout_ms(), 10)
        self.group.add(task)
        stopper = self.group.create_stopper()
        stopper.props.timeout_ms = 1
        finished(self.group)
        iterate_until(stopper.is_cancelled)
        self.assertTrue(task.timed_out() and stopper.timed_out())
        self.assertTrue(task.get_error().matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT))
        self.assertFalse(self.group.create_stopper().timed_out())

    def test_release_in_context(self):
        threads = []

        class Data:
            def __del__(self):
                threads.append(threading.current_thread())

        def func(stopper, data):
            return True

        task = Tasker.Task.new('released', func, Data())
        self.assertFalse(task.get_release_in_context())
        task.set_release_in_context(True)
        self.assertTrue(task.get_release_in_context())
        self.group.add(task)
        finished(self.group)
        self.assertEqual(threads, [threading.main_thread()])

    def test_settings(self):
        task = Tasker.Task.new('set', succeed)
        task.set_priority(GLib.PRIORITY_LOW)
        task.set_run_always(True)
        task.set_progress(0.5, 'half')
        self.assertEqual((task.get_priority(), task.get_run_always(), task.get_progress(),
                          task.dup_progress_message(), task.get_stops_alone()),
                         (GLib.PRIORITY_LOW, True, 0.5, 'half', True))
        for name in ('max-running', 'max-queued', 'keep-results', 'abort-on-drop', 'stop-on-error',
                     'ordered-shutdown'):
            setter = getattr(self.group, f'set_{name.replace("-", "_")}')
            getter = getattr(self.group, f'get_{name.replace("-", "_")}')
            for value in 1, 0, 1:
                setter(value)
                self.assertEqual((getter(), self.group.get_property(name)), (value, value))
        self.assertTrue(self.group.new_child('child').get_stop_with_parent())

    def test_async_pairs(self):
        """Each pair is called, and ends."""
        results = {}

        def begin(name, call, finish, *args):
            def keep(source, result, *data):
                results[name] = finish(source, result)

            call(*args, keep)
            iterate_until(lambda: name in results)
            return results[name]

        stopper = self.group.create_stopper()
        task = Tasker.Task.new('one', succeed)
        stream = self.group.clone().join_stream()
        self.assertTrue(begin('sleep', stopper.sleep_async, Tasker.Stopper.sleep_finish, 1))
        self.assertTrue(begin('add', self.group.add_wait_async, Tasker.Group.add_wait_finish, task, None))
        self.assertTrue(begin('task', task.join_async, Tasker.Task.join_finish, None))
        self.assertIs(begin('next', stream.next_async, Tasker.JoinStream.next_finish, None), task)
        self.assertTrue(begin('join', self.group.join_async, Tasker.Group.join_finish, None))
        self.assertEqual(begin('collect', self.group.collect_async, Tasker.Group.collect_finish, None), [])
        self.assertTrue(begin('shutdown', self.group.shutdown_async, Tasker.Group.shutdown_finish, 1000,
                              None))
        self.assertIsNone(begin('wait', stopper.wait_async, Tasker.Stopper.wait_finish))


class References(Case):
    """What returns objects returns as many references as it should."""

    def check(self, function):
        """The object has the reference of its wrapper alone, and goes with it."""
        thing = function()
        self.assertEqual(thing.__grefcount__, 1)
        gone = []
        thing.weak_ref(lambda: gone.append(True))
        del thing
        gc.collect()
        iterate_until(lambda: gone, seconds=10)

    def check_same(self, function, thing):
        """It returns a reference to an object that is held."""
        before = thing.__grefcount__
        for _ in range(10):
            self.assertIs(function(), thing)
        self.assertEqual(thing.__grefcount__, before)

    def make_done(self, n_tasks):
        group = Tasker.Group.new('done')
        for _ in range(n_tasks):
            group.add(Tasker.Task.new(None, succeed))
        iterate_until(lambda: group.get_n_tasks() == 0)
        return group

    def finish(self, begin, finish, *args):
        """Returns what a method gives that is asynchronous."""
        results = []
        begin(*args, lambda source, result: results.append(result))
        iterate_until(lambda: results)
        return finish(results.pop())

    def test_made(self):
        group = Tasker.Group.new('all')
        owner = Tasker.register_external_owner(lambda task, key, aborted, *data: None)
        async_owner = Tasker.register_async_owner(lambda *args: None)
        process = Gio.Subprocess.new(['true'], Gio.SubprocessFlags.NONE)
        for function in (lambda: Tasker.Group.new(None), group.clone, lambda: group.new_child('child'),
                         group.create_stopper, group.create_signaller, group.get_tasks,
                         lambda: group.clone().join_stream(), Tasker.Task,
                         lambda: Tasker.Task.new(None, succeed),
                         lambda: Tasker.Task.new_local(None, succeed),
                         lambda: Tasker.Task.new_interval(None, 5, succeed),
                         lambda: Tasker.Task.new_each(None, 5, succeed),
                         lambda: Tasker.Task.new_async(None, None),
                         lambda: Tasker.Task.new_for_gtask(Gio.Task.new(None, None, None)),
                         lambda: Tasker.Task.new_for_subprocess(None, process),
                         lambda: Tasker.Task.new_owned(None, owner, 1),
                         lambda: Tasker.Task.new_owned(None, async_owner, 1)):
            self.check(function)
        self.assertEqual(process.__grefcount__, 1)

    def test_taken(self):
        self.check(lambda: self.make_done(1).poll_collect()[0])
        for take in (lambda stream: stream.try_next(),
                     lambda stream: self.finish(stream.next_async, stream.next_finish, None)):
            self.check(lambda: take(self.make_done(1).join_stream()))

        def collect():
            group = self.make_done(1)
            return self.finish(lambda *args: Tasker.Group.collect_async(group, *args),
                               group.collect_finish, None)[0]

        self.check(collect)

    def test_external(self):
        group = Tasker.Group.new('external')
        owner = Tasker.register_external_owner(lambda task, key, aborted, *data: None)

        def begin():
            task = group.spawn_owned(None, owner, 1)
            task.complete()
            self.assertIs(group.poll_collect()[0], task)
            return task

        self.check(begin)
        group.finish()
        self.assertIsNone(group.spawn_owned(None, owner, 1))

    def test_owned(self):
        group = Tasker.Group.new('owned')
        news = []

        def hear(*args):
            # The lengths are told as well.
            news.append([each for each in args if isinstance(each, list)])

        owner = Tasker.register_async_owner(hear)

        def run():
            news.clear()
            task = group.spawn_owned(None, owner, 7)
            self.assertEqual(task.get_key(owner), 7)
            iterate_until(lambda: news)
            self.assertEqual(Tasker.Task.complete_many([task], True), 1)
            iterate_until(lambda: len(news) == 2)
            self.assertEqual(news, [[[7], []], [[], [7]]])
            self.assertIs(group.poll_collect()[0], task)
            return task

        self.check(run)
        group.finish()
        self.assertIsNone(group.spawn_owned(None, owner, 1))

    def test_models(self):
        group = Tasker.Group.new('models')
        tasks = group.get_tasks()
        task = Tasker.Task.new_async(None, None)
        group.add(task)
        iterate_until(lambda: tasks.get_n_items() == 1)
        self.check_same(group.get_tasks, tasks)
        self.check_same(lambda: tasks.get_item(0), task)
        task.complete()
        stream = group.join_stream()
        iterate_until(lambda: stream.get_n_items() == 1)
        self.check_same(lambda: stream.get_item(0), task)
        self.assertIs(stream.try_next(), task)
        del stream, tasks, group
        gc.collect()
        iterate_until(lambda: task.__grefcount__ == 1)

    def test_current(self):
        counts = []

        def func(stopper, *data):
            counts.append(stopper.__grefcount__)
            for _ in range(10):
                self.assertIs(Tasker.Task.get_current(), stopper)
            counts.append(stopper.__grefcount__)
            return True

        group = Tasker.Group.new('current')
        task = Tasker.Task.new(None, func)
        group.add(task)
        finished(group)
        self.assertEqual(task.get_state(), Tasker.TaskState.SUCCEEDED)
        self.assertEqual(len(counts), 2)
        self.assertEqual(counts[0], counts[1])
        self.assertIs(group.poll_collect()[0], task)
        self.assertEqual(task.__grefcount__, 1)


if __name__ == '__main__':
    tap.main()
