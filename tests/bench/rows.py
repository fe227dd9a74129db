"""The rows: each a function that asks its question of all contestants in turn and adds the samples to the results."""
import os
import statistics
import subprocess
import sys
import time

import oci
import peers


def in_turns(bench, row, command, repeat, before=None, after=None):
    """Measures command(contestant) round-robin, after one unmeasured turn; the order moves on by one each round."""
    turns = [c for c in bench.contestants if command(c)]
    for turn in range(-1, bench.options.repeat or repeat):
        order = turns[turn % len(turns):] + turns[:turn % len(turns)] if turns else []
        for contestant in order:
            try:
                if before:
                    before(contestant)
                runs = bench.measure(contestant, command(contestant))
                if turn >= 0:
                    bench.add(row, contestant.name, runs[0][1] - runs[0][0])
                if after:
                    after(contestant, runs[0], turn)
            except OSError as error:
                bench.skip(row, contestant.name, error)
                turns.remove(contestant)


def engines(bench):
    return [c for c in bench.contestants if isinstance(c, peers.Engine)]


def run_none(bench):
    in_turns(bench, "run-none", lambda c: c.run_none(), 20)


def run_port(bench):
    in_turns(bench, "run-port", lambda c: c.run_port(), 10)


def exec_(bench):
    ready = []
    for contestant in engines(bench):
        try:
            contestant.call(contestant.run_detached("bench-exec", "none"))
            ready.append(contestant)
        except OSError as error:
            bench.skip("exec", contestant.name, error)
    in_turns(bench, "exec", lambda c: c.exec("bench-exec") if c in ready else None, 20)
    for contestant in ready:
        try:
            contestant.call(contestant.remove(["bench-exec"]))
        except OSError as error:
            print(f"bench: {contestant.name}: {error}", file=sys.stderr)


def many(bench):
    """One contestant after the other, for 600 containers at once would measure the machine."""
    count = bench.options.containers
    for contestant in engines(bench):
        names = [f"bench-many-{i}" for i in range(count)]
        try:
            runs = bench.measure(contestant, contestant.run_detached("bench-many-{}", "bridge"), count, 4)
            begin, end = min(run[0] for run in runs), max(run[1] for run in runs)
            bench.add("many-200", contestant.name, end - begin)
            add_slope(bench, contestant.name, sorted(runs))
            for _ in range(bench.options.repeat or 5):
                run = bench.measure(contestant, contestant.ps())[0]
                bench.add("many-200-ps", contestant.name, run[1] - run[0])
            remove_all(bench, contestant, names)
        except OSError as error:
            bench.skip("many-200", contestant.name, error)


def add_slope(bench, name, runs):
    """How long one start takes when ten containers are there and when all of them are: the medians of twenty starts."""
    ends = [end - begin for begin, end, _ in runs]
    window = min(20, len(ends) // 2)
    bench.add("many-200-at-10", name, statistics.median(ends[:window]))
    bench.add("many-200-at-200", name, statistics.median(ends[-window:]))


def remove_all(bench, contestant, names):
    """In calls of ten: docker hung in one call with 200."""
    begin = time.monotonic_ns()
    for i in range(0, len(names), 10):
        contestant.call(contestant.remove(names[i:i + 10]))
    bench.add("many-200-rm", contestant.name, time.monotonic_ns() - begin)


def process_ids():
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


def pss(pid):
    """Bytes of @pid's proportional set; 0 if it belongs to a container or is gone."""
    try:
        if os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid"):
            return 0
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
    except OSError:
        return 0


def idle_memory(bench):
    """New processes outside of the containers' own pid namespaces, for one container and for each of ten."""
    for contestant in engines(bench):
        for row, count in (("idle-memory", 1), ("idle-memory-10", 10)):
            names = [f"bench-idle-{i}" for i in range(count)]
            try:
                there = process_ids()
                for name in names:
                    contestant.call(contestant.run_detached(name, "none"))
                time.sleep(1)	# the daemons' own short-lived children
                extra = sum(pss(pid) for pid in process_ids() - there)
                bench.add(row, contestant.name, extra // count, "bytes")
                contestant.call(contestant.remove(names))
            except OSError as error:
                bench.skip(row, contestant.name, error)


HEAVY = ("libcurl", "libarchive", "libsqlite", "libcrypto", "libssl")


def loading(bench):
    class Program(peers.Contestant):
        def __init__(self, bench, name, path):
            super().__init__(bench)
            self.name, self.path = name, path

    empty = Program(bench, "empty", bench.program("empty"))
    linked = Program(bench, "libteu", bench.program("loads"))
    if not os.access(linked.path, os.X_OK):
        bench.skip("loading", "libteu", "no tests/bench/loads in the build tree")
        return
    others, bench.contestants = bench.contestants, [empty, linked]
    in_turns(bench, "loading", lambda c: [c.path], 100)
    bench.contestants = others
    mapped = subprocess.run([linked.path], env={**os.environ, "LD_TRACE_LOADED_OBJECTS": "1"}, text=True,
                            stdout=subprocess.PIPE).stdout
    heavy = sorted({line.split()[0] for line in mapped.splitlines() if line.strip().startswith(HEAVY)})
    bench.add("loading-heavy", "libteu", len(heavy), "libraries")
    if heavy:
        print("bench: libteu maps " + ", ".join(heavy), file=sys.stderr)


def embed(bench):
    """Eight busy threads take processor time from any launch, whoever asks for it; so a third host is small, but has
    eight busy threads beside it in another process. The large one against this one is what the library owes."""
    teu = next((c for c in bench.contestants if c.name == "teu"), None)
    program = bench.program("embed")
    if not teu or not os.access(program, os.X_OK):
        bench.skip("embed", "teu", "no teu, or no tests/bench/embed in the build tree")
        return
    home = os.path.join(teu.home, "root"), os.path.join(teu.home, "run")
    hosts = (("empty program", 0, 0, 0), ("empty beside load", 0, 0, 8), ("1 GiB", 1024, 0, 0),
             ("1 GiB, 8 threads", 1024, 8, 0))
    for _ in range(bench.options.repeat or 3):
        for name, megabytes, threads, beside in hosts:
            load = None
            try:
                if beside:
                    load = subprocess.Popen([program, "load", "-", "-", "1024", str(beside)], env=teu.environment,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                    load.stdout.readline()
                out = teu.call([program, *home, teu.image, str(megabytes), str(threads)])
                for line in out.splitlines():
                    wall, processor = map(int, line.split())
                    bench.add("embed", name, wall)
                    bench.add("embed-cpu", name, processor)
            except OSError as error:
                bench.skip("embed", name, error)
                return
            finally:
                if load:
                    load.communicate()


def reset_peak(contestant):
    for pid in contestant.daemons():
        with open(f"/proc/{pid}/clear_refs", "w") as file:
            file.write("5")


def peak(contestant):
    """Of the daemons since reset_peak()."""
    total = 0
    for pid in contestant.daemons():
        with open(f"/proc/{pid}/status") as file:
            total += sum(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    return total


def pull(bench):
    """Wall time until the command is back, and the largest process's peak; the store is emptied before each."""
    registry, layout = os.path.join(bench.work, "registry"), os.path.join(bench.work, "layout")
    address = subprocess.run([bench.support("registry"), "start", registry], check=True, text=True,
                             stdout=subprocess.PIPE).stdout.strip()
    reference = address + "/big:latest"
    subprocess.run([bench.support("bigimage"), "--layout", layout, "--scale", str(bench.options.scale),
                    address + "/big"], check=True)

    def before(contestant):
        contestant.forget_image(reference)
        os.sync()
        reset_peak(contestant)

    def after(contestant, run, turn):
        if turn >= 0:
            bench.add("pull-memory", contestant.name, max(run[2], peak(contestant)), "bytes")

    in_turns(bench, "pull", lambda c: c.pull(reference), 3, before, after)
    subprocess.run([bench.support("registry"), "stop", registry], check=True)


ROWS = {"run-none": run_none, "run-port": run_port, "exec": exec_, "many-200": many, "embed": embed,
        "idle-memory": idle_memory, "loading": loading, "pull": pull, "oci": oci.rows}
