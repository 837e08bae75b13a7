# SPDX-License-Identifier: LGPL-2.1-or-later

"""Waiting for the stop, and until it."""

import tap
from support import *


def assert_cancelled(case):
    return case.assertRaisesRegex(GLib.Error, 'ancel')


class Blocking(Case):
    def test_sleep(self):
        group = Tasker.Group()
        stopper = group.create_stopper()
        begin = time.monotonic()
        stopper.sleep(0.05)
        self.assertGreaterEqual(time.monotonic() - begin, 0.049)
        threading.Timer(0.05, group.stop).start()
        with assert_cancelled(self):
            stopper.sleep(1000)
        with assert_cancelled(self):
            stopper.sleep(0)
        stopper.wait_stopped()

    def test_in_a_thread(self):
        with Tasker.Group() as group:
            slept = group.spawn(lambda task: task.sleep(0.01) or 'slept')
            waited = group.spawn(lambda task: task.wait_stopped() or 'waited')
            self.assertEqual(slept.result(), 'slept')
            group.stop()
            self.assertEqual(waited.result(), 'waited')

    def test_interval(self):
        group = Tasker.Group()
        stopper = group.create_stopper()
        ticks = []
        begin = time.monotonic()
        for tick in Tasker.interval(0.01, stopper):
            self.assertGreaterEqual(time.monotonic() - begin, tick * 0.01 - 0.001)
            ticks.append(tick)
            if len(ticks) == 3:
                time.sleep(0.05)
            if len(ticks) == 5:
                group.stop()
        self.assertEqual(ticks, sorted(set(ticks)))
        self.assertEqual(len(ticks), 5)
        self.assertGreaterEqual(ticks[3], ticks[2] + 5)
        with self.assertRaises(ValueError):
            Tasker.interval(0, stopper)


    def test_interval_of_any_cancellable(self):
        cancellable = Gio.Cancellable()

        def tick(task):
            for tick in Tasker.interval(0.001, cancellable):
                if tick >= 3:
                    cancellable.cancel()
            return tick

        with Tasker.Group() as group:
            self.assertGreaterEqual(group.spawn(tick).result(), 3)
        cancellable.reset()
        self.assertGreaterEqual(tick(None), 3)


class Awaiting(Case):
    @run
    async def test_sleep(self):
        group = Tasker.Group()
        stopper = group.create_stopper()
        await stopper.sleep(0.01)
        asyncio.get_running_loop().call_later(0.01, group.stop)
        with assert_cancelled(self):
            await stopper.sleep(1000)
        with assert_cancelled(self):
            await stopper.sleep(0)
        await stopper.wait_stopped()

    @run
    async def test_stop_from_a_thread(self):
        group = Tasker.Group()
        waiters = [asyncio.ensure_future(group.create_stopper().wait_stopped()) for _ in range(20)]
        await asyncio.sleep(0)
        await asyncio.get_running_loop().run_in_executor(None, group.stop)
        await asyncio.gather(*waiters)

    @run
    async def test_sleep_that_is_stopped_counts_as_stopped(self):
        async with Tasker.Group() as group:
            task = group.spawn(self.sleep)
            await asyncio.sleep(0.01)
            group.stop()
        self.assertEqual(task.state, Tasker.TaskState.STOPPED)

    async def sleep(self, task):
        await task.sleep(1000)

    @run
    async def test_cancel_alone(self):
        async with Tasker.Group() as group:
            task = group.spawn(self.sleep)
            await asyncio.sleep(0.01)
            task.cancel()
            with self.assertRaises(Tasker.Stopped):
                await task

    @run
    async def test_yield_now(self):
        order = []

        async def work(task, name):
            for i in range(3):
                order.append((i, name))
                await task.yield_now()

        async def until_stopped(task):
            while True:
                await task.yield_now()

        async with Tasker.Group() as group:
            group.spawn(work, 'a')
            group.spawn(work, 'b')
        self.assertEqual(order, sorted(order))
        async with Tasker.Group() as group:
            task = group.spawn(until_stopped)
            await asyncio.sleep(0.01)
            group.stop()
        self.assertEqual(task.state, Tasker.TaskState.STOPPED)

    @run
    async def test_unless(self):
        group = Tasker.Group()
        stopper = group.create_stopper()
        self.assertEqual(await Tasker.unless(asyncio.sleep(0.01, 'done'), stopper), 'done')
        with self.assertRaises(ZeroDivisionError):
            await Tasker.unless(self.divide(), stopper)

        log = []
        asyncio.get_running_loop().call_later(0.01, group.stop)
        with assert_cancelled(self):
            await Tasker.unless(self.note(log), stopper)
        self.assertEqual(log, ['cancelled'])
        # What is ready together: the stop wins.
        with assert_cancelled(self):
            await Tasker.unless(asyncio.sleep(0, 'done'), stopper)
        future = asyncio.get_running_loop().create_future()
        future.set_result('there')
        with assert_cancelled(self):
            await Tasker.unless(future, stopper)

    async def divide(self):
        return 1 / 0

    async def note(self, log):
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            log.append('cancelled')
            raise

    async def clean_up(self, log):
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(0.01)
            log.append('cleaned up')

    async def count(self, log):
        try:
            for i in range(1000):
                yield i
                await asyncio.sleep(0.001 if i < 3 else 1000)
        finally:
            await asyncio.sleep(0.01)
            log.append('closed')

    async def cancel(self, awaitable, n_times=1):
        waiter = asyncio.ensure_future(awaitable)
        for _ in range(n_times):
            await asyncio.sleep(0.02)
            waiter.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await waiter

    @run
    async def test_cancellation_waits_for_what_cleans_up(self):
        stopper = Tasker.Group().create_stopper()
        log = []

        async def take():
            async for i in Tasker.take_until(self.count(log), stopper):
                log.append(i)

        await self.cancel(Tasker.unless(self.clean_up(log), stopper))
        self.assertEqual(log, ['cleaned up'])
        log.clear()
        await self.cancel(take())
        self.assertEqual(log, [0, 1, 2, 3, 'closed'])

    @run
    async def test_cancelled_again(self):
        """Each cancellation goes on to what is awaited, however often it comes."""
        stopper = Tasker.Group().create_stopper()
        n_cancelled = 0

        async def stubborn():
            nonlocal n_cancelled
            while n_cancelled < 2:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    n_cancelled += 1
            return 'never seen'

        await self.cancel(Tasker.unless(stubborn(), stopper), 2)
        self.assertEqual(n_cancelled, 2)

    @run
    async def test_cancelled_and_stopped(self):
        """The stop ends what is awaited, and who awaits is cancelled meanwhile."""
        group = Tasker.Group()
        log = []
        waiter = asyncio.ensure_future(Tasker.unless(self.clean_up(log), group.create_stopper()))
        await asyncio.sleep(0.005)
        group.stop()
        await asyncio.sleep(0.005)
        waiter.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await waiter
        self.assertNotIn('clean_up', {task.get_coro().__name__ for task in asyncio.all_tasks()})

    @run
    async def test_cancellation_of_the_others(self):
        stopper = Tasker.Group().create_stopper()

        async def tick():
            async for _ in Tasker.interval(1000, stopper):
                pass

        async def turn():
            while True:
                await stopper.yield_now()

        await self.cancel(tick())
        await self.cancel(turn())
        await stopper.sleep(0)

    @run
    async def test_take_until(self):
        async def count():
            try:
                i = 0
                while True:
                    yield i
                    i += 1
                    await asyncio.sleep(0.001 if i < 5 else 1000)
            finally:
                closed.append(True)

        closed = []
        group = Tasker.Group()
        stopper = group.create_stopper()
        asyncio.get_running_loop().call_later(0.1, group.stop)
        self.assertEqual([i async for i in Tasker.take_until(count(), stopper)], [0, 1, 2, 3, 4])
        self.assertEqual(closed, [True])
        self.assertEqual([i async for i in Tasker.take_until(count(), stopper)], [])

    @run
    async def test_any_cancellable(self):
        log = []
        for function in (lambda each: Tasker.unless(self.note(log), each),
                         lambda each: self.go_through(Tasker.take_until(self.count(log), each)),
                         lambda each: self.go_through(Tasker.interval(0.001, each))):
            cancellable = Gio.Cancellable()
            asyncio.get_running_loop().call_later(0.02, cancellable.cancel)
            try:
                await asyncio.wait_for(function(cancellable), 30)
            except GLib.Error as error:
                log.append(error.code)
        self.assertEqual(log, ['cancelled', Gio.IOErrorEnum.CANCELLED, 'closed'])

    async def go_through(self, iterable):
        async for _ in iterable:
            pass

    @run
    async def test_take_until_the_end(self):
        async def three():
            for i in range(3):
                yield i

        stopper = Tasker.Group().create_stopper()
        self.assertEqual([i async for i in Tasker.take_until(three(), stopper)], [0, 1, 2])

    @run
    async def test_interval(self):
        group = Tasker.Group()
        ticks = []
        async for tick in Tasker.interval(0.01, group.create_stopper()):
            ticks.append(tick)
            if len(ticks) == 3:
                group.stop()
        self.assertEqual(len(ticks), 3)
        self.assertEqual(ticks, sorted(set(ticks)))


if __name__ == '__main__':
    tap.main()
