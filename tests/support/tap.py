"""tap: what the programs that print TAP share: the results, and the outcome of a command."""
import re
import time
import traceback


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return "status %d, stdout %r, stderr %r" % (self.code, self.out, self.err)


class Skip(Exception):
    """The rest of a case can't be had here; its text is the reason."""


class Results:
    count = failed = 0

    def result(self, good, name, detail=""):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name), flush=True)
        if not good:
            for line in str(detail).splitlines():
                print("#   " + line, flush=True)
        return good

    def skip(self, name, why):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, why), flush=True)

    def ok(self, name, condition, detail=""):
        return self.result(bool(condition), name, detail)

    def same(self, name, found, expected):
        return self.result(found == expected, name, "expected: %r\nfound:    %r" % (expected, found))

    def match(self, name, found, pattern, flags=re.M):
        return self.result(re.search(pattern, found, flags), name, "expected: %s\nfound:    %s" % (pattern, found))

    def wait_for(self, question, seconds=60):
        """Asks until the answer is true; the last answer."""
        end = time.monotonic() + seconds
        while True:
            answer = question()
            if answer or time.monotonic() > end:
                return answer
            time.sleep(0.02)

    def case(self, function, section=""):
        """What it raises is a result, too."""
        name = section + function.__name__.replace("_", " ")
        try:
            function(self)
        except Skip as skip:
            self.skip(name, str(skip))
        except Exception:  # noqa: BLE001
            self.result(False, name, traceback.format_exc())
