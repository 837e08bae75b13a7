#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The works in Python, ours and the standard library's: WORK N prints what one
task costs. Each is done once untimed, so that threads and memory are there."""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def nothing():
    pass


def nothing_as_task(task):
    pass


async def nothing_later():
    pass


async def nothing_later_as_task(task):
    pass


def threads(n):
    from gi.repository import Tasker

    with Tasker.Group() as group:
        tasks = [group.spawn(nothing_as_task) for _ in range(n)]
        for task in tasks:
            task.result()


def thread_pool(n):
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(nothing) for _ in range(n)]
        for future in futures:
            future.result()


def coroutines(n):
    from gi.repository import Tasker

    async def main():
        async with Tasker.Group() as group:
            for _ in range(n):
                group.spawn(nothing_later_as_task)

    asyncio.run(main())


def task_group(n):
    async def main():
        async with asyncio.TaskGroup() as group:
            for _ in range(n):
                group.create_task(nothing_later())

    asyncio.run(main())


WORKS = {'threads': threads, 'thread-pool': thread_pool,
         'coroutines': coroutines, 'task-group': task_group}


def main():
    work, n = WORKS[sys.argv[1]], int(sys.argv[2])
    if work in (threads, coroutines):
        import gi
        gi.require_version('Tasker', '1')
    work(n)
    begin = time.perf_counter_ns()
    work(n)
    print(f'ns={(time.perf_counter_ns() - begin) / n:.1f}')


if __name__ == '__main__':
    main()
