"""results: what a suite said of each runtime, file by file: read from TAP, kept as JSON, printed as a table.

A result is {file: [[name, "passed" | "failed" | "skipped", detail], …]}.
"""
import json
import os
import re
import shutil
import subprocess
import sys

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
LINE = re.compile(r"(not ok|ok)\b[ \t]*(\d*)[ \t]*(?:- )?(.*)")
SKIP = re.compile(r"(.*?)\s*# skip\b[: ]*(.*)", re.I)


def parse_tap(text):
    """Each test of @text; those that its plan announces and that never came are failed."""
    tests, planned, seen = [], None, set()
    for line in text.splitlines():
        line = line.rstrip("\r")
        plan, found = re.fullmatch(r"1\.\.(\d+)(.*)", line), LINE.match(line)
        if plan:
            planned = int(plan[1])
            if planned == 0:
                tests.append([plan[2].strip(" #") or "nothing to test", SKIPPED, ""])
                seen.add(0)
        elif found:
            skip = SKIP.fullmatch(found[3])
            state = FAILED if found[1] == "not ok" else SKIPPED if skip else PASSED
            tests.append([skip[1], state, skip[2]] if skip else [found[3].strip(), state, ""])
            seen.add(int(found[2] or len(tests)))
        elif tests and line.startswith(("#", " ")):
            tests[-1][2] += ("\n" if tests[-1][2] else "") + line
    for number in range(1, (planned or 0) + 1):
        if number not in seen:
            tests.append(["test %d" % number, FAILED, "did not come to its end"])
    return tests


def count(tests, state):
    return sum(test[1] == state for test in tests)


def green(tests):
    """Nothing failed, and something passed."""
    return count(tests, FAILED) == 0 and count(tests, PASSED) > 0


def load(path):
    with open(path) as file:
        kept = json.load(file)
    return kept["runtime"], kept["results"]


def save(path, runtime, results):
    with open(path + ".new", "w") as file:
        json.dump({"runtime": runtime, "results": results}, file, indent=1)
    os.rename(path + ".new", path)


def print_table(columns, first):
    """@columns: (runtime, results) pairs; one row a file."""
    rows = [[first] + [runtime + ": passed failed skipped" for runtime, _ in columns]]
    files = sorted(set().union(*(results for _, results in columns)))
    for file in files:
        rows.append([file] + [cell(results.get(file)) for _, results in columns])
    rows.append(["all"] + [cell([test for file in files for test in results.get(file, [])]) for _, results in columns])
    rows.append(["all green"] + ["%d of %d" % (sum(map(green, results.values())), len(results)) for _, results in columns])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    for row in rows:
        print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |")


def cell(tests):
    if tests is None:
        return "not run"
    return "%3d %3d %3d" % (count(tests, PASSED), count(tests, FAILED), count(tests, SKIPPED))


def print_differences(ours, theirs):
    """Tests that end differently with two runtimes, one a line."""
    for file in sorted(ours[1]):
        other = {test[0]: test[1] for test in theirs[1].get(file, [])}
        for name, state, _ in ours[1][file]:
            if name in other and other[name] != state:
                print("%s: %s: %s %s, %s %s" % (file, name, ours[0], state, theirs[0], other[name]))


def print_row(name, tests, left):
    print("%-32s %s%s" % (name, cell(tests), "  left " + " ".join(left) if left else ""), flush=True)


def keep_log(options, name, runtime, text):
    if options.log:
        os.makedirs(options.log, exist_ok=True)
        with open("%s/%s.%s" % (options.log, name, os.path.basename(runtime)), "w") as log:
            log.write(text)


def version(runtime):
    """A column's head: the program's name, and the version that it tells."""
    done = subprocess.run([runtime, "--version"], stdout=subprocess.PIPE, text=True)
    words = (done.stdout.splitlines() or [""])[0].split()
    return "%s %s" % (os.path.basename(runtime), words[-1] if words else "?")


def add_arguments(parser):
    parser.add_argument("--runtime", default="./teu-oci", metavar="PATH", help="default ./teu-oci")
    parser.add_argument("--compare", action="append", default=[], metavar="PATH|FILE.json",
                        help="another runtime, or what --save kept of it")
    parser.add_argument("--save", metavar="FILE.json", help="keeps the result of --runtime; of what is not run now, the former stays")
    parser.add_argument("--log", metavar="FOLDER", help="what each of them wrote")


def run_all(files, runtime, run):
    found = shutil.which(runtime) or sys.exit("%s: no such program" % runtime)
    found = os.path.abspath(found)
    print("\n%s: passed failed skipped" % found, flush=True)
    return version(found), {file: run(file, found) for file in files}


def compare(options, files, run, first):
    """Runs @files by run(file, runtime), of --runtime and of each other one, and prints what came of it."""
    columns = [run_all(files, options.runtime, run)]
    if options.save:
        kept = load(options.save)[1] if os.path.exists(options.save) else {}
        save(options.save, columns[0][0], {**kept, **columns[0][1]})
    for other in options.compare:
        if other.endswith(".json"):
            name, kept = load(other)
            columns.append((name, {file: kept[file] for file in files if file in kept}))
        else:
            columns.append(run_all(files, other, run))
    print()
    print_table(columns, first)
    for theirs in columns[1:]:
        print("\nDifferences between %s and %s:" % (columns[0][0], theirs[0]))
        print_differences(columns[0], theirs)
