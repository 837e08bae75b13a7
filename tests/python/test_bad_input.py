# SPDX-License-Identifier: LGPL-2.1-or-later

"""Mistakes, and the exceptions that say what to do instead. Nothing is left
behind by any of them, and nothing critical is said."""

import tap
from support import *


async def give(task):
    return 1


class Mistakes(Case):
    def check(self, kind, text, function, *args):
        with self.assertRaisesRegex(kind, text):
            function(*args)

    def test_not_a_function(self):
        with Tasker.Group() as group:
            for what in None, 1, 'name', [], object():
                self.check(TypeError, 'needs a function', group.spawn, what)
            self.check(TypeError, '', group.spawn)
        assert_counts(self, group, spawned=0)

    def test_generators(self):
        def generator(task):
            yield 1

        async def async_generator(task):
            yield 1

        with Tasker.Group() as group:
            self.check(TypeError, 'generator', group.spawn, generator)
            self.check(TypeError, 'generator', group.spawn, async_generator)

    def test_a_coroutine_instead_of_its_function(self):
        with Tasker.Group() as group:
            self.check(TypeError, 'the async function and then', group.spawn, give(None))

    def test_a_function_instead_of_a_coroutine(self):
        with Tasker.Group() as group:
            self.check(TypeError, 'needs a coroutine', group.create_task, give)

    def test_a_function_that_returns_a_coroutine(self):
        with Tasker.Group() as group:
            task = group.spawn(lambda task: give(task))
            self.check(TypeError, 'give spawn', task.result)

    def test_no_loop(self):
        with Tasker.Group() as group:
            self.check(RuntimeError, 'no asyncio loop runs', group.spawn, give)
            self.check(RuntimeError, 'no running event loop', group.create_task, give(None))
            task = group.spawn(lambda task: group.spawn(give))
            self.check(RuntimeError, 'no asyncio loop runs', task.result)

    def test_wrong_arity(self):
        with Tasker.Group() as group:
            self.check(TypeError, 'argument', group.spawn(lambda: None).result)
            self.check(TypeError, 'argument', group.spawn(lambda task: None, 1).result)
            self.check(TypeError, 'argument', group.spawn(lambda task: None, key=1).result)

    def test_after_finish(self):
        group = Tasker.Group()
        group.finish()
        self.check(RuntimeError, 'finished', group.spawn, print)
        self.check(RuntimeError, 'finished', group.spawn_wait, print)
        group.join()
        assert_counts(self, group, spawned=0)

    @run
    async def test_after_finish_on_a_loop(self):
        async with Tasker.Group() as group:
            pass
        self.check(RuntimeError, 'finished', group.spawn, give)
        self.check(RuntimeError, 'finished', group.create_task, give(None))

    def test_a_task_that_was_not_added(self):
        task = Tasker.Task.new('new', lambda *unused: True)
        self.check(RuntimeError, 'not been added', task.result)

        async def main():
            with self.assertRaisesRegex(RuntimeError, 'not been added'):
                await task

        asyncio.run(main())

    def test_wait_inside_of_a_task(self):
        with Tasker.Group() as group:
            task = group.spawn(lambda task: group.join())
            with self.assertRaises(GLib.Error) as caught:
                task.result()
            self.assertTrue(caught.exception.matches(Tasker.Error.quark(), Tasker.Error.DEADLOCK))

    def test_added_twice_or_too_late(self):
        group, finished = Tasker.Group(), Tasker.Group()
        finished.finish()
        task = Tasker.Task.new('once', lambda *unused: True)
        for add in (finished.add, lambda each: finished.spawn_local('step', lambda *unused: False),
                    lambda each: finished.new_child('child')):
            self.check(RuntimeError, 'is finished', add, task)
        group.add(task)
        for add in group.add, group.try_add, group.add_wait:
            self.check(RuntimeError, 'added before', add, task)
        group.join()
        assert_counts(self, group, succeeded=1, spawned=1)

    def test_settings_after_adding(self):
        group = Tasker.Group()
        task = group.spawn(lambda task: None)
        for name, value in ('priority', 5), ('run_always', True), ('release_in_context', True):
            self.check(RuntimeError, 'before it is added', setattr, task, name, value)
            self.check(RuntimeError, 'before it is added', getattr(task, f'set_{name}'), value)
        group.join()
        task = Tasker.Task.new('new', lambda *unused: True)
        task.priority, task.run_always, task.release_in_context = 5, True, True
        self.assertEqual((task.priority, task.run_always, task.release_in_context),
                         (5, True, True))

    def test_abort_of_a_new_task(self):
        task = Tasker.Task.new('new', lambda *unused: True)
        self.check(RuntimeError, 'not been added', task.abort)

    def test_completed_twice(self):
        group = Tasker.Group()
        for _ in range(2):
            task = Tasker.Task.new_async('open', None)
            group.add(task)
            iterate_until(lambda: task.state == Tasker.TaskState.RUNNING)
            task.complete()
            self.check(asyncio.InvalidStateError, 'completed', task.complete)
            self.check(asyncio.InvalidStateError, 'completed', task.complete_error,
                       GLib.Error('late', 'some-quark', 1))
        group.join()
        self.check(asyncio.InvalidStateError, 'completed', task.complete)

    def test_progress(self):
        task = Tasker.Task.new('new', lambda *unused: True)
        for value in -0.5, 2, float('nan'):
            self.check(ValueError, 'from 0 to 1', setattr, task, 'progress', value)
            self.check(ValueError, 'from 0 to 1', task.set_progress, value)

    @run
    async def test_names(self):
        async with Tasker.Group() as group:
            self.check(TypeError, '', lambda: group.create_task(give(None), name=5))
            self.check(TypeError, '', lambda: group.spawn(give, name=5))
            self.check(TypeError, '', lambda: group.spawn_wait(give, name=5))
        assert_counts(self, group, spawned=0)

    @run
    async def test_not_a_stopper(self):
        tasks = asyncio.all_tasks()
        for stopper in None, 'no stopper':
            with self.assertRaisesRegex(TypeError, 'Gio.Cancellable'):
                await Tasker.unless(give(None), stopper)
            with self.assertRaisesRegex(TypeError, 'Gio.Cancellable'):
                Tasker.interval(1, stopper)
        self.assertEqual(asyncio.all_tasks(), tasks)

    def test_properties(self):
        self.check(TypeError, '', Tasker.Group, 'name', 'name')
        self.check(TypeError, '', lambda: Tasker.Group(no_such_property=1))
        group = Tasker.Group()
        self.check(TypeError, '', setattr, group, 'max_running', 'many')
        self.check((AttributeError, TypeError), '', setattr, group, 'name', 'other')


if __name__ == '__main__':
    tap.main()
