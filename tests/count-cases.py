#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Counts the cases in the log that "meson test" leaves, and prints one line.

A program that speaks TAP has as many cases as it says; any other is one case.
A program that ended badly and blames none of its cases (it crashed, hung, or
left some out) is one more case, which failed.
"""

import json
import re
import sys
from collections import Counter

CASE = re.compile(r'( *)(not )?ok \d+\b[^#]*(?:# *(SKIP|TODO))?', re.IGNORECASE)
BAD = ('FAIL', 'ERROR', 'TIMEOUT', 'INTERRUPT', 'UNEXPECTEDPASS')


def tap_cases(output):
    """Yields how each case ended. Newer GLibs indent the cases of a suite and
    then report the suite, which is not a case."""
    depth = 0
    for line in output.splitlines():
        case = CASE.match(line)
        if not case:
            continue
        indent, failed, directive = case.groups()
        is_suite = len(indent) < depth
        depth = len(indent)
        if is_suite:
            continue
        if directive:
            yield 'skipped'
        else:
            yield 'failed' if failed else 'passed'


def count(program):
    counts = Counter(tap_cases(program['stdout'] or ''))
    if program['result'] in BAD:
        counts['failed'] = max(counts['failed'], 1)
    elif not counts:
        counts['skipped' if program['result'] == 'SKIP' else 'passed'] = 1
    return counts


def main(paths):
    total = Counter()
    for path in paths:
        with open(path, encoding='utf-8') as log:
            for line in log:
                total += count(json.loads(line))
    print('{passed} passed, {failed} failed, {skipped} skipped'.format(
        **{how: total[how] for how in ('passed', 'failed', 'skipped')}))
    return 1 if total['failed'] or not total else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
