# SPDX-License-Identifier: LGPL-2.1-or-later

"""What is inside of the Python override of Tasker; not for programs.

threads.py  Python's state for a worker thread, and the end of the interpreter
waits.py    waits that block, and waits that asyncio awaits
jobs.py     what runs as a task: functions in threads, coroutines on a loop
"""
