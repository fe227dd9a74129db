# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the suites beside this file and prints TAP."""

import os
import sys
import unittest


class TapResult(unittest.TestResult):
    count = 0

    def _line(self, ok, test, note="", text=""):
        self.count += 1
        print("%s %d - %s%s" % ("ok" if ok else "not ok", self.count, test.id(), note))
        for line in text.splitlines():
            print("# " + line)
        sys.stdout.flush()

    def addSuccess(self, test):
        self._line(True, test)

    def addError(self, test, err):
        super().addError(test, err)
        self._line(False, test, text=self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._line(False, test, text=self.failures[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line(True, test, " # SKIP " + reason)


folder = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [folder, os.path.dirname(folder)]
result = TapResult()
unittest.TestLoader().discover(folder).run(result)
print("1..%d" % result.count)
sys.exit(0 if result.wasSuccessful() else 1)
