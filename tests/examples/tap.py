# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs unittest cases and tells the results as TAP, so that Meson counts them."""

import importlib
import sys
import unittest


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0
        self.failed = None

    def _say(self, word, test, directive=''):
        self.number += 1
        print(f'{word} {self.number} - {test.id().removeprefix("__main__.")}{directive}', flush=True)

    def _fail(self, test, err):
        # A test may fail and its cleaning up as well.
        if test is not self.failed:
            self.failed = test
            self._say('not ok', test)
        # Where Meson shows what failed tests have written.
        print(self._exc_info_to_string(err, test), file=sys.stderr, flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._say('ok', test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fail(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._fail(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say('ok', test, f' # SKIP {reason}')


def require(namespace, version):
    """Skips the whole program where Python has not got this library."""
    try:
        importlib.import_module('gi').require_version(namespace, version)
    except (ImportError, ValueError) as error:
        print(f'1..0 # SKIP {error}')
        sys.exit(0)


def main():
    """Runs what the main module defines; an argument picks cases by a part of their names."""
    loader = unittest.defaultTestLoader
    if len(sys.argv) > 1:
        loader.testNamePatterns = [f'*{name}*' for name in sys.argv[1:]]
    suite = loader.loadTestsFromModule(sys.modules['__main__'])

    print(f'1..{suite.countTestCases()}', flush=True)
    result = suite.run(TapResult())
    sys.exit(0 if result.wasSuccessful() else 1)
