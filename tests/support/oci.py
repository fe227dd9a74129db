"""oci: runs the built teu-oci, alone or below an engine, and prints TAP.

enter() starts the program anew in processes, network, mounts and cgroups of its own, all gone when it ends. Everything is below one
temporary folder. A case is a function; what it raises is a failed check, and the cases after it still run.
"""
import copy
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "peers"))
import place  # noqa: E402
import remains  # noqa: E402
import tap  # noqa: E402
from tap import Result  # noqa: E402

INSIDE = "TEU_OCI_INSIDE"


def plan(needs):
    """Leaves, with a plan of nothing, where the test can't be had."""
    if os.geteuid():
        print("1..0 # SKIP not root")
        sys.exit(0)
    for need in needs:
        if not shutil.which(need):
            print("1..0 # SKIP %s is not installed" % need)
            sys.exit(0)


def enter(*needs):
    plan(("busybox", "ip", "unshare") + needs)
    if not os.environ.get(INSIDE):
        if place.INSIDE not in os.environ:
            remains.sweep()
        place.hold()
        remains.own()
        # bash is process 1 of the new namespace and reaps what containers leave.
        done = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation",
                               "private", "bash", "-c", 'ip link set lo up; "$@" & wait $!', "oci", sys.executable, *sys.argv],
                              env=dict(os.environ, **{INSIDE: "1"}), preexec_fn=remains.die_with_parent)
        sys.exit(done.returncode)
    remains.end_on_term()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)


def alive(pid):
    """And no zombie: its parent reaps that in its own time."""
    try:
        with open("/proc/%s/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Tap(tap.Results):
    """A build to test, a folder to do it in, and the results."""

    def __init__(self, build):
        self.build = os.path.realpath(build)
        self.work = remains.folder("teu-oci.")
        # libtool's wrapper takes ten times as long as the program.
        self.program = self.work + "/teu-oci"
        with open(self.program, "w") as file:
            file.write('#!/bin/sh\nexport LD_LIBRARY_PATH="%s/.libs"\nexec "%s/.libs/teu-oci" "$@"\n' % (self.build, self.build))
        os.chmod(self.program, 0o755)

    def match(self, name, found, pattern):
        return super().match(name, found, pattern, re.M | re.S)

    def finish(self):
        subprocess.run(["umount", "--recursive", "--quiet", self.work + "/rootfs"], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.work, ignore_errors=True)
        print("1..%d" % self.count)
        return 1 if self.failed else 0

    def call(self, *argv, stdin=None, timeout=120, env=None):
        """Files take what it says: a container keeps its caller's streams, and a pipe would not end before it does."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            done = subprocess.run(argv, input=None if stdin is None else stdin.encode(), stdin=subprocess.DEVNULL if stdin is None else None,
                                  stdout=out, stderr=err, timeout=timeout, env=None if env is None else dict(os.environ, **env))
            texts = []
            for file in out, err:
                file.seek(0)
                texts.append(file.read().decode(errors="replace"))
        return Result(done.returncode, *texts)

    def need(self, *argv, **more):
        r = self.call(*argv, **more)
        if r.code:
            raise AssertionError("%s: %r" % (" ".join(argv), r))
        return r.out.replace("\r\n", "\n").strip()

    def rootfs(self):
        """A tree with busybox; made once."""
        tree = self.work + "/rootfs"
        if not os.path.exists(tree):
            subprocess.run([os.path.join(HERE, "busybox-image"), "--tree", tree], check=True)
        return tree


class Runtime(Tap):
    """teu-oci itself, on bundles that are one config each over a shared rootfs."""

    def __init__(self, build):
        super().__init__(build)
        self.root = self.work + "/state"
        self.rootfs()
        self.bundles = 0
        self.base = json.loads(self.spec())

    def spec(self):
        self.need(self.program, "spec", "--bundle", self.work)
        with open(self.work + "/config.json") as file:
            return file.read()

    def oci(self, *args, **more):
        return self.call(self.program, "--root", self.root, *args, **more)

    def must(self, *args, **more):
        return self.need(self.program, "--root", self.root, *args, **more)

    def bundle(self, *argv, change=None):
        """A folder with a config that runs @argv; @change may alter it."""
        config = copy.deepcopy(self.base)
        config["process"].update({"terminal": False, "args": list(argv)})
        config["root"] = {"path": self.work + "/rootfs", "readonly": True}
        if change:
            change(config)
        self.bundles += 1
        folder = "%s/bundle%d" % (self.work, self.bundles)
        os.mkdir(folder)
        with open(folder + "/config.json", "w") as file:
            json.dump(config, file)
        return folder

    def inside(self, script, change=None, **more):
        """What a shell script prints in a container."""
        return self.must("run", "--bundle", self.bundle("sh", "-c", script, change=change), "inside", **more)

    def state(self, name):
        return json.loads(self.must("state", name))

    def status(self, name):
        return self.state(name)["status"]

    def stopped(self, name):
        return self.wait_for(lambda: self.status(name) == "stopped")

    def left(self):
        """What is there of any container: folders of state, cgroups, processes but ours, mounts."""
        found = [name for name in os.listdir(self.root) if name != ".seccomp"] if os.path.exists(self.root) else []
        for folder, _, _ in os.walk("/sys/fs/cgroup"):
            if os.path.basename(folder).startswith("t-"):
                found.append(folder)
        with open("/proc/self/mountinfo") as file:
            found += [line.split()[4] for line in file if self.work + "/rootfs" in line]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cgroup" % pid) as file:
                    if "/t-" in file.read() and alive(pid):
                        found.append("process " + pid)
            except OSError:
                pass
        return found

    def refuses(self, name, pattern, *args, code=1, **more):
        """It fails with a message that fits, and leaves everything as it was."""
        before = self.left()
        r = self.oci(*args, **more)
        left = self.left()
        return self.result(r.code == code and re.search(pattern, r.err, re.S) and left == before, name,
                           "expected: status %d, %s\nfound:    %r\nleft: %r" % (code, pattern, r, left))


def docker_archive(t, name):
    """The tree of rootfs() as an image of one layer in the form of `docker save`; its file."""
    folder = tempfile.mkdtemp(dir=t.work)
    subprocess.run(["tar", "-C", t.rootfs(), "--numeric-owner", "-cf", folder + "/layer.tar", "."], check=True)
    with open(folder + "/layer.tar", "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    config = {"architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine], "os": "linux",
              "config": {"Cmd": ["sh"], "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]}}
    for file, document in ("config.json", config), ("manifest.json", [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]):
        with open(folder + "/" + file, "w") as out:
            json.dump(document, out)
    subprocess.run(["tar", "-C", folder, "-cf", folder + ".tar", "config.json", "layer.tar", "manifest.json"], check=True)
    return folder + ".tar"
