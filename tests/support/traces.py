"""traces: what teu has in the kernel and on disk at one moment, for tests that ask whether anything is left.

The tests that use it run in mount, network and pid namespaces of their own (enter() makes them), so all that is found there
is theirs: also processes, which a crash of their monitor may have set free.
"""

import json
import os
import random
import subprocess
import sys
import time

import remains

PARENT = "teu-test"  # cgroup parent; each test's has its pid behind it


def enter():
    """Runs this program again as the second process of namespaces of its own; the first, a shell, reaps orphans."""
    if os.environ.get("TEU_TEST_INSIDE"):
        remains.end_on_term()
        return
    if os.geteuid() != 0:
        print("1..0 # SKIP not root")
        sys.exit(0)
    for need in ("unshare", "ip", "nft", "busybox"):
        if not any(os.access(os.path.join(d, need), os.X_OK) for d in os.environ["PATH"].split(":")):
            print(f"1..0 # SKIP {need} is not installed")
            sys.exit(0)
    remains.sweep()
    remains.own()
    os.environ["TEU_TEST_INSIDE"] = str(os.getpid())
    os.execvp("unshare", ["unshare", "-m", "-n", "-p", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
                          "bash", "-c", '"$@"; exit $?', "init", sys.executable, os.path.realpath(sys.argv[0]), *sys.argv[1:]])


class Tap:
    """Counts and prints results."""

    def __init__(self):
        self.count = self.failed = 0

    def result(self, good, name, detail=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        if not good:
            for line in str(detail).splitlines():
                print(f"# {line}")
        sys.stdout.flush()
        return good

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def cgroup_roots():
    roots = []
    with open("/proc/self/mounts") as mounts:
        for line in mounts:
            fields = line.split()
            if fields[2] in ("cgroup", "cgroup2"):
                roots.append(fields[1])
    return roots


class Engine:
    """A pair of roots below a folder of its own, with a busybox image, and what is to be found of it."""

    def __init__(self, build, state=None):
        self.build = os.path.realpath(build)
        self.work = remains.folder("teu-traces.")
        self.state = state or self.work + "/state"
        self.run_root = self.work + "/run"
        self.parent = f"{PARENT}-{os.environ.get('TEU_TEST_INSIDE', os.getpid())}"
        with open(self.work + "/.cgroup", "w") as file:
            file.write(self.parent)
        self.support = os.path.realpath(os.path.dirname(__file__))
        self.env = dict(os.environ, LD_LIBRARY_PATH=self.build + "/.libs", DOCKER_CONFIG=self.work + "/no-config")
        # libtool's script would be one more process between us and the one to kill.
        program = self.build + "/.libs/teu"
        self.base = [program if os.access(program, os.X_OK) else self.build + "/teu", "--root", self.state, "--run-root", self.run_root]
        if not os.access(self.base[0], os.X_OK):
            print(f"Bail out! {self.base[0]} is not built")
            sys.exit(1)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

    def argv(self, *args):
        args = list(args)
        if args[0] in ("run", "create"):
            args[1:1] = ["--cgroup-parent", self.parent]
        return self.base + args

    def teu(self, *args, timeout=120, **kwargs):
        """Runs one command to its end; stdout and stderr are in the result."""
        return subprocess.run(self.argv(*args), env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, **kwargs)

    def start(self, *args, **kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("stdout", subprocess.DEVNULL)
        kwargs.setdefault("stderr", subprocess.DEVNULL)
        return subprocess.Popen(self.argv(*args), env=self.env, **kwargs)

    def must(self, *args):
        done = self.teu(*args)
        if done.returncode:
            print(f"Bail out! teu {' '.join(args)}: {done.stderr.strip()}")
            self.close()
            sys.exit(1)
        return done.stdout.strip()

    def image_tar(self):
        path = self.work + "/busybox.tar"
        if not os.path.exists(path):
            subprocess.run([self.support + "/busybox-image", path], check=True)
        return path

    def import_image(self, name="bb"):
        return self.must("import", "-c", 'CMD ["sh"]', self.image_tar(), name)

    # What is there.

    def mounts(self):
        with open("/proc/self/mountinfo") as f:
            return sorted(line.split()[4] for line in f)

    def links(self):
        with open("/proc/self/net/dev") as f:
            return sorted(line.split(":")[0].strip() for line in f if ":" in line)

    def nft(self):
        """Names of tables, and the elements of all sets and maps."""
        text = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, text=True).stdout
        found = []
        for item in json.loads(text or '{"nftables": []}')["nftables"]:
            for kind in ("set", "map"):
                for element in item.get(kind, {}).get("elem", []):
                    found.append(f"{item[kind]['table']} {item[kind]['name']} {json.dumps(element)}")
            if "table" in item:
                found.append("table " + item["table"]["name"])
        return sorted(found)

    def cgroups(self):
        found = []
        for root in cgroup_roots():
            top = os.path.join(root, self.parent)
            for folder, _, _ in os.walk(top):
                if folder != top:
                    found.append(folder)
        return sorted(found)

    def processes(self, all_of_them=False):
        """All living ones in our pid namespace but for the reaping shell, this program and what it has started itself."""
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit() or name in ("1", str(os.getpid())):
                continue
            try:
                with open(f"/proc/{name}/stat") as f:
                    text = f.read()
                with open(f"/proc/{name}/cmdline") as f:
                    line = f.read().replace("\0", " ")
            except OSError:
                continue
            comm = text[text.index("(") + 1:text.rindex(")")]
            fields = text[text.rindex(")") + 2:].split()
            if fields[0] in "ZX":
                continue
            if "docker-registry" in line and not all_of_them:
                continue
            found.append((int(name), comm, line.strip()))
        return found

    def files(self):
        """Below both roots; caches and counters, which only grow to a limit, do not count."""
        found = []
        for root in (self.state, self.run_root):
            for folder, folders, names in os.walk(root):
                for name in folders + names:
                    path = os.path.join(folder, name)
                    # Links of folders are in `folders`, and names of addresses and containers are such.
                    if "/layers/" not in path and "/cache/" not in path and "/skeleton/" not in path:
                        found.append(path)
        return sorted(found)

    def quiet(self):
        """The snapshot before a test: when the kernel has taken away what the containers so far had."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if not self.processes() and not self.cgroups() and not any(name.startswith("veth") for name in self.links()):
                break
            time.sleep(0.02)
        return self.snapshot()

    def snapshot(self):
        return {"mounts": self.mounts(), "links": self.links(), "nft": self.nft(), "cgroups": self.cgroups(),
                "processes": [f"{pid} {comm} {line}" for pid, comm, line in self.processes()], "files": self.files()}

    def left(self, before, seconds=60):
        """What is there now and was not before, when it stays for @seconds; links and cgroups end in the background."""
        deadline = time.monotonic() + seconds
        while True:
            now = self.snapshot()
            more = [f"{kind}: {item}" for kind in now for item in now[kind] if item not in before[kind]]
            less = [f"{kind}: gone: {item}" for kind in now for item in before[kind] if item not in now[kind]]
            if (not more and not less) or time.monotonic() > deadline:
                return more + less
            time.sleep(0.1)

    def close(self):
        ids = self.teu("ps", "-aq", "--no-trunc").stdout.split()
        if ids:
            self.teu("rm", "-f", *ids)
        subprocess.run(["rm", "-rf", self.work])
        for root in cgroup_roots():
            for folder, _, _ in os.walk(os.path.join(root, self.parent), topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass


def seeded(name):
    """A random source whose seed is told, and taken from the environment to see a failure again."""
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"# {name}: SEED={seed}")
    return random.Random(seed)
