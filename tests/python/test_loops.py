# SPDX-License-Identifier: LGPL-2.1-or-later

"""Which loops there may be: none, GLib's alone, asyncio's on GLib's."""

import contextlib

import tap
from support import *

try:
    from gi.events import GLibEventLoopPolicy
except ImportError:
    GLibEventLoopPolicy = None


def give(task, value):
    return value


async def give_later(task, value):
    await asyncio.sleep(0.001)
    return value


class GLibAlone(Case):
    def test_callbacks_while_the_loop_runs(self):
        loop = GLib.MainLoop()
        group = Tasker.Group()
        task = group.spawn(give, 'value')

        def on_joined(group, result):
            self.assertTrue(Tasker.Group.join_finish(group, result))
            loop.quit()

        GLib.idle_add(lambda: Tasker.Group.join_async(group, None, on_joined) and False)
        loop.run()
        self.assertEqual(task.result(), 'value')

    def test_blocking_runs_what_belongs_to_the_loop(self):
        group = Tasker.Group()
        steps = []

        def step(stopper):
            steps.append(stopper)
            return len(steps) < 3

        group.add(Tasker.Task.new_local('steps', step))
        with group:
            pass
        self.assertEqual(len(steps), 3)

    def test_coroutines_are_refused(self):
        group = Tasker.Group()
        refused = []

        def spawn():
            with self.assertRaisesRegex(RuntimeError, 'no asyncio loop runs') as caught:
                group.spawn(give_later, 1)
            refused.append(caught.exception)
            loop.quit()

        loop = GLib.MainLoop()
        GLib.idle_add(spawn)
        loop.run()
        self.assertEqual(len(refused), 1)
        assert_counts(self, group, spawned=0)
        group.join()


class AsyncioInThreads(Case):
    def test_a_loop_in_each_of_several_threads(self):
        results = []

        async def main(number):
            async with Tasker.Group() as group:
                tasks = [group.spawn(give_later, i) for i in range(50)]
                tasks += [group.spawn(give, i) for i in range(50)]
                results.append(sum([await task for task in tasks]))

        threads = [threading.Thread(target=lambda: asyncio.run(main(i))) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [2450] * 4)

    def test_one_group_on_two_loops(self):
        group = Tasker.Group()
        ready = threading.Barrier(2)

        async def main():
            ready.wait()
            async with group.clone() as clone:
                tasks = [clone.spawn(give_later, i) for i in range(200)]
                self.assertEqual([await task for task in tasks], list(range(200)))

        threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        group.join()
        assert_counts(self, group, succeeded=400, spawned=400)

    def test_a_failure_ends_the_coroutines_of_other_loops(self):
        async def wait(task):
            await asyncio.sleep(1000)

        async def fail(task):
            raise ValueError('failed')

        async def spawn(group, begun):
            with self.assertRaises(Tasker.Stopped):
                task = group.spawn(wait)
                asyncio.get_running_loop().call_later(0.01, begun.set)
                await task

        async def main():
            loop = asyncio.get_running_loop()
            begun = threading.Event()
            group = Tasker.Group(stop_on_error=True)
            there = loop.run_in_executor(None, asyncio.run, spawn(group, begun))
            try:
                async with group:
                    while not begun.is_set():
                        await asyncio.sleep(0.001)
                    group.spawn(fail)
            finally:
                await there

        with self.assertRaises(Exception) as caught:
            asyncio.run(asyncio.wait_for(main(), 30))
        self.assertIn('failed', str(getattr(caught.exception, 'exceptions', caught.exception)))

    def leave_behind(self, group, close_after=0):
        """Spawns coroutines, of which some are queued, on a loop that is closed."""
        async def wait(task):
            await asyncio.sleep(1000)

        async def spawn():
            tasks = [group.spawn(wait) for _ in range(3)]
            await asyncio.sleep(0.01)
            return tasks

        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *unused: None)  # the coroutines are dropped
        tasks = loop.run_until_complete(spawn())

        def close():
            time.sleep(close_after)
            loop.close()

        closer = threading.Thread(target=close)
        closer.start()
        self.addCleanup(closer.join)
        if close_after == 0:
            closer.join()
        return tasks

    def test_coroutines_of_a_closed_loop(self):
        for delay in 0, 0.05:
            group = Tasker.Group(max_running=2)
            for task in self.leave_behind(group, delay):
                with self.assertRaises((Tasker.Stopped, Tasker.Aborted)):
                    task.result()
            group.join()

            group = Tasker.Group(max_running=2)
            tasks = self.leave_behind(group, delay)
            self.assertEqual(set(group.join_stream()), set(tasks))
            assert_counts(self, group, live=0, succeeded=0, failed=0)

            group = Tasker.Group(max_running=2)
            self.leave_behind(group, delay)
            group.join()

    def test_coroutines_of_a_closed_loop_for_another_one(self):
        async def main(delay):
            group = Tasker.Group(max_running=2)
            loop = asyncio.get_running_loop()
            tasks = await loop.run_in_executor(None, self.leave_behind, group, delay)
            for task in tasks:
                with self.assertRaises((Tasker.Stopped, Tasker.Aborted)):
                    await task
            await group.join()

        for delay in 0, 0.05:
            asyncio.run(asyncio.wait_for(main(delay), 30))

    def test_a_turn_that_comes_after_the_loop(self):
        """What is queued ends with its loop, and does not begin after that."""
        gate = threading.Event()
        self.addCleanup(gate.set)
        group = Tasker.Group(max_running=1)
        group.spawn(lambda task: gate.wait())
        tasks = self.leave_behind(group)
        wait_until(lambda: all(task.is_finished() for task in tasks))
        gate.set()
        group.join()
        assert_counts(self, group, live=0, succeeded=1, aborted=3)

    def test_blocking_with_is_refused_on_a_loop(self):
        async def main():
            with self.assertRaisesRegex(RuntimeError, 'async with'):
                with Tasker.Group():
                    pass

        asyncio.run(main())


@contextlib.contextmanager
def asyncio_on_glib():
    """Has asyncio run on GLib's main loops, as programs do it."""
    policy = GLibEventLoopPolicy()
    if hasattr(policy, '__enter__'):
        with policy:
            yield policy
        return
    asyncio.set_event_loop_policy(policy)
    try:
        yield policy
    finally:
        policy.get_event_loop().close()
        asyncio.set_event_loop_policy(None)


@unittest.skipIf(GLibEventLoopPolicy is None, 'this PyGObject has no asyncio integration')
class AsyncioOnGLib(Case):
    def run_on_glib(self, coroutine):
        with asyncio_on_glib() as policy:
            policy.get_event_loop().run_until_complete(asyncio.wait_for(coroutine, 60))

    def test_all_of_it(self):
        async def wait(task):
            await task.wait_stopped()
            return 'stopped'

        async def main():
            redrawn = []
            GLib.idle_add(lambda: redrawn.append(True) and False, priority=GLib.PRIORITY_HIGH_IDLE)
            async with Tasker.Group() as group:
                tasks = [group.spawn(give_later, 1), group.spawn(give, 2), group.spawn(wait)]
                self.assertEqual([await task for task in tasks[:2]], [1, 2])
                await tasks[2].yield_now()
                self.assertEqual(redrawn, [True])
                group.stop()
                self.assertEqual(await tasks[2], 'stopped')
                self.assertEqual({task async for task in group.join_stream()}, set(tasks))

        self.run_on_glib(main())

    def test_yield_now_lets_windows_be_redrawn(self):
        """However often that is asked for: one turn of asyncio's would do it once."""
        redraws = []

        def redraw():
            redraws.append(True)
            return len(redraws) < 1000

        async def main():
            GLib.idle_add(redraw, priority=GLib.PRIORITY_HIGH_IDLE + 20)
            async with Tasker.Group() as group:
                await group.spawn(self.give_way)

        self.run_on_glib(main())
        self.assertEqual(len(redraws), 1000)

    async def give_way(self, task):
        await task.yield_now()

    def test_steps_run_beside_coroutines(self):
        """What is C's on the main context goes on while the group is awaited."""
        steps = []

        def step(stopper):
            steps.append(threading.current_thread())
            return len(steps) < 3

        async def main():
            async with Tasker.Group() as group:
                group.add(Tasker.Task.new_local('steps', step))
                group.spawn(give_later, 1)

        self.run_on_glib(main())
        self.assertEqual(steps, [threading.main_thread()] * 3)

    def test_abort_ends_a_coroutine(self):
        ended = []

        async def wait(task):
            try:
                await asyncio.sleep(1000)
            finally:
                ended.append(True)

        async def main():
            async with Tasker.Group() as group:
                task = group.spawn(wait)
                await asyncio.sleep(0.01)
                group.abort()
                with self.assertRaises(Tasker.Aborted):
                    await task
                self.assertEqual(ended, [True])

        self.run_on_glib(main())

    def test_callbacks_of_glib_spawn_coroutines(self):
        """GLib's main loop is what runs, and asyncio's on it."""
        group = Tasker.Group()
        results = []

        async def gather(task, tasks):
            results.extend([await each for each in tasks])

        def on_joined(group, result):
            results.append(Tasker.Group.join_finish(group, result))
            loop.quit()

        def spawn():
            group.spawn(gather, [group.spawn(give_later, 1), group.spawn(give, 2)])
            Tasker.Group.join_async(group, None, on_joined)

        with asyncio_on_glib():
            loop = GLib.MainLoop()
            GLib.idle_add(spawn)
            loop.run()
        self.assertEqual(results, [1, 2, True])

    def test_a_loop_in_a_thread(self):
        """There it runs a main context of its own."""
        results = []

        async def main():
            async with Tasker.Group() as group:
                tasks = [group.spawn(give_later, 1), group.spawn(give, 2)]
                await tasks[0].yield_now()
                results.extend([await task for task in tasks])

        with asyncio_on_glib():
            thread = threading.Thread(target=lambda: asyncio.run(main()))
            thread.start()
            thread.join()
        self.assertEqual(results, [1, 2])


if __name__ == '__main__':
    tap.main()
