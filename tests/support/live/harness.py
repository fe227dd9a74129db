"""harness: runs the built teu on a store of its own, and prints TAP.

Everything is below one temporary folder. A case is a function; what it raises is a failed check, and the cases after it still run.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SUPPORT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, SUPPORT)
import remains  # noqa: E402
import tap  # noqa: E402
from tap import Result, Skip  # noqa: E402, F401

IMAGE = "bb"


class Live(tap.Results):
    def __init__(self, build):
        self.build = os.path.realpath(build)
        remains.sweep()
        remains.end_on_term()
        self.work = remains.folder("teu-live.")
        self.root, self.run_root = self.work + "/root", self.work + "/run"
        self.cgroup2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
        self.ids = set()
        self.port = 20000

    # teu

    def command(self, *args):
        return [self.work + "/teu", "--root", self.root, "--run-root", self.run_root, *args]

    def teu(self, *args, stdin=None, timeout=60, env=None):
        done = subprocess.run(self.command(*args), input=None if stdin is None else stdin.encode(), stdin=subprocess.DEVNULL if stdin is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                              env=None if env is None else dict(os.environ, **env))
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def need(self, *args, **more):
        """As teu(), and it has to succeed: stdout without its last line break."""
        r = self.teu(*args, **more)
        if r.code:
            raise AssertionError("teu %s: %r" % (" ".join(args), r))
        return r.out.replace("\r\n", "\n").rstrip("\n")

    def inside(self, script, *flags, network="none", image=IMAGE, timeout=60):
        """What a shell script prints in a container with these flags."""
        return self.need("run", "--rm", "--network", network, *flags, image, "sh", "-c", script, timeout=timeout)

    def start(self, name, *args, network="none", image=IMAGE):
        """A container in the background."""
        flags, command = args, ("sleep", "1000")
        if "--" in args:
            flags, command = args[:args.index("--")], args[args.index("--") + 1:]
        cid = self.need("run", "-d", "--name", name, "--network", network, *flags, image, *command)
        self.ids.add(cid)
        return cid

    def sh(self, name, script, *flags):
        """What a shell script prints in a running container."""
        return self.need("exec", *flags, name, "sh", "-c", script)

    def look(self, name, path):
        """One field of inspect: "State.ExitCode"."""
        value = json.loads(self.need("inspect", name))[0]
        for key in path.split("."):
            value = value[key]
        return value

    def remove(self, *names):
        self.need("rm", "-f", "-v", *names)

    def fails(self, name, code, pattern, *args, stdin=None):
        """One line on stderr that fits @pattern, this exit status, nothing on stdout, and no container left."""
        before = self.need("ps", "-aq")
        r = self.teu(*args, stdin=stdin)
        left = self.need("ps", "-aq")
        good = (r.code == code and r.err.count("\n") == 1 and re.search(pattern, r.err) and not r.out and left == before)
        return self.result(good, name, "expected: status %d, %s\nfound:    %r\nleft: %r" % (code, pattern, r, left))

    def logs(self, name):
        return self.teu("logs", name)

    def image(self, name, tree, *changes):
        """An image of the tree that the function @tree makes in a folder."""
        folder = tempfile.mkdtemp(dir=self.work)
        tree(folder)
        subprocess.run(["tar", "-C", folder, "--numeric-owner", "-cf", folder + ".tar", "."], check=True)
        words = []
        for change in changes:
            words += ["-c", change]
        self.need("import", *words, folder + ".tar", name)
        shutil.rmtree(folder)
        os.unlink(folder + ".tar")

    def free_port(self):
        """The network is our own: nobody has a port but us, and none of these is a client's."""
        self.port += 1
        return self.port

    # the run

    def tree(self, folder):
        """busybox and the probe."""
        os.rmdir(folder)
        subprocess.run([SUPPORT + "/busybox-image", "--tree", folder], check=True)
        shutil.copy(self.work + "/probe", folder + "/bin/probe")

    def prepare(self):
        libs = self.build + "/.libs"
        if not os.access(libs + "/teu", os.X_OK):
            raise SystemExit("Bail out! %s/teu is not built" % libs)
        with open(self.work + "/teu", "w") as f:
            f.write('#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s/teu" "$@"\n' % (libs, libs))
        os.chmod(self.work + "/teu", 0o755)
        subprocess.run([os.environ.get("CC", "cc"), "-O1", "-static", "-w", "-o", self.work + "/probe", SUPPORT + "/probe.c"],
                       check=True)
        self.image(IMAGE, self.tree, 'CMD ["sh"]')

    def run(self, sections):
        try:
            self.prepare()
            for title, cases in sections:
                print("# " + title, flush=True)
                for case in cases:
                    self.run_case(title, case)
            self.leftovers()
        finally:
            self.clean()
        print("1..%d" % self.count, flush=True)
        return 1 if self.failed else 0

    def run_case(self, title, case):
        self.case(case, title + ": ")
        left = self.teu("ps", "-aq").out.split()
        if left:
            self.teu("rm", "-f", "-v", *left)

    def leftovers(self):
        """What nobody needs any more is nowhere."""
        def cgroups():
            return [d for d, folders, files in os.walk("/sys/fs/cgroup") if os.path.basename(d) in self.ids]
        self.same("no cgroup is left", self.wait_for(lambda: not cgroups()) and [], [])
        # A monitor deletes the files of a --rm container when nobody waits any more.
        self.wait_for(lambda: not os.listdir(self.root + "/containers"))
        self.same("no container is left on disk", os.listdir(self.root + "/containers") + os.listdir(self.root + "/names"), [])
        self.same("no container is left in the run folder", os.listdir(self.run_root + "/containers"), [])
        with open("/proc/self/mounts") as f:
            self.same("no mount is left", [line for line in f if self.work in line], [])

        def links():  # the kernel takes its time after the end of a namespace
            shown = subprocess.run(["ip", "-o", "link"], stdout=subprocess.PIPE, text=True).stdout
            return re.findall(r"^\d+: (veth\S+):", shown, re.M)
        self.wait_for(lambda: not links())
        self.same("no veth is left", links(), [])
        self.ok("no monitor is left", self.wait_for(lambda: not self.monitors()), self.monitors())
        r = self.teu("check")
        self.ok("the store is whole", r.code == 0, r)

    def monitors(self):
        """Processes that hold something of our run folder open."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if any(os.readlink("/proc/%s/fd/%s" % (pid, fd)).startswith(self.run_root) for fd in os.listdir("/proc/%s/fd" % pid)):
                    found.append(pid)
            except OSError:
                pass
        return found

    def clean(self):
        left = self.teu("ps", "-aq").out.split()
        if left:
            self.teu("rm", "-f", "-v", *left)
        shutil.rmtree(self.work, ignore_errors=True)
