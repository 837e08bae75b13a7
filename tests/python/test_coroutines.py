# SPDX-License-Identifier: LGPL-2.1-or-later

"""Coroutines on an asyncio loop."""

import traceback

import tap
from support import *


async def give(task, value=None):
    await asyncio.sleep(0)
    return value


async def fail(task, error):
    raise error


def slow(task, gate):
    gate.wait()
    return 'slow'


class Results(Case):
    @run
    async def test_values_are_unchanged(self):
        thing = object()
        async with Tasker.Group('values') as group:
            for value in (None, 1, 'text', thing, [thing]):
                task = group.spawn(give, value)
                self.assertIs(await task, value)
                self.assertIs(await task, value)
                self.assertIs(task.result(), value)
                self.assertIs(task.value, value)
        assert_counts(self, group, succeeded=5, live=0)

    @run
    async def test_arguments_and_current(self):
        async def func(task, *args, **kwargs):
            self.assertIs(Tasker.Task.get_current(), task)
            self.assertEqual(task.state, Tasker.TaskState.RUNNING)
            return args, kwargs

        async with Tasker.Group() as group:
            self.assertIsNone(Tasker.Task.get_current())
            task = group.spawn(func, 1, name='named', key=2)
            self.assertEqual(await task, ((1,), {'key': 2}))
            self.assertEqual(task.name, 'named')

    @run
    async def test_threads_are_awaited(self):
        gate = threading.Event()
        async with Tasker.Group() as group:
            task = group.spawn(slow, gate)
            with self.assertRaises(asyncio.InvalidStateError):
                task.result()
            waiters = [asyncio.ensure_future(task.join()) for _ in range(3)]
            await asyncio.sleep(0.01)
            gate.set()
            await asyncio.gather(*waiters)
            self.assertEqual(await task, 'slow')

    @run
    async def test_many(self):
        async with Tasker.Group() as group:
            tasks = [group.spawn(give, i) for i in range(2000)]
            self.assertEqual([await task for task in tasks], list(range(2000)))
        assert_counts(self, group, succeeded=2000)

    @run
    async def test_max_running(self):
        running = most = 0

        async def work(task):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

        async with Tasker.Group(max_running=3) as group:
            for _ in range(50):
                group.spawn(work)
        self.assertEqual(most, 3)
        assert_counts(self, group, succeeded=50)

    @run
    async def test_priority(self):
        order = []

        async def note(task, name):
            order.append(name)

        async with Tasker.Group(max_running=1) as group:
            group.spawn(give)
            group.spawn(note, 'low', priority=GLib.PRIORITY_LOW)
            group.spawn(note, 'high', priority=GLib.PRIORITY_HIGH)
        self.assertEqual(order, ['high', 'low'])

    @run
    async def test_collect_and_join(self):
        group = Tasker.Group()
        tasks = {group.spawn(give, i) for i in range(10)}
        self.assertEqual(set(await group.collect()), tasks)
        await group.join()
        group = Tasker.Group()
        group.spawn(fail, ValueError('joined'))
        with self.assertRaises(ValueError):
            await group.join()

    @run
    async def test_wait_for_a_place(self):
        begun = []

        async def work(task, i):
            begun.append(i)
            await asyncio.sleep(0.001)

        async with Tasker.Group(max_running=1, max_queued=1) as group:
            for i in range(20):
                await group.spawn_wait(work, i)
                self.assertLessEqual(i - len(begun), 2)
        self.assertEqual(begun, list(range(20)))

    @run
    async def test_what_was_not_added_is_not_waited_for(self):
        async with Tasker.Group(max_running=1, max_queued=1) as group:
            gate = asyncio.Event()
            group.spawn(self.wait_for, gate)
            group.spawn(give)
            with self.assertRaises(TypeError):
                group.spawn_wait(give, priority='high')
            group.spawn_wait(give).close()
            waiter = asyncio.ensure_future(group.spawn_wait(give))
            await asyncio.sleep(0)
            await Tasker.Group().join()  # which is begun after that
            waiter.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await waiter
            await Tasker.Group().join()  # by now C has given the wait up
            gate.set()
        assert_counts(self, group, succeeded=2, spawned=2)
        async with Tasker.Group(max_running=1, max_queued=1) as group:
            group.stop()
            with self.assertRaises(Tasker.Stopped):
                await group.spawn_wait(give)
        assert_counts(self, group, spawned=0)

    async def wait_for(self, task, gate):
        await gate.wait()

    @run
    async def test_await_from_another_loop(self):
        gate = asyncio.Event()

        async def wait(task):
            await gate.wait()
            return 'other'

        async with Tasker.Group() as group:
            task = group.spawn(wait)

            async def elsewhere():
                return await task

            future = asyncio.get_running_loop().run_in_executor(None, asyncio.run, elsewhere())
            await asyncio.sleep(0.01)
            gate.set()
            self.assertEqual(await future, 'other')


class Failures(Case):
    @run
    async def test_the_exception_itself(self):
        for error in ValueError('value'), KeyError(), BaseException('base'):
            group = Tasker.Group()
            task = group.spawn(fail, error)
            with self.assertRaises(type(error)) as caught:
                await task
            self.assertIs(caught.exception, error)
            self.assertEqual(task.state, Tasker.TaskState.FAILED)

    async def expect(self, task, failed, log):
        """Awaits what fails, and then has something else to await."""
        try:
            await failed
        except ValueError as error:
            log.append(len(traceback.extract_tb(error.__traceback__)))
        await asyncio.sleep(0.02)
        return 'went on'

    async def delegate(self, task, failed):
        await asyncio.sleep(0.01)
        await failed

    @run
    async def test_several_await_it(self):
        """What one has caught, and another one fails with, leaves the first one alone."""
        depths = []
        group = Tasker.Group()
        failed = group.spawn(fail, ValueError('failed'))
        others = [group.spawn(self.expect, failed, depths) for _ in range(3)]
        delegates = [group.spawn(self.delegate, failed) for _ in range(2)]
        for task in delegates:
            with self.assertRaises(ValueError):
                await task
        for task in others:
            self.assertEqual(await asyncio.wait_for(task.join(), 30), None)
            self.assertEqual(task.value, 'went on')
        self.assertEqual(len(set(depths)), 1)

    @run
    async def test_a_traceback_with_a_coroutine_that_goes_on(self):
        error = ValueError('shared')
        caught = asyncio.Event()

        async def catch(task):
            try:
                await self.throw(error)
            except ValueError:
                caught.set()
            await asyncio.sleep(0.02)
            return 'went on'

        async def throw_again(task):
            await caught.wait()
            raise error

        group = Tasker.Group()
        first, second = group.spawn(catch), group.spawn(throw_again)
        # assertRaises() would clear the frames itself.
        try:
            await second
        except ValueError as raised:
            self.assertIs(raised, error)
        await asyncio.wait_for(first.join(), 30)
        self.assertEqual(first.value, 'went on')

    async def throw(self, error):
        await asyncio.sleep(0)
        raise error

    @run
    async def test_wrong_arity(self):
        group = Tasker.Group()
        task = group.spawn(fail)
        with self.assertRaises(TypeError):
            await task

    @run
    async def test_raised_on_leaving(self):
        error = ValueError('one')
        with self.assertRaises(ValueError) as caught:
            async with Tasker.Group() as group:
                group.spawn(fail, error)
                other = group.spawn(give, 1)
        self.assertIs(caught.exception, error)
        self.assertEqual(await other, 1)

    @run
    async def test_told_is_not_told_again(self):
        async with Tasker.Group() as group:
            with self.assertRaises(ValueError):
                await group.spawn(fail, ValueError('told'))

    @run
    async def test_body_goes_before(self):
        async def wait(task):
            await task.wait_stopped()
            return 'stopped'

        with self.assertRaises(ZeroDivisionError):
            async with Tasker.Group() as group:
                task = group.spawn(wait)
                1 / 0
        self.assertEqual(await task, 'stopped')


class Ends(Case):
    @run
    async def test_stop_leaves_alone_and_abort_ends(self):
        log = []

        async def deaf(task):
            try:
                await asyncio.sleep(1000)
            finally:
                log.append('finally')
                await asyncio.sleep(0.01)
                log.append('cleaned up')

        async with Tasker.Group() as group:
            task = group.spawn(deaf)
            await asyncio.sleep(0.01)
            group.stop()
            await asyncio.sleep(0.05)
            self.assertTrue(task.is_cancelled())
            self.assertEqual((task.state, log), (Tasker.TaskState.RUNNING, []))
            group.abort()
            await asyncio.sleep(0)
            self.assertEqual(log, ['finally'])
            self.assertEqual(task.state, Tasker.TaskState.RUNNING)
            await group.join()
            self.assertEqual(log, ['finally', 'cleaned up'])
        self.assertEqual(task.state, Tasker.TaskState.ABORTED)
        with self.assertRaises(Tasker.Aborted):
            await task

    @run
    async def test_abort_one_from_a_thread(self):
        async def deaf(task):
            await asyncio.sleep(1000)

        async with Tasker.Group() as group:
            task, other = group.spawn(deaf), group.spawn(give, 1)
            await asyncio.sleep(0.01)
            threading.Thread(target=task.abort).start()
            with self.assertRaises(Tasker.Aborted):
                await task
            self.assertEqual(await other, 1)
        assert_counts(self, group, aborted=1, succeeded=1)

    @run
    async def test_abort_while_others_are_spawned(self):
        """Each may be aborted before Python knows its task, and ends all the same."""
        async def deaf(task):
            await asyncio.sleep(1000)

        for _ in range(20):
            async with Tasker.Group() as group:
                thread = threading.Thread(target=group.abort)
                thread.start()
                while not group.is_stopped():
                    group.spawn(deaf)
                thread.join()
                group.spawn(deaf)
            counts = group.get_counts()
            self.assertEqual(counts.n_aborted, counts.n_spawned)
            self.assertGreater(counts.n_aborted, 0)

    @run
    async def test_abort_before_the_first_step(self):
        begun = []

        async def work(task):
            begun.append(task)

        async with Tasker.Group() as group:
            task = group.spawn(work)
            group.abort()
        self.assertEqual(begun, [])
        self.assertEqual(task.state, Tasker.TaskState.ABORTED)

    @run
    async def test_stop_of_what_is_queued(self):
        begun = []

        async def work(task):
            begun.append(task)
            await task.wait_stopped()

        async with Tasker.Group(max_running=1) as group:
            tasks = [group.spawn(work) for _ in range(5)]
            await asyncio.sleep(0.01)
            group.stop()
            for task in tasks[1:]:
                with self.assertRaises(Tasker.Stopped):
                    await task
        self.assertEqual(begun, tasks[:1])
        assert_counts(self, group, succeeded=1, stopped=4)

    @run
    async def test_shutdown(self):
        async def deaf(task):
            await asyncio.sleep(1000)

        group = Tasker.Group()
        task = group.spawn(deaf)
        await group.shutdown(grace=0.05)
        self.assertEqual(task.state, Tasker.TaskState.ABORTED)
        self._log.clear()  # it warns of the task, as it should

    @run
    async def test_leaked_clone_does_not_hold_up_a_shutdown(self):
        group = Tasker.Group()
        clone = group.clone()
        clone.spawn(give)
        await group.shutdown(grace=30)
        self.assertFalse(clone.is_finished())
        assert_counts(self, group, succeeded=1)

    @run
    async def test_clone_finishes_only(self):
        async with Tasker.Group() as group:
            async with group.clone() as clone:
                task = clone.spawn(give, 2)
            self.assertTrue(clone.is_finished())
            self.assertFalse(group.is_finished())
            self.assertEqual(await task, 2)

    def test_loop_that_ends_before(self):
        group = Tasker.Group()

        async def deaf(task):
            await asyncio.sleep(1000)

        async def main():
            group.spawn(deaf)
            await asyncio.sleep(0.01)

        asyncio.run(main())
        group.join()
        assert_counts(self, group, stopped=1)

    def test_loop_that_ends_at_once(self):
        group = Tasker.Group()

        async def main():
            for _ in range(300):
                group.spawn(give, 1)

        asyncio.run(main())
        group.join()
        assert_counts(self, group, live=0, spawned=300)


class Mistakes(Case):
    """What would never end, and what cannot begin."""

    async def expect_deadlock(self, wait):
        """Awaits what wait() gives, in the coroutine that calls this."""
        with self.assertRaises(GLib.Error) as caught:
            await wait()
        self.assertTrue(caught.exception.matches(Tasker.Error.quark(), Tasker.Error.DEADLOCK))

    @run
    async def test_a_wait_for_what_it_is_inside_of(self):
        async def wait(task, group):
            async def enter():
                async with group:
                    pass

            for function in (group.join, lambda: group.join(timeout=5), group.collect,
                             lambda: group.shutdown(5), enter, task.join,
                             group.clone().join_stream().__aiter__().__anext__):
                await self.expect_deadlock(function)
            self.assertFalse(group.is_stopped())
            return 'not stuck'

        async with Tasker.Group() as group:
            child = group.new_child()
            self.assertEqual(await group.spawn(wait, group), 'not stuck')
            self.assertEqual(await child.spawn(wait, child), 'not stuck')
            # The child is a task of the parent, and what runs in it is not done.
            inner = child.spawn(self.join_parent, group)
            await inner
            child.finish()

    async def join_parent(self, task, group):
        await self.expect_deadlock(group.join)

    @run
    async def test_another_group_is_no_deadlock(self):
        async def wait(task, group):
            await group.join()

        async with Tasker.Group() as group:
            child = group.new_child()
            other = Tasker.Group()
            for inner in child, other:
                inner.spawn(give)
                await group.spawn(wait, inner)

    @run
    async def test_a_grace_that_is_too_long(self):
        group = Tasker.Group()
        with self.assertRaises(OverflowError):
            await asyncio.wait_for(group.shutdown(grace=5e6), 30)
        self.assertFalse(group.is_stopped())

    @run
    async def test_a_join_that_takes_too_long(self):
        gate = asyncio.Event()
        group = Tasker.Group()
        group.spawn(self.wait_for, gate)
        with self.assertRaises(TimeoutError):
            await group.join(timeout=0.01)
        gate.set()
        await group.join(timeout=30)

    async def wait_for(self, task, gate):
        await gate.wait()

    @run
    async def test_for_where_a_loop_runs(self):
        group = Tasker.Group()
        for iterable in Tasker.interval(0.001, group.create_stopper()), group.join_stream():
            with self.assertRaisesRegex(RuntimeError, 'async for'):
                for _ in iterable:
                    pass


class Cancellation(Case):
    """The one who awaits is cancelled, and nothing is lost by that."""

    async def cancel(self, awaitable):
        waiter = asyncio.ensure_future(awaitable)
        await asyncio.sleep(0.005)
        waiter.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await waiter

    @run
    async def test_at_each_await(self):
        gate = threading.Event()
        go_on = asyncio.Event()

        async def wait(task):
            await go_on.wait()
            return 'waited'

        group = Tasker.Group(max_running=2, max_queued=1)
        first, second = group.spawn(slow, gate), group.spawn(wait)
        await asyncio.sleep(0.01)
        queued = await group.spawn_wait(give, 'queued')
        await self.cancel(group.spawn_wait(give, 'never'))
        for task in first, second, queued:
            await self.cancel(task.join())
            await self.cancel(self.await_it(task))
        stopper = group.create_stopper()
        await self.cancel(stopper.sleep(1000))
        await self.cancel(stopper.wait_stopped())
        await self.cancel(Tasker.unless(asyncio.sleep(1000), stopper))
        stream = group.clone().join_stream()
        await self.cancel(stream.__aiter__().__anext__())
        await self.cancel(group.join())
        await self.cancel(group.collect())
        self.assertFalse(group.is_stopped())

        gate.set()
        go_on.set()
        self.assertEqual([await task for task in (first, second, queued)],
                         ['slow', 'waited', 'queued'])
        del stream
        await group.join()
        assert_counts(self, group, succeeded=3, spawned=3)
        self.assertEqual({task.name for task in await group.collect()}, {'slow', 'wait', 'give'})

    @run
    async def test_of_a_shutdown(self):
        go_on = asyncio.Event()
        group = Tasker.Group()
        group.spawn(self.wait_for, go_on)
        await self.cancel(group.shutdown(30))
        self.assertTrue(group.is_stopped())
        go_on.set()
        await group.shutdown(30)
        assert_counts(self, group, succeeded=1)

    async def wait_for(self, task, event):
        await event.wait()

    @run
    async def test_of_a_collect_that_has_its_result(self):
        for i in range(50):
            group = Tasker.Group()
            group.spawn(give, i)
            waiter = asyncio.ensure_future(group.collect())
            await asyncio.sleep(0.0001 * (i % 10))
            waiter.cancel()
            try:
                tasks = await waiter
            except asyncio.CancelledError:
                tasks = await group.collect()
            self.assertEqual([await task for task in tasks], [i])

    @run
    async def test_of_a_stream_that_is_dropped(self):
        for i in range(100):
            group = Tasker.Group()
            for number in range(3):
                group.spawn(give, number)
            waiter = asyncio.ensure_future(group.clone().join_stream().__aiter__().__anext__())
            await asyncio.sleep(0.0001 * (i % 10))
            waiter.cancel()
            try:
                taken = [await waiter]
            except asyncio.CancelledError:
                taken = []
            await group.join()
            taken += await group.collect()
            self.assertEqual(sorted([await task for task in taken]), [0, 1, 2])

    async def await_it(self, task):
        return await task

    @run
    async def test_of_the_body(self):
        async def deaf(task):
            await asyncio.sleep(1000)

        async def body():
            async with Tasker.Group() as group:
                groups.append(group)
                group.spawn(deaf)
                group.spawn(lambda task: task.sleep(1000))
                await asyncio.sleep(1000)

        groups = []
        await self.cancel(body())
        assert_counts(self, groups[0], stopped=2, live=0)

    @run
    async def test_while_leaving(self):
        async def deaf(task):
            await asyncio.sleep(1000)

        async def body():
            async with Tasker.Group() as group:
                groups.append(group)
                group.spawn(deaf)

        groups = []
        await self.cancel(body())
        assert_counts(self, groups[0], stopped=1, live=0)


if __name__ == '__main__':
    tap.main()
