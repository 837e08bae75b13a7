#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs a test in JavaScript with garbage collected between every two statements.

The engine has no such mode in the builds that people have. So the program, what it
imports from beside it and the override are copied, with a call of the collector
after each statement and at the beginning of each block, and the copies are run.
Within a statement it comes only where a function of theirs that has a block is
called: neither around a call of C inside of an expression, nor between two "await" of
one statement. tap.js adds one before each iteration of the main loop.

This is no parser: it goes by the style of these files, where a statement ends at
the end of a line.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

COLLECT = " imports.system.gc();"

# A body of a function, or a block; neither the one of a class nor of a switch.
BEGIN = re.compile(r"(\)|=>|\belse|\btry|\bfinally|\bdo) \{$")
NO_BLOCK = re.compile(r"^\s*(\} )?switch\b")
ELSE = re.compile(r"\s*else\b")
LEAVES = re.compile(r"\s*(return|throw|break|continue)\b")
CLOSES = re.compile(r"\s*(\}|case\b|default:)")
COMMENT = re.compile(r"/\*.*?\*/|^//[^\n]*", re.DOTALL | re.MULTILINE)


def without_comments(source):
    """Lines as they are, with blanks for comments, so that none is taken for code."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])

    return COMMENT.sub(blank, source).split("\n")


def ends_block(start, line, following):
    """Whether nothing would be reached after a statement that ends a block."""
    if LEAVES.match(start) or line.lstrip().startswith("}"):
        return CLOSES.match(following) is not None

    return False


def collects_after(start, line, following):
    # Nothing comes between a statement without braces and its "else".
    if line.endswith(";"):
        return not ELSE.match(following) and not ends_block(start, line, following)

    return BEGIN.search(line) is not None and not NO_BLOCK.match(line)


def add_collections(source):
    code = [line.rstrip() for line in without_comments(source)]
    lines = source.split("\n")
    start = None

    for i, line in enumerate(code):
        if not line:
            continue
        start = start or line
        following = next(filter(None, code[i + 1:]), "")
        if collects_after(start, line, following):
            lines[i] += COLLECT
        if line[-1] in ";{}:":
            start = None

    return "\n".join(lines)


def copy(source, target):
    target.parent.mkdir(exist_ok=True)
    target.write_text(add_collections(source.read_text()))


def main():
    gjs, override, program, *arguments = sys.argv[1:]
    program = pathlib.Path(program)

    with tempfile.TemporaryDirectory(prefix="tasker-js-") as name:
        top = pathlib.Path(name)
        copy(pathlib.Path(override), top / "overrides" / "Tasker.js")
        for each in (program, program.with_name("tap.js")):
            copy(each, top / each.name)
        env = {**os.environ, "GJS_PATH": str(top), "TASKER_TEST_GC": "1"}

        return subprocess.run([gjs, "-m", top / program.name, *arguments], env=env).returncode


if __name__ == "__main__":
    sys.exit(main())
