# SPDX-License-Identifier: LGPL-2.1-or-later

"""Which loops there may be: none, GLib's alone, asyncio's on GLib's."""

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

    def test_blocking_with_is_refused_on_a_loop(self):
        async def main():
            with self.assertRaisesRegex(RuntimeError, 'async with'):
                with Tasker.Group():
                    pass

        asyncio.run(main())


@unittest.skipIf(GLibEventLoopPolicy is None, 'this PyGObject has no asyncio integration')
class AsyncioOnGLib(Case):
    def run_on_glib(self, function):
        policy = GLibEventLoopPolicy()
        loop = policy.get_event_loop()
        with loop:
            return loop.run_until_complete(asyncio.wait_for(function, 60))

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


if __name__ == '__main__':
    tap.main()
