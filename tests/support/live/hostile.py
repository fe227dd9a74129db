"""hostile: images and containers that try to reach the host through what we do for them. The rows of the CVEs are told by number.

A canary outside the rootfs is compared before and after each: its content, mode, owner and inode.
"""
import hashlib
import os
import re
import subprocess
import threading


class Canary:
    def __init__(self, t):
        self.folder = t.work + "/canary"
        os.makedirs(self.folder + "/dir", exist_ok=True)
        self.file = self.folder + "/file"
        with open(self.file, "w") as f:
            f.write("canary\n")
        os.chmod(self.file, 0o640)
        self.before = self.look()

    def look(self):
        seen = []
        for folder, _, names in os.walk(self.folder):
            for name in [folder] + [folder + "/" + n for n in names]:
                st = os.lstat(name)
                text = open(name, "rb").read() if os.path.isfile(name) else b""
                seen.append((name, st.st_ino, st.st_mode, st.st_uid, st.st_gid, hashlib.sha256(text).hexdigest()))
        return sorted(seen)


def attack(t, name, change, *command, flags=(), config=()):
    """An image whose tree @change(folder, canary) has spoilt; what running it gives, after the canary was looked at."""
    canary = Canary(t)

    def tree(folder):
        t.tree(folder)
        change(folder, canary)
    t.image("hostile", tree, *config)
    r = t.teu("run", "--rm", *flags, "hostile", *(command or ("true",)))
    t.same(name + ": the host is as it was", canary.look(), canary.before)
    t.need("rmi", "-f", "hostile")
    return r


def refused(t, name, r, *words):
    t.ok(name + ": refused in one line", r.code == 125 and r.err.count("\n") == 1 and all(w in r.err for w in words), r)


def link(path, target):
    def change(folder, canary):
        full = folder + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if os.path.isdir(full) and not os.path.islink(full):
            subprocess.run(["rm", "-rf", full], check=True)
        elif os.path.lexists(full):
            os.unlink(full)
        os.symlink(target(canary) if callable(target) else target, full)
    return change


def kernel_views(t):
    """19921, 27561, 28642: /proc or /sys are links, so that masks land elsewhere."""
    for path in ("/proc", "/sys"):
        for target in ("/tmp", "..", lambda c: c.folder + "/dir"):
            r = attack(t, "%s is a link" % path, link(path, target), "cat", "/proc/self/mounts", flags=("--network", "none"))
            refused(t, "%s is a link" % path, r, path)
    r = attack(t, "/proc is a file", lambda f, c: open(f + "/proc", "w").close(), flags=("--network", "none"))
    refused(t, "/proc is a file", r, "/proc")
    r = attack(t, "/sys/fs is a link", link("/sys/fs", lambda c: c.folder), "cat", "/proc/self/mounts", flags=("--network", "none"))
    t.ok("/sys/fs is a link: hidden by the mount", r.code == 0 and " /sys/fs/cgroup " in r.out, r)


def dev(t):
    """31133: what stands in the image's /dev is never taken for a device."""
    for path in ("/dev/null", "/dev/console", "/dev/ptmx", "/dev/pts", "/dev/shm"):
        r = attack(t, path + " is a link", link(path, "/proc/sys/kernel/core_pattern" if path == "/dev/null" else lambda c: c.file),
                   "sh", "-c", "[ -c /dev/null ] && stat -c %t:%T /dev/null; (echo x >/proc/sys/kernel/core_pattern) 2>/dev/null || echo ro; "
                   "grep -q x /proc/keys 2>/dev/null && echo content", flags=("--network", "none", "-t"))
        t.same(path + " is a link: a device of our own", r.out.replace("\r", ""), "1:3\nro\n")
    r = attack(t, "/dev is a link", link("/dev", lambda c: c.folder), "ls", "/dev", flags=("--network", "none"))
    t.ok("/dev is a link: it fails or stays inside", r.code == 125 or "file" not in r.out, r)


def names(t):
    """24965, 9566: what we write or bind into a rootfs is a link there."""
    for path in ("/etc/hosts", "/etc/resolv.conf", "/etc/hostname"):
        for what, target in (("the host", lambda c: c.file), ("nothing", lambda c: c.folder + "/new"), ("up", "../../../../../../../../etc/passwd")):
            r = attack(t, "%s is a link to %s" % (path, what), link(path, target), "sh", "-c", "cat /etc/passwd | head -1", flags=("--hostname", "box"))
            t.ok("%s is a link to %s: stays inside" % (path, what), r.code == 125 or "canary" not in r.out, r)
    r = attack(t, "/etc is a link", link("/etc", lambda c: c.folder), "cat", "/etc/hostname", flags=("--hostname", "box"))
    t.ok("/etc is a link: stays inside", r.code == 125 or r.out == "box\n", r)
    r = attack(t, "/etc/passwd is a link", link("/etc/passwd", lambda c: c.file), "id", "-u", flags=("--network", "none", "-u", "1"))
    t.same("/etc/passwd is a link: not followed to the host", r.out, "1\n")
    def fifo(folder, canary):
        os.unlink(folder + "/etc/passwd")
        os.mkfifo(folder + "/etc/passwd")
    r = attack(t, "/etc/passwd is a fifo", fifo, "grep", "^Uid", "/proc/self/status", flags=("--network", "none", "-u", "1"))
    t.same("/etc/passwd is a fifo: no hang", r.out.split(), ["Uid:"] + ["1"] * 4)


def working_folder(t):
    """21626: the working folder is one of the launcher's own descriptors."""
    bad = []
    for fd in range(3, 40):
        for where in ("/proc/self/fd/%d" % fd, "/proc/self/fd/%d/../../.." % fd):
            r = t.teu("run", "--rm", "--network", "none", "-w", where, "bb", "sh", "-c", "ls -d ../../../../../.. >/dev/null; pwd -P; cat ../../../etc/hostname")
            if r.code == 0 and not r.out.startswith("/"):
                bad.append((where, r))
            elif r.code != 0 and (r.code not in (1, 125, 126, 127) or r.err.count("\n") > 2):
                bad.append((where, r))
    t.same("-w /proc/self/fd/N", bad, [])
    host = open("/etc/machine-id").read() if os.path.exists("/etc/machine-id") else None
    t.start("cwd")
    bad = []
    for fd in range(3, 30):
        r = t.teu("exec", "-w", "/proc/self/fd/%d" % fd, "cwd", "sh", "-c", "readlink /proc/self/cwd; cat etc/machine-id ../etc/machine-id ../../../../etc/machine-id 2>/dev/null")
        if r.code == 0 and (not r.out.startswith("/") or (host and host in r.out)):
            bad.append((fd, r))
    t.same("exec -w /proc/self/fd/N", bad, [])
    t.image("fd", t.tree, "WORKDIR /proc/self/fd/8")
    r = t.teu("run", "--rm", "--network", "none", "fd", "pwd")
    t.ok("WORKDIR /proc/self/fd/8", r.code != 0 or r.out.startswith("/"), r)
    t.need("rmi", "fd")
    r = attack(t, "WORKDIR through a link", link("/w", lambda c: c.folder + "/dir/made"), "pwd", flags=("--network", "none", "-w", "/w"))
    t.ok("WORKDIR through a link: inside", r.code != 0 or "canary" in r.out, r)


def binds(t):
    """45310, 30465: the place of a mount leads out of the rootfs."""
    source = t.work + "/source"
    os.makedirs(source, exist_ok=True)
    for what, target in (("the host", lambda c: c.folder + "/dir"), ("up", lambda c: "../" * 12 + c.folder.lstrip("/") + "/dir"), ("/", "/")):
        r = attack(t, "a mount below a link to " + what, link("/m", target), "sh", "-c", "ls -a /m/sub >/dev/null; :", flags=("--network", "none", "-v", source + ":/m/sub"))
        t.ok("a mount below a link to %s: inside or refused" % what, r.code in (0, 125), r)
    r = attack(t, "tmpfs below a link", link("/m", lambda c: c.folder + "/dir"), flags=("--network", "none", "--tmpfs", "/m/t"))
    t.ok("tmpfs below a link: inside or refused", r.code in (0, 125), r)
    r = attack(t, "a device below a link", link("/m", lambda c: c.folder + "/dir"), flags=("--network", "none", "--device", "/dev/zero:/m/zero"))
    t.ok("a device below a link: inside or refused", r.code in (0, 125), r)


def race(t):
    """30465, 45310, 52881: two containers share a volume, one swaps a folder and a link while the other is started."""
    canary = Canary(t)
    shared = t.work + "/shared"
    os.makedirs(shared + "/a/sub", exist_ok=True)
    if not os.path.lexists(shared + "/b"):
        os.symlink("../../../../../../../../.." + canary.folder, shared + "/b")
    stop = threading.Event()

    def swap():
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        while not stop.is_set():
            libc.renameat2(-100, (shared + "/a").encode(), -100, (shared + "/b").encode(), 2)  # RENAME_EXCHANGE
    swapper = threading.Thread(target=swap)
    swapper.start()
    bad = []
    try:
        for n in range(40):
            r = t.teu("run", "--rm", "--network", "none", "-v", shared + ":/v", "-v", t.work + "/source:/v/a/sub", "--tmpfs", "/v/a/t%d" % n, "bb", "ls", "/v/a/")
            if r.code not in (0, 1, 125) or "file" in r.out.split():
                bad.append(r)
    finally:
        stop.set()
        swapper.join()
    t.same("the place of a mount is swapped while it is made", bad, [])
    t.same("the host is as it was", canary.look(), canary.before)


def volumes(t):
    """23648: a VOLUME that is a link to the host must not bring the host's files into the volume."""
    for target in ((lambda c: c.folder), (lambda c: "../../../../../../../.." + c.folder), "/etc"):
        r = attack(t, "VOLUME is a link", link("/v", target), "sh", "-c", "ls /v/; cat /v/file /v/machine-id 2>/dev/null; :", flags=("--network", "none"), config=("VOLUME /v",))
        t.ok("VOLUME is a link: nothing of the host in it", r.code == 125 or ("canary" not in r.out and "machine-id" not in r.out), r)
    left = t.need("volume", "ls", "-q")
    t.same("no volume is left", left, "")


def binary(t):
    """5736: the container runs or writes our own program."""
    before = [hashlib.sha256(open(p, "rb").read()).hexdigest() for p in programs(t)]
    r = attack(t, "the entry point is /proc/self/exe", link("/run-me", "/proc/self/exe"), "/run-me", flags=("--network", "none"))
    t.ok("/proc/self/exe as command: fails", r.code != 0, r)
    def script(folder, canary):
        with open(folder + "/script", "w") as f:
            f.write("#!/proc/self/exe\n")
        os.chmod(folder + "/script", 0o755)
    r = attack(t, "a script whose interpreter is /proc/self/exe", script, "/script", flags=("--network", "none"))
    t.ok("#!/proc/self/exe: fails", r.code != 0, r)
    t.start("host", "--pid", "host", "--cap-add", "SYS_PTRACE")
    monitor = t.sh("host", "for p in /proc/[0-9]*; do [ \"$(cat $p/comm 2>/dev/null)\" = teu-monitor ] && echo ${p#/proc/}; done | tail -1")
    t.same("with --pid host: the monitor's program can't be written", t.sh("host", "(echo x >/proc/%s/exe) 2>/dev/null && echo written; :" % monitor), "")
    t.same("our programs are as they were", [hashlib.sha256(open(p, "rb").read()).hexdigest() for p in programs(t)], before)


def programs(t):
    return [t.build + "/.libs/teu", os.path.realpath(t.build + "/.libs/libteu.so.0")]


def joining(t):
    """2016-9962: who enters a container shows nothing of the host to those in it."""
    t.start("spy", "--cap-add", "SYS_PTRACE", "--", "sh", "-c", "probe spy 6; echo end")
    for _ in range(40):
        t.teu("exec", "spy", "true")
    t.wait_for(lambda: "end" in t.logs("spy").out)
    host = [line for line in t.logs("spy").out.splitlines() if re.search(r"/(root|layers|memfd|tmp/teu)", line)]
    t.same("exec: no descriptor of the host is seen in it", host, [])
    t.start("spy1000", "-u", "1000", "--", "sh", "-c", "probe spy 4; echo end")
    for _ in range(30):
        t.teu("exec", "-u", "1000", "spy1000", "true")
    t.wait_for(lambda: "end" in t.logs("spy1000").out)
    t.same("exec: nor by another user", [line for line in t.logs("spy1000").out.splitlines() if re.search(r"/(root|layers|memfd|tmp/teu)", line)], [])


def helpers(t):
    """1227: top looks at /proc of the host and runs nothing of the image."""
    mark = t.work + "/mark"
    def tree(folder):
        t.tree(folder)
        for name in ("/bin/ps", "/usr/bin/ps", "/bin/nsenter", "/usr/bin/nsenter"):
            if os.path.lexists(folder + name):
                os.unlink(folder + name)
            with open(folder + name, "w") as f:
                f.write("#!/bin/sh\ntouch /ran %s\n" % mark)
            os.chmod(folder + name, 0o755)
    t.image("helpers", tree)
    t.start("helped", image="helpers")
    t.need("top", "helped")
    t.need("stats", "--no-stream", "helped")
    t.same("top and stats run nothing of the image", (t.sh("helped", "ls /ran 2>/dev/null; :"), os.path.exists(mark)), ("", False))
    t.remove("helped")
    t.need("rmi", "helpers")


def shared_memory(t):
    """Our own: --ipc container: where the other has put a link to the host in the place of its /dev/shm."""
    canary = Canary(t)
    t.start("liar", "--ipc", "shareable", "--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined")
    t.sh("liar", "umount /dev/shm && rmdir /dev/shm && ln -s %s /dev/shm" % canary.folder)
    r = t.teu("run", "--rm", "--network", "none", "--ipc", "container:liar", "bb", "ls", "/dev/shm/")
    t.ok("--ipc container: of a liar", r.code == 125 or "file" not in r.out, r)
    t.same("--ipc container: the host is as it was", canary.look(), canary.before)


def modes(t):
    """41091: nobody but root gets into the store."""
    for path in (t.root, t.run_root):
        t.same("no way for others into " + path[len(t.work):], oct(os.stat(path).st_mode & 0o007), "0o0")


def deep_folders(t):
    """A tree deeper than anybody has descriptors or a stack for is deleted all the same."""
    dig = "mkdir a; i=0; while [ $i -lt 1100 ]; do mkdir b && mv a b && mv b a || exit 1; i=$((i+1)); done"
    for name, flags, after in (("run --rm", ("--rm",), None), ("rm", ("--name", "deep"), "deep")):
        r = t.teu("run", *flags, "--network", "none", "bb", "sh", "-c", dig)
        t.same("%s: 1100 folders in one another are made" % name, (r.code, r.err), (0, ""))
        if after:
            t.need("rm", after)
        t.ok("%s: and deleted" % name, t.wait_for(lambda: not os.listdir(t.root + "/containers")), os.listdir(t.root + "/containers"))


CASES = [kernel_views, dev, names, working_folder, binds, race, volumes, binary, joining, helpers, shared_memory, modes,
         deep_folders]
