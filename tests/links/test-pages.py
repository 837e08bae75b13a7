#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The code in the README and in the pages of the manual is good: the blocks of
one language in a page, one after another, are one program. C and Vala compile
without a warning, Python and JavaScript run without one.

Usage: test-pages.py LANGUAGE SOURCE BUILD"""

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LANGUAGE = sys.argv[1]
SOURCE, BUILD = map(Path, sys.argv[2:])

PAGES = [SOURCE / 'README.md', *sorted(SOURCE.glob('doc/*.md'))]
# What is shown for comparison, or is no code.
NOT_CHECKED = {'rust', 'sh'}
BLOCK = re.compile(r'^```(\w+)\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def check_c(blocks):
    flags = subprocess.run(['pkg-config', '--cflags', 'gio-2.0'], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    subprocess.run(['cc', '-x', 'c', '-fsyntax-only', '-Wall', '-Wextra', '-Werror',
                    '-Wno-unused-parameter', '-Wno-unused-function',
                    f'-I{SOURCE}/tasker', f'-I{BUILD}/tasker', *flags, '-'],
                   input='\n'.join(blocks), text=True, check=True)


def check_vala(blocks):
    with tempfile.TemporaryDirectory(prefix='tasker-pages-') as tmp:
        path = Path(tmp, 'page.vala')
        path.write_text('\n'.join(blocks))
        subprocess.run(['valac', '--ccode', '--library=page', f'--directory={tmp}',
                        '--fatal-warnings', f'--vapidir={BUILD}/tasker', '--pkg=gio-2.0',
                        '--pkg=libtasker-1', path], check=True)


def check_js(blocks):
    with tempfile.TemporaryDirectory(prefix='tasker-pages-') as tmp:
        path = Path(tmp, 'page.js')
        path.write_text('\n'.join(blocks))
        subprocess.run(['gjs', '-m', path], check=True, timeout=60)


def check_python(blocks):
    """In a process of its own, whose warnings can be seen."""
    if importlib.util.find_spec('gi') is None:
        print('there is no PyGObject for this Python')
        sys.exit(77)
    result = subprocess.run([sys.executable, __file__, 'run-python', SOURCE, BUILD], text=True,
                            input='\0'.join(blocks), stderr=subprocess.PIPE, check=False,
                            timeout=60)
    assert result.returncode == 0 and not result.stderr, result.stderr


def run_python():
    """As "python -m asyncio" does: where a block awaits, a loop runs."""
    import asyncio
    names = {'__name__': '__main__'}

    async def run_in_loop(code):
        await eval(code, names)

    for number, block in enumerate(sys.stdin.read().split('\0'), 1):
        code = compile(block, f'block {number}', 'exec', ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(run_in_loop(code))
        else:
            eval(code, names)


def main():
    checks = {'c': check_c, 'vala': check_vala, 'js': check_js, 'python': check_python}
    n_pages = 0
    for page in PAGES:
        blocks = BLOCK.findall(page.read_text())
        unknown = {language for language, text in blocks} - set(checks) - NOT_CHECKED
        assert not unknown, f'{page.name} has code that nobody checks: {unknown}'
        mine = [text for language, text in blocks if language == LANGUAGE]
        if mine:
            print(page.name, flush=True)
            checks[LANGUAGE](mine)
            n_pages += 1
    assert n_pages, f'no page has code in {LANGUAGE}'


if __name__ == '__main__':
    if LANGUAGE == 'run-python':
        run_python()
    else:
        main()
