#!/usr/bin/env python3
"""Measures teu against crun, runc, podman, docker and a floor program, in turns in one run.

tests/bench/run starts this in namespaces of its own. A row is one question, asked of every contestant in turn, so
that whatever else the machine does meets all of them alike. Prints median, minimum and the ratio to each target's
reference, and writes the same with every sample as JSON.

rows:
  run-none     run --rm --network none IMAGE true, from process start to exit
  run-port     the same on the bridge network with a published port
  exec         exec of true in a running container
  many-200     200 detached containers by four parallel callers; ps and removal with 200
  embed        a container started through the library by an empty and by a large, busy program
  idle-memory  PSS of what an idle detached container costs outside of its own processes
  loading      a program that links libteu and calls nothing against an empty one
  oci          teu-oci beside crun and runc: run, create, start, exec, delete, memory, 200 creates
  pull         a 470 MB image of four layers, 20,000 small files in one, from a registry on loopback
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import oci
import peers
from rows import ROWS

HERE = os.path.dirname(os.path.abspath(__file__))


class Bench:
    """What rows and contestants share: the work directory, the small image, the stopwatch, the results."""

    def __init__(self, options):
        self.options = options
        self.work = options.work
        self.build = options.build
        self.teu = options.teu or self.find_teu()
        self.rootfs = os.path.join(self.work, "rootfs")
        self.rootfs_tar = os.path.join(self.work, "rootfs.tar")
        self.results = {}	# row -> contestant -> {"unit", "samples"} or {"skipped"}
        self.contestants = []

    def find_teu(self):
        # libtool leaves a shell script under the program's own name, whose start would be measured too.
        for path in (".libs/teu", "teu"):
            built = os.path.join(self.build, path)
            if os.access(built, os.X_OK) and open(built, "rb").read(4) == b"\x7fELF":
                return built
        return shutil.which("teu")

    def program(self, name):
        return os.path.join(self.work, "bin", name)

    def support(self, name):
        return os.path.join(HERE, "..", "support", name)

    def measure(self, contestant, argv, count=1, callers=1):
        """Runs @argv under the stopwatch: a list of (begin, end, max-rss bytes) in the order of the endings."""
        reader, writer = os.pipe()
        with tempfile.TemporaryFile() as errors:
            watch = subprocess.Popen(
                [self.program("stopwatch"), str(writer), str(count), str(callers), *argv], pass_fds=[writer],
                env=contestant.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
            os.close(writer)
            with open(reader) as lines:
                runs = [[int(field) for field in line.split()] for line in lines]
            watch.wait()
            failed = [run[4] for run in runs if run[4]]
            if failed or len(runs) != count:
                errors.seek(0)
                message = peers.last_line(errors.read().decode(errors="replace"))
                raise OSError(f"{len(failed) or count - len(runs)} of {count} failed: {message}")
        return [(begin, end, rss * 1024) for _, begin, end, rss, _ in runs]

    def add(self, row, name, value, unit="ns"):
        self.results.setdefault(row, {}).setdefault(name, {"unit": unit, "samples": []})["samples"].append(value)

    def skip(self, row, name, reason):
        self.results.setdefault(row, {})[name] = {"skipped": str(reason)}

    def median(self, row, name):
        samples = self.results.get(row, {}).get(name, {}).get("samples")
        return statistics.median(samples) if samples else None

    def open(self):
        """The network, the image, and everybody who takes part in any row that was asked for."""
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        isolate(self.work)
        subprocess.run([self.support("busybox-image"), "--tree", self.rootfs], check=True)
        subprocess.run([self.support("busybox-image"), self.rootfs_tar], check=True)
        for kind in [*peers.CONTESTANTS, oci.TeuOci]:
            contestant = kind(self)
            if self.options.only and contestant.name not in self.options.only:
                continue
            if kind is peers.Tools and "pull" not in self.options.rows:
                continue
            try:
                contestant.open()
                self.contestants.append(contestant)
            except (peers.Missing, OSError) as error:
                self.skip("all", contestant.name, error)
                print(f"bench: {contestant.name} skipped: {error}", file=sys.stderr)

    def close(self):
        for contestant in self.contestants:
            contestant.close()


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def isolate(work):
    """A private /run, /etc and /var/lib: the peers write there whatever one tells them."""
    mount("-t", "tmpfs", "tmpfs", "/run")
    for directory in ("/etc", "/var/lib"):
        layer = os.path.join(work, "overlay" + directory.replace("/", "-"))
        os.makedirs(layer + "/upper")
        os.makedirs(layer + "/work")
        mount("-t", "overlay", "overlay", "-o", f"lowerdir={directory},upperdir={layer}/upper,workdir={layer}/work",
              directory)
    # Others name the image; nobody shall ask a real registry for it.
    os.makedirs("/etc/containers", exist_ok=True)
    with open("/etc/containers/policy.json", "w") as file:
        json.dump({"default": [{"type": "insecureAcceptAnything"}]}, file)


def parse_options():
    parser = argparse.ArgumentParser(prog="run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: text.split(",")
    parser.add_argument("--rows", type=names, default=list(ROWS), help="comma-separated (default: all)")
    parser.add_argument("--only", type=names, help="contestants, such as teu,floor,podman (default: all)")
    parser.add_argument("--repeat", type=int, help="samples a contestant (default: what suits the row)")
    parser.add_argument("--teu", help="path of the teu binary (default: from the build tree or PATH)")
    parser.add_argument("--build", default=os.getcwd(), help="build tree (default: the working directory)")
    parser.add_argument("--json", help="file to write the results to")
    parser.add_argument("--scale", type=float, default=1, help="size of pull's image (default 1: 470 MB)")
    parser.add_argument("--containers", type=int, default=200, help="of many-200 (default 200)")
    parser.add_argument("--no-install", action="store_true", help="leave missing packages missing")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.rows) - set(ROWS)
    if unknown:
        parser.error("unknown row " + ", ".join(sorted(unknown)))
    if not options.work:
        parser.error("start it by tests/bench/run, which makes the namespaces")
    if options.teu:
        options.teu = os.path.realpath(options.teu)
    return options


def main():
    import report
    options = parse_options()
    bench = Bench(options)
    try:
        bench.open()
        for name in options.rows:
            print(f"bench: {name}", file=sys.stderr)
            ROWS[name](bench)
    finally:
        bench.close()
    report.show(bench)
    if options.json:
        report.write(bench, options.json)


if __name__ == "__main__":
    main()
