# SPDX-License-Identifier: LGPL-2.1-or-later

"""Nothing is left behind, and nothing waits for the garbage collector."""

import builtins
import operator
import weakref

import tap
from support import *

FAILURES = ValueError, getattr(builtins, 'ExceptionGroup', ValueError)
LEAVE = operator.methodcaller('__aexit__', None, None, None)


class Thing:
    """Something that can be waited for to be gone."""


class Failure(Exception):
    """Unlike what Python has, this knows weak references."""


def use(task, thing):
    return thing


def fail(task, thing):
    here = task, thing
    raise ValueError(here[1])


async def use_later(task, thing):
    await asyncio.sleep(0)
    return thing


async def fail_later(task, thing):
    await asyncio.sleep(0)
    raise ValueError(thing)


class Cycles(Case):
    def setUp(self):
        super().setUp()
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)

    def check(self, function, collect=lambda: None):
        """Runs it with something that has to be gone afterwards, and a group as well."""
        thing = Thing()
        gone = [weakref.ref(thing)]
        gone += [weakref.ref(each) for each in function(thing) or ()]
        thing = None

        def are_gone():
            collect()
            return all(each() is None for each in gone)

        wait_until(are_gone, seconds=5)

    def test_results(self):
        def program(thing):
            with Tasker.Group() as group:
                task = group.spawn(use, thing)
                task.result()
            group.collect()
            return group, task

        self.check(program)

    def test_results_that_nobody_takes(self):
        def program(thing):
            with Tasker.Group() as group:
                for _ in range(10):
                    group.spawn(use, thing)
            return group,

        self.check(program)

    def test_failures(self):
        def program(thing):
            try:
                with Tasker.Group() as group:
                    task = group.spawn(fail, thing)
            except ValueError:
                pass
            return group, task

        # The one who has caught it is in its traceback, as always in Python.
        self.check(program, gc.collect)

    def check_told(self, leave):
        """Has a failure raised to one who then lets go of what he has: his frame is in
        its traceback, as always in Python."""
        def program(thing):
            group = Tasker.Group()
            group.spawn(fail, thing)
            wait_until(lambda: group.get_n_tasks() == 0)
            try:
                leave(group)
                self.fail('nothing was raised')
            except FAILURES:
                return group,
            finally:
                group = thing = None

        self.check(program)

    def test_a_join_that_fails(self):
        self.check_told(operator.methodcaller('join'))

    def test_a_shutdown_that_fails(self):
        self.check_told(operator.methodcaller('shutdown', 5))

    def test_a_with_that_fails(self):
        self.check_told(operator.methodcaller('__exit__', None, None, None))

    def check_told_async(self, leave, stop_on_error=False):
        async def program(thing):
            group = Tasker.Group(stop_on_error=stop_on_error)
            if leave is LEAVE:
                await group.__aenter__()
            group.spawn(fail_later, thing)
            try:
                await leave(group)
                self.fail('nothing was raised')
            except FAILURES:
                pass  # the group has what has the thing
            finally:
                group = thing = None

        self.run_async(program)

    def test_an_awaited_join_that_fails(self):
        self.check_told_async(operator.methodcaller('join'))

    def test_an_awaited_shutdown_that_fails(self):
        self.check_told_async(operator.methodcaller('shutdown', 5))

    def test_an_async_with_that_fails(self):
        for stop_on_error in False, True:
            self.check_told_async(LEAVE, stop_on_error)

    def test_an_async_with_that_succeeds(self):
        async def program(thing):
            async with Tasker.Group(stop_on_error=True) as group:
                group.spawn(use_later, thing)
            return group,

        self.run_async(program)

    def test_failures_that_nobody_takes(self):
        def program(thing):
            group = Tasker.Group()
            group.spawn(fail, thing)
            wait_until(lambda: group.get_n_tasks() == 0)
            return group,

        self.check(program)

    def test_stopped(self):
        def program(thing):
            with Tasker.Group(max_running=1) as group:
                group.spawn(lambda task, thing: task.sleep(1000), thing)
                group.spawn(use, thing)
                group.stop()
            return group,

        self.check(program)

    def test_a_task_that_was_refused(self):
        def program(thing):
            group = Tasker.Group()
            group.stop()
            with self.assertRaises(Tasker.Stopped):
                group.spawn_wait(use, thing)
            group.finish()
            with self.assertRaises(RuntimeError):
                group.spawn(use, thing)
            with self.assertRaises(TypeError):
                group.clone().spawn(use, thing, name=5)
            return group,

        # Who has caught it is in its traceback, as always in Python.
        self.check(program, gc.collect)

    def test_a_task_that_never_ran(self):
        def program(thing):
            task = Tasker.Task.new('never', use, thing)
            return task,

        self.check(program)

    def run_async(self, function, collect=lambda: None):
        def program(thing):
            async def main():
                return await function(thing)
            return asyncio.run(main())

        self.check(program, collect)

    def test_coroutines(self):
        async def program(thing):
            async with Tasker.Group() as group:
                task = group.spawn(use_later, thing)
                await task
                group.create_task(asyncio.sleep(0, thing))
            return group, task

        self.run_async(program)

    def test_coroutines_that_fail(self):
        async def program(thing):
            try:
                async with Tasker.Group() as group:
                    task = group.spawn(fail_later, thing)
            except ValueError:
                pass
            return group, task

        self.run_async(program, gc.collect)

    def test_coroutines_that_never_ran(self):
        async def program(thing):
            async with Tasker.Group(max_running=1) as group:
                tasks = [group.spawn(use_later, thing) for _ in range(5)]
                group.abort()
            return group, *tasks

        self.run_async(program)

    def test_waits(self):
        async def program(thing):
            async with Tasker.Group() as group:
                task = group.spawn(use, thing)
                await asyncio.gather(*(task.join() for _ in range(5)))
                stopper = group.create_stopper()
                await stopper.sleep(0.001)
                await Tasker.unless(use_later(None, thing), stopper)
            tasks = [each async for each in group.join_stream()]
            return group, stopper, *tasks

        self.run_async(program)


class Growth(Case):
    """A group that lives long keeps nothing of what is over."""

    def setUp(self):
        super().setUp()
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)

    def spawn_failures(self, group, number=20):
        """Returns weak references to what the tasks fail with."""
        errors = []

        def fail(task):
            error = Failure()
            errors.append(weakref.ref(error))
            raise error

        tasks = [group.spawn(fail) for _ in range(number)]
        wait_until(lambda: group.get_n_tasks() == 0)
        return tasks, errors

    def count(self, errors):
        return sum(error() is not None for error in errors)

    def test_failures_that_were_collected(self):
        group = Tasker.Group()
        tasks, errors = self.spawn_failures(group)
        self.assertEqual(len(group.poll_collect()), len(errors))
        tasks.clear()
        wait_until(lambda: self.count(errors) == 0)
        group.join()

    def test_failures_that_are_not_kept(self):
        group = Tasker.Group()
        group.keep_results = False
        tasks, errors = self.spawn_failures(group)
        tasks.clear()
        # C has the first that has ended, Python the first that has failed.
        wait_until(lambda: self.count(errors) <= 2)
        with self.assertRaises(Failure):
            group.join()

    def test_failures_that_are_not_kept_but_told(self):
        group = Tasker.Group(keep_results=False)
        tasks, errors = self.spawn_failures(group)
        for task in tasks:
            with self.assertRaises(Failure):
                task.result()
        task = None
        tasks.clear()
        # C has the first one for those who join.
        wait_until(lambda: self.count(errors) <= 1)
        tasks, errors = self.spawn_failures(group)
        tasks.clear()
        with self.assertRaises(Failure) as caught:
            group.join()
        self.assertIn(caught.exception, [error() for error in errors])

    def test_children(self):
        parent = Tasker.Group()
        for _ in range(20):
            with parent.new_child() as child:
                crew = weakref.ref(child._crew)
            child = None
            self.assertIsNone(crew())
        parent.join()

    def test_failures_of_children_that_are_gone(self):
        """They are the parent's then, who is told of them."""
        parent = Tasker.Group()
        child = parent.new_child()
        tasks, errors = self.spawn_failures(child, 1)
        child.finish()
        child = tasks = None
        with self.assertRaises(Failure) as caught:
            parent.join()
        self.assertIs(caught.exception, errors[0]())


class References(Case):
    """What returns objects returns as many references as it should."""

    def check(self, function, owned):
        """The object that function() returns has so many references, its wrapper's
        own one among them, and is gone with the wrapper."""
        thing = function()
        self.assertEqual(thing.__grefcount__, owned)
        gone = []
        thing.weak_ref(lambda: gone.append(True))
        del thing
        return gone

    def test_new_objects(self):
        group = Tasker.Group('all')
        group.spawn(use, 1)
        for function in (lambda: Tasker.Group.new('new'), lambda: Tasker.Group('made'),
                         group.clone, lambda: group.new_child('child'), group.create_stopper,
                         group.create_signaller, group.get_tasks, lambda: group.clone().join_stream(),
                         lambda: Tasker.Task.new('task', use), lambda: Tasker.Task.new_local('l', use),
                         lambda: Tasker.Task.new_interval('i', 5, use),
                         lambda: Tasker.Task.new_each('e', 5, use),
                         lambda: Tasker.Task.new_async('a', None)):
            gone = self.check(function, 1)
            gc.collect()
            wait_until(lambda: gone, seconds=5)
        group.abort()
        group.join()

    def test_tasks(self):
        group = Tasker.Group(max_running=1)
        for _ in range(3):
            group.spawn(use, 1)
        clone = group.clone()
        group.finish()
        wait_until(lambda: group.get_n_tasks() == 0)
        streamed = clone.join_stream().__next__()
        collected = clone.collect()
        self.assertEqual([task.__grefcount__ for task in (streamed, *collected)], [1, 1, 1])


if __name__ == '__main__':
    tap.main()
