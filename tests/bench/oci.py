"""The rows of the runtimes: teu-oci, crun and runc do the steps of one container's life from the same bundle."""
import glob
import json
import os
import subprocess
import time

import defaults
import peers

EXEC_SLEEP = ["sleep", "1000000"]
MANY = 200


class TeuOci(peers.Runtime):
    name = "teu-oci"

    def prepare(self):
        libraries = os.path.join(self.bench.build, ".libs")
        self.program = os.path.join(libraries, "teu-oci")
        if not os.access(self.program, os.X_OK):
            self.program = os.path.join(self.bench.build, "teu-oci")
        if not os.access(self.program, os.X_OK):
            raise peers.Missing("no teu-oci in the build tree")
        if os.path.exists(os.path.join(libraries, "libteu.so")):
            self.environment["LD_LIBRARY_PATH"] = libraries
        super().prepare()

    def run_none(self):
        return None


def runtimes(bench):
    return [c for c in bench.contestants if isinstance(c, peers.Runtime)]


def command(contestant, *rest):
    program = getattr(contestant, "program", contestant.name)
    return [program, "--root", os.path.join(contestant.home, "oci-state"), *rest]


def bundle(contestant, name, words=("true",), change=lambda spec: None):
    """A folder with a config of its own; the rootfs is everybody's."""
    folder = os.path.join(contestant.home, "oci-" + name)
    os.makedirs(folder, exist_ok=True)
    spec = defaults.runtime_spec(contestant.bench.rootfs, list(words), None)
    change(spec)
    del spec["linux"]["cgroupsPath"]
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(spec, file)
    return folder


def unfiltered(spec):
    del spec["linux"]["seccomp"]


def in_turns(bench, step, repeat=20):
    """step(contestant, note) does one life and notes (row, nanoseconds) of its steps; the first life is not counted."""
    turns = runtimes(bench)
    for turn in range(-1, bench.options.repeat or repeat):
        for contestant in turns[turn % len(turns):] + turns[:turn % len(turns)] if turns else []:
            def note(row, value, unit="ns"):
                if turn >= 0:
                    bench.add(row, contestant.name, value, unit)
            try:
                step(contestant, note)
            except (OSError, subprocess.CalledProcessError) as error:
                bench.skip("oci-run", contestant.name, error)
                turns.remove(contestant)


def quietly(contestant, *words):
    """Outside of the measurement; the container keeps the streams, so they must not be pipes that are read to their end."""
    subprocess.run(command(contestant, *words), env=contestant.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=True)


def timed(bench, contestant, note, row, *words, count=1, callers=1):
    runs = bench.measure(contestant, command(contestant, *words), count, callers)
    note(row, max(run[1] for run in runs) - min(run[0] for run in runs))


def run(bench):
    folders = {c.name: (bundle(c, "filter"), bundle(c, "plain", change=unfiltered)) for c in runtimes(bench)}
    floor = next((c for c in bench.contestants if isinstance(c, peers.Floor)), None)

    def life(contestant, note):
        with_filter, plain = folders[contestant.name]
        timed(bench, contestant, note, "oci-run", "run", "--bundle", with_filter, "bench-run")
        timed(bench, contestant, note, "oci-run-plain", "run", "--bundle", plain, "bench-run")
        if floor and contestant is runtimes(bench)[0]:
            runs = bench.measure(floor, floor.run_none())
            bench.add("oci-run", "floor", runs[0][1] - runs[0][0])

    in_turns(bench, life)


def steps(bench):
    folders = {c.name: (bundle(c, "filter"), bundle(c, "sleep", EXEC_SLEEP)) for c in runtimes(bench)}

    def life(contestant, note):
        once, sleeping = folders[contestant.name]
        timed(bench, contestant, note, "oci-create", "create", "--bundle", once, "bench-step")
        timed(bench, contestant, note, "oci-start", "start", "bench-step")
        wait_stopped(contestant, "bench-step")
        timed(bench, contestant, note, "oci-delete", "delete", "bench-step")
        quietly(contestant, "run", "--detach", "--bundle", sleeping, "bench-exec")
        timed(bench, contestant, note, "oci-exec", "exec", "bench-exec", "true")
        contestant.call(command(contestant, "delete", "--force", "bench-exec"))

    in_turns(bench, life)


def wait_stopped(contestant, name):
    while json.loads(contestant.call(command(contestant, "state", name)))["status"] != "stopped":
        pass


def many(bench):
    """Two hundred creates by four callers; deleted outside of the measurement."""
    for contestant in runtimes(bench):
        try:
            folder = bundle(contestant, "many")
            timed(bench, contestant, lambda row, value, unit="ns": bench.add(row, contestant.name, value, unit), "oci-200",
                  "create", "--bundle", folder, "bench-many-{}", count=MANY, callers=4)
            for i in range(MANY):
                contestant.call(command(contestant, "delete", "--force", f"bench-many-{i}"))
        except (OSError, subprocess.CalledProcessError) as error:
            bench.skip("oci-200", contestant.name, error)


def memory_groups():
    for pattern, peak in (("/sys/fs/cgroup/memory", "memory.max_usage_in_bytes"), ("/sys/fs/cgroup", "memory.peak")):
        if os.path.exists(os.path.join(pattern, "cgroup.procs")):
            return pattern, peak
    return None, None


def peak_of_run(contestant, top, peak, group):
    """Bytes; @group is made for this run: the kernel frees some of a namespace only when its run has long returned."""
    folder = bundle(contestant, "peak")
    path = os.path.join(folder, "config.json")
    with open(path) as file:
        spec = json.load(file)
    spec["linux"]["cgroupsPath"] = f"/{group}/container"
    with open(path, "w") as file:
        json.dump(spec, file)
    os.makedirs(os.path.join(top, group))
    enter = ["sh", "-c", 'echo $$ >"$0/cgroup.procs"; exec "$@"', os.path.join(top, group)]
    try:
        contestant.call([*enter, *command(contestant, "run", "--bundle", folder, "bench-peak")])
        with open(os.path.join(top, group, peak)) as file:
            return int(file.read())
    finally:
        for left in glob.glob(f"/sys/fs/cgroup/*/{group}") + glob.glob(f"/sys/fs/cgroup/{group}"):
            remove_group(left)


def remove_group(path):
    """It is busy for a moment after its last process was waited for."""
    for _ in range(500):
        try:
            return os.rmdir(path)
        except OSError:
            time.sleep(0.01)
    os.rmdir(path)


def memory(bench):
    """The peak of a memory cgroup in which the runtime runs and below which its container does, kernel memory included."""
    top, peak = memory_groups()
    if not top:
        bench.skip("oci-memory", "all", "no memory cgroup")
        return
    turns = runtimes(bench)
    for turn in range(-1, bench.options.repeat or 10):
        for contestant in list(turns):
            try:
                value = peak_of_run(contestant, top, peak, f"bench-peak-{contestant.name}-{turn + 1}")
                if turn >= 0:
                    bench.add("oci-memory", contestant.name, value, "bytes")
            except (OSError, subprocess.CalledProcessError) as error:
                bench.skip("oci-memory", contestant.name, error)
                turns.remove(contestant)


def rows(bench):
    for part in (run, steps, memory, many):
        part(bench)
