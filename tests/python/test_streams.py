# SPDX-License-Identifier: LGPL-2.1-or-later

"""Results as they come, and models."""

import tap
from support import *


async def give_later(task, value, delay=0):
    await asyncio.sleep(delay)
    return value


def give(task, value):
    return value


def fail(task):
    raise ValueError('failed')


class Streams(Case):
    def test_for(self):
        group = Tasker.Group()
        for i in range(100):
            group.spawn(give, i)
        values = [task.result() for task in group.join_stream()]
        self.assertEqual(sorted(values), list(range(100)))
        self.assertTrue(group.is_finished())
        self.assertEqual(group.collect(), [])

    def test_as_a_model(self):
        group = Tasker.Group(max_running=1)
        tasks = [group.spawn(give, i) for i in range(10)]
        clone = group.clone()
        stream = clone.join_stream()
        group.finish()
        iterate_until(lambda: len(stream) == 10)
        items = [stream[i] for i in range(10)]
        self.assertEqual(items, tasks)
        self.assertEqual(stream[-1].result(), 9)
        self.assertEqual([task.result() for task in stream], list(range(10)))
        self.assertEqual(len(stream), 0)

    @run
    async def test_async_for(self):
        group = Tasker.Group()
        for i in range(20):
            group.spawn(give_later, i)
            group.spawn(give, i)
        values = [await task async for task in group.join_stream()]
        self.assertEqual(sorted(values), sorted([*range(20)] * 2))

    @run
    async def test_in_the_order_of_the_ends(self):
        group = Tasker.Group()
        for delay in 0.1, 0.0, 0.05:
            group.spawn(give_later, delay, delay)
        self.assertEqual([await task async for task in group.join_stream()], [0.0, 0.05, 0.1])

    @run
    async def test_what_is_left_stays_in_the_group(self):
        group = Tasker.Group()
        for i in range(10):
            group.spawn(give, i)
        async for task in group.join_stream():
            break
        task = await asyncio.wait_for(group.collect(), 30)
        self.assertEqual(len(task), 9)

    @run
    async def test_a_wait_that_is_cancelled_loses_nothing(self):
        gates = [threading.Event() for _ in range(20)]
        group = Tasker.Group(max_running=len(gates))
        for gate in gates:
            group.spawn(lambda task, gate: gate.wait(), gate)
        iterator = group.join_stream().__aiter__()
        n_taken = 0
        for i, gate in enumerate(gates):
            waiter = asyncio.ensure_future(iterator.__anext__())
            await asyncio.sleep(0.001 * (i % 3))
            gate.set()
            await asyncio.sleep(0.0001 * (i % 7))
            waiter.cancel()
            try:
                await waiter
                n_taken += 1
            except asyncio.CancelledError:
                pass
        async for _ in iterator:
            n_taken += 1
        self.assertEqual(n_taken, len(gates))

    @run
    async def test_taken_failures_are_the_takers_affair(self):
        async with Tasker.Group() as group:
            group.spawn(fail)
            clone = group.clone()
            stream = clone.join_stream().__aiter__()
            task = await stream.__anext__()
            self.assertEqual(task.state, Tasker.TaskState.FAILED)

    def test_poll(self):
        group = Tasker.Group()
        group.spawn(give, 1)
        wait_until(lambda: group.get_n_tasks() == 0)
        self.assertEqual([task.result() for task in group.poll_collect()], [1])
        group.join()


class Models(Case):
    def test_live_tasks(self):
        gate = threading.Event()
        with Tasker.Group() as group:
            model = group.get_tasks()
            tasks = [group.spawn(lambda task: gate.wait()) for _ in range(3)]
            iterate_until(lambda: len(model) == 3)
            self.assertEqual([model[i] for i in range(3)], tasks)
            self.assertEqual(list(model), tasks)
            gate.set()
            iterate_until(lambda: len(model) == 0)


if __name__ == '__main__':
    tap.main()
