# SPDX-License-Identifier: LGPL-2.1-or-later

"""With stop_on_error=True a group acts as asyncio.TaskGroup: each test runs the
same program with both, and compares what happened."""

import sys

import tap
from support import *


async def give(value, delay=0):
    await asyncio.sleep(delay)
    return value


async def fail(error, delay=0):
    await asyncio.sleep(delay)
    raise error


async def cancel(coroutine, log):
    """Runs it as a task that is cancelled in the middle of it."""
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0.01)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log.append('cancelled')


@unittest.skipIf(not hasattr(asyncio, 'TaskGroup'), 'this Python has no asyncio.TaskGroup')
class TaskGroup(Case):
    def compare(self, program, seconds=60):
        """Runs program(group, log) with both kinds of groups."""
        results = []
        for make in asyncio.TaskGroup, lambda: Tasker.Group(stop_on_error=True):
            log = []

            async def main():
                try:
                    await asyncio.wait_for(program(make, log), seconds)
                except BaseExceptionGroup as group:
                    log.append((type(group), sorted(map(repr, group.exceptions))))
                except BaseException as error:
                    log.append(type(error))

            try:
                asyncio.run(main())
            except BaseException as error:
                log.append(('out of run()', type(error)))
            results.append(log)
        self.assertEqual(results[1], results[0])
        self.assertNotEqual(results[0], [])

    def test_success(self):
        async def program(make, log):
            async with make() as group:
                first = group.create_task(give(1), name='first')
                second = group.create_task(give(2, 0.01))
                log.append(await first)
            log.append(second.result())

        self.compare(program)

    def test_one_failure_cancels_the_rest(self):
        async def program(make, log):
            async def deaf():
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    log.append('cancelled')
                    raise
                finally:
                    await asyncio.sleep(0.01)
                    log.append('cleaned up')

            async with make() as group:
                group.create_task(deaf())
                group.create_task(fail(ValueError('one'), 0.01))
                try:
                    await asyncio.sleep(1000)
                finally:
                    log.append('body')

        self.compare(program)

    def test_failure_while_leaving(self):
        async def program(make, log):
            async with make() as group:
                group.create_task(fail(ValueError('late'), 0.01))
                group.create_task(asyncio.sleep(1000))
            log.append('not reached')

        self.compare(program)

    def test_several_failures(self):
        async def program(make, log):
            async def fail_again():
                try:
                    await asyncio.sleep(1000)
                finally:
                    raise KeyError('again')

            async with make() as group:
                group.create_task(fail_again())
                group.create_task(fail(ValueError('one')))

        self.compare(program)

    def test_body_fails(self):
        async def program(make, log):
            async with make() as group:
                group.create_task(asyncio.sleep(1000))
                await asyncio.sleep(0)
                raise OSError('body')

        self.compare(program)

    def test_body_and_task_fail(self):
        async def program(make, log):
            async with make() as group:
                group.create_task(fail(ValueError('task')))
                try:
                    await asyncio.sleep(1000)
                finally:
                    raise OSError('body')

        self.compare(program)

    def test_awaited_failure_counts(self):
        async def program(make, log):
            async with make() as group:
                task = group.create_task(fail(ValueError('awaited')))
                try:
                    await task
                except ValueError:
                    log.append('seen')

        self.compare(program)

    def test_outer_cancellation(self):
        async def program(make, log):
            async def inner():
                async with make() as group:
                    group.create_task(asyncio.sleep(1000))
                    log.append('in')
                    await asyncio.sleep(1000)

            await cancel(inner(), log)

        self.compare(program)

    def test_outer_cancellation_while_leaving(self):
        async def program(make, log):
            async def inner():
                async with make() as group:
                    group.create_task(asyncio.sleep(1000))

            await cancel(inner(), log)

        self.compare(program)

    def test_timeout_around(self):
        async def program(make, log):
            try:
                async with asyncio.timeout(0.02):
                    async with make() as group:
                        group.create_task(asyncio.sleep(1000))
                        await asyncio.sleep(1000)
            except TimeoutError:
                log.append('timeout')

        self.compare(program)

    def test_cancelled_task_is_no_failure(self):
        async def program(make, log):
            async with make() as group:
                task = group.create_task(asyncio.sleep(1000))
                await asyncio.sleep(0.01)
                task.cancel()
            log.append('left')

        self.compare(program)

    def test_tasks_spawn_tasks_while_leaving(self):
        async def program(make, log):
            async def spawn(depth):
                log.append(depth)
                await asyncio.sleep(0)
                if depth > 0:
                    group.create_task(spawn(depth - 1))

            async with make() as group:
                group.create_task(spawn(3))

        self.compare(program)

    def test_nested(self):
        async def program(make, log):
            async with make() as outer:
                outer.create_task(asyncio.sleep(1000))
                try:
                    async with make() as inner:
                        inner.create_task(fail(ValueError('inner')))
                except ExceptionGroup:
                    log.append('inner group')
                    raise KeyError('outer')

        self.compare(program)

    def test_system_exit_in_a_task(self):
        for kind in SystemExit, KeyboardInterrupt:
            async def program(make, log):
                try:
                    async with make() as group:
                        group.create_task(asyncio.sleep(1000))
                        group.create_task(fail(kind(3), 0.005))
                        await asyncio.sleep(1000)
                finally:
                    log.append('left')

            # It ends the loop as well, and a wait_for() around it would be left over.
            self.compare(program, seconds=None)

    def test_base_exception_in_a_task(self):
        async def program(make, log):
            async with make() as group:
                group.create_task(fail(BaseException('base')))
                group.create_task(asyncio.sleep(1000))

        self.compare(program)

    def check_errors_and_outer_cancellation(self, leaving):
        """The failure comes first, and the one who awaits is cancelled then."""
        async def program(make, log):
            async def clean_up():
                try:
                    await asyncio.sleep(1000)
                finally:
                    await asyncio.sleep(0.02)

            async def inner():
                try:
                    async with make() as group:
                        group.create_task(clean_up())
                        group.create_task(fail(ValueError('one'), 0.01))
                        await asyncio.sleep(0 if leaving else 1000)
                except ExceptionGroup as error:
                    log.append((str(error.exceptions), asyncio.current_task().cancelling()))
                await asyncio.sleep(0.01)
                log.append('not cancelled again')

            task = asyncio.ensure_future(inner())
            await asyncio.sleep(0.02)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                log.append('cancelled')

        if sys.version_info >= (3, 13):
            self.compare(program)
        # Older versions forget the cancellation.
        log = []
        asyncio.run(program(lambda: Tasker.Group(stop_on_error=True), log))
        self.assertEqual(log, [("(ValueError('one'),)", 1), 'cancelled'])

    def test_outer_cancellation_meets_errors(self):
        self.check_errors_and_outer_cancellation(leaving=False)

    def test_outer_cancellation_meets_errors_while_leaving(self):
        self.check_errors_and_outer_cancellation(leaving=True)

    def test_system_exit(self):
        async def program(make, log):
            async with make() as group:
                group.create_task(asyncio.sleep(1000))
                raise SystemExit(3)

        self.compare(program)

    def test_after_the_end(self):
        async def program(make, log):
            async with make() as group:
                pass
            coroutine = give(1)
            try:
                group.create_task(coroutine)
            except RuntimeError:
                log.append('refused')
            coroutine.close()

        self.compare(program)


class Mixed(Case):
    @run
    async def test_a_thread_fails(self):
        def bad(task):
            raise ValueError('thread')

        async def deaf(task):
            await asyncio.sleep(1000)

        caught = None
        try:
            async with Tasker.Group(stop_on_error=True) as group:
                group.spawn(deaf)
                group.spawn(lambda task: task.wait_stopped())
                group.spawn(bad)
                await asyncio.sleep(1000)
        except Exception as error:
            caught = error
        errors = getattr(caught, 'exceptions', [caught])
        self.assertEqual([repr(error) for error in errors], ["ValueError('thread')"])
        assert_counts(self, group, failed=1, succeeded=1, stopped=1)
        self.assertEqual(asyncio.current_task().cancelling() if hasattr(asyncio.Task, 'cancelling')
                         else 0, 0)

    @run
    async def test_a_task_of_c_fails(self):
        with self.assertRaises(Exception) as caught:
            async with Tasker.Group(stop_on_error=True) as group:
                task = Tasker.Task.new_async('raw', None)
                group.add(task)
                task.complete_error(GLib.Error('raw', 'raw-quark', 1))
                ending = asyncio.get_running_loop().create_task(self.iterate(group))
                await asyncio.sleep(1000)
        await ending
        errors = getattr(caught.exception, 'exceptions', [caught.exception])
        self.assertEqual([error.domain for error in errors], ['raw-quark'])

    async def iterate(self, group):
        # The task belongs to the default main context, which nobody else runs.
        while group.get_n_tasks() > 0:
            GLib.MainContext.default().iteration(False)
            await asyncio.sleep(0.001)


if __name__ == '__main__':
    tap.main()
