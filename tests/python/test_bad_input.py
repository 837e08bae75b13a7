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

    def test_properties(self):
        self.check(TypeError, '', Tasker.Group, 'name', 'name')
        self.check(TypeError, '', lambda: Tasker.Group(no_such_property=1))
        group = Tasker.Group()
        self.check(TypeError, '', setattr, group, 'max_running', 'many')
        self.check((AttributeError, TypeError), '', setattr, group, 'name', 'other')


if __name__ == '__main__':
    tap.main()
