"""isolation: what a container with no flags sees of itself and of the machine."""
import os
import re
import subprocess

DOCKER_CAPS = 0xa80425fb


def pid_1(t):
    t.same("the command is process 1", t.inside("echo $$"), "1")
    t.same("and the only one", t.inside("set -- /proc/[0-9]*; echo $#"), "1")
    t.same("an orphan gets process 1 as its parent", t.inside(
        "(sh -c 'until [ -e /go ]; do sleep 0.02; done; exec grep PPid: /proc/self/status >/said' &); touch /go; until [ -s /said ]; do sleep 0.02; done; cat /said").split()[-1], "1")


def mounts(t):
    lines = t.inside("cat /proc/self/mounts").splitlines()
    seen = {line.split()[1]: line.split() for line in lines}
    for path, kind in (("/", "overlay"), ("/proc", "proc"), ("/dev", "tmpfs"), ("/dev/pts", "devpts"), ("/dev/shm", "tmpfs"),
                       ("/dev/mqueue", "mqueue"), ("/sys", "sysfs")):
        t.same("%s is %s" % (path, kind), seen.get(path, ["", "", "nothing"])[2], kind)
    t.ok("/sys is read-only", "ro" in seen["/sys"][3].split(","), seen["/sys"])
    t.ok("/sys/fs/cgroup is read-only", "ro" in seen["/sys/fs/cgroup"][3].split(","), seen["/sys/fs/cgroup"])
    t.ok("no path of the host's store is told", t.work not in "\n".join(lines), "\n".join(lines))
    t.same("a mount inside is not seen outside", t.inside("mount -t tmpfs tmpfs /tmp && grep -c ' /tmp ' /proc/self/mounts",
                                                          "--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined"), "1")
    with open("/proc/self/mounts") as f:
        t.ok("the rootfs is not mounted on the host", not any(t.work in line for line in f))


def names(t):
    cid = t.start("named")
    t.same("the host name is the short id", t.sh("named", "hostname"), cid[:12])
    t.same("so is $HOSTNAME", t.sh("named", "echo $HOSTNAME"), cid[:12])
    t.match("/etc/hostname", t.sh("named", "cat /etc/hostname"), "^%s$" % cid[:12])
    t.same("the host's name is not changed", os.uname().nodename, subprocess.check_output(["uname", "-n"], text=True).strip())


def ipc(t):
    made = subprocess.run([t.work + "/probe", "sysv", "make"], stdout=subprocess.PIPE, text=True).stdout
    try:
        t.same("keys of the host's System V IPC are not there", t.inside("probe sysv look"), "shm ENOENT\nmsg ENOENT")
    finally:
        subprocess.run(["ipcrm", "-M", "0x7e0001", "-Q", "0x7e0001"], stderr=subprocess.DEVNULL)
    t.same("(the keys were there)", made, "shm ok\nmsg ok\n")


def links(t):
    t.same("bridge: lo and eth0", t.inside("ls /sys/class/net", network="bridge"), "eth0\nlo")
    t.same("none: lo only", t.inside("ls /sys/class/net"), "lo")
    t.match("lo is up", t.inside("ip -o addr show lo"), "inet 127.0.0.1/8")
    t.same("no route without a network", t.inside("ip route"), "")


def descriptors(t):
    t.same("no descriptor is inherited: run", t.inside("exec probe fds"), "")
    t.start("fds")
    t.same("no descriptor is inherited: exec", t.need("exec", "fds", "probe", "fds"), "")
    t.same("no descriptor is inherited: --init", t.inside("exec probe fds", "--init"), "")
    extra = os.open("/etc/passwd", os.O_RDONLY)
    done = subprocess.run(t.command("run", "--rm", "--network", "none", "bb", "probe", "fds"), stdout=subprocess.PIPE, pass_fds=[extra])
    os.close(extra)
    t.same("nor one of the caller's", done.stdout, b"")


def masked(t):
    script = r"""
        for f in /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug /proc/latency_stats /proc/timer_stats /proc/interrupts; do
            [ -e $f ] && [ "$(head -c 8 $f | wc -c)" != 0 ] && echo "$f has content"; done
        for d in /proc/acpi /proc/scsi /sys/firmware /proc/asound /sys/devices/virtual/powercap; do
            [ -e $d ] && [ -n "$(ls -A $d)" ] && echo "$d has content"; done
        for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sys/vm/drop_caches /proc/sysrq-trigger /proc/irq/default_smp_affinity \
                 /sys/kernel/mm/ksm/run /sys/kernel/uevent_helper; do
            [ -e $f ] && (echo x >$f) 2>/dev/null && echo "$f is writable"; done
        for d in /proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger; do
            [ -e $d ] && ! grep -q " $d [^ ]* ro," /proc/self/mounts && echo "$d is not read-only"; done
        rmdir /sys/fs/cgroup/* 2>/dev/null && echo "cgroups can be removed"; for d in /sys/fs/cgroup /sys/fs/cgroup/memory; do
            mkdir $d/x 2>/dev/null && echo "$d is writable"; done; :"""
    t.same("masked and read-only paths", t.inside(script), "")
    t.same("the same for exec", (t.start("masked"), t.sh("masked", script))[1], "")
    t.same("a mask can't be taken off", t.inside("umount /proc/sys 2>/dev/null || echo refused"), "refused")


def devices(t):
    nodes = "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"
    t.same("/dev", t.inside("ls /dev").split(), nodes.split())
    t.same("/dev with -t", sorted(t.inside("ls -1 /dev", "-t").split()), sorted(nodes.split() + ["console"]))
    t.same("null, zero and random work", t.inside("echo x >/dev/null && head -c 3 /dev/zero | wc -c && head -c 5 /dev/urandom | wc -c"), "3\n5")
    t.same("/dev/full is full", t.inside("echo x >/dev/full 2>/dev/null || echo full"), "full")
    t.same("streams by name", t.inside("echo a >/dev/stdout; echo b | cat /dev/stdin; echo c >/dev/fd/1"), "a\nb\nc")
    t.same("streams by name for another user", t.inside("echo a >/dev/stdout; echo b >/dev/stderr", "-u", "1000"), "a")
    t.same("a node for a disk or kernel memory can be made, not opened",
           t.inside("mknod /tmp/m c 1 1 && mknod /tmp/k c 10 229 && for f in m k; do (: </tmp/$f) 2>&1 | grep -o 'not permitted'; done"),
           "not permitted\nnot permitted")
    t.same("one for /dev/null can be used", t.inside("mknod /tmp/n c 1 3 && echo x >/tmp/n && echo fine"), "fine")
    t.same("the same for exec", (t.start("dev"), t.sh("dev", "mknod /tmp/m c 1 1 && (: </tmp/m) 2>&1 | grep -o 'not permitted'"))[1],
           "not permitted")
    t.same("/dev/shm has 64 MiB", t.inside("df -k /dev/shm | tail -1 | awk '{print $2}'"), "65536")
    t.same("anybody may use /dev/ptmx and /dev/shm", t.inside("touch /dev/shm/x && : <>/dev/ptmx && echo yes", "-u", "1000"), "yes")


def status(t, *flags, **more):
    text = t.inside("cat /proc/self/status", *flags, **more)
    return {k: v.strip() for k, v in (line.split(":", 1) for line in text.splitlines() if ":" in line)}


def caps(t):
    own = int(re.search(r"^CapBnd:\s*(\w+)", open("/proc/self/status").read(), re.M)[1], 16)
    root, user = status(t), status(t, "-u", "1000:1000")
    for name in ("CapEff", "CapPrm", "CapBnd"):
        t.same("root's " + name, int(root[name], 16), DOCKER_CAPS & own)
    t.same("root's CapInh and CapAmb", (int(root["CapInh"], 16), int(root["CapAmb"], 16)), (0, 0))
    t.same("another user has none", [int(user[n], 16) for n in ("CapInh", "CapPrm", "CapEff", "CapAmb")], [0] * 4)
    t.same("but the same bounding set", int(user["CapBnd"], 16), DOCKER_CAPS & own)
    t.start("caps")
    for what, flags, expected in (("exec", (), DOCKER_CAPS & own), ("exec -u", ("-u", "1000"), 0), ("exec --privileged", ("--privileged",), own)):
        text = t.sh("caps", "cat /proc/self/status", *flags)
        t.same(what + ": CapEff", int(re.search(r"^CapEff:\s*(\w+)", text, re.M)[1], 16), expected)
        t.same(what + ": CapInh", int(re.search(r"^CapInh:\s*(\w+)", text, re.M)[1], 16), 0)
    t.same("setuid programs work", status(t, "-u", "1000")["NoNewPrivs"], "0")
    t.same("ping without CAP_NET_RAW", t.inside("probe allowed | grep -E 'raw|ping'", "-u", "1000", "--cap-drop", "ALL"),
           "socket-raw EPERM\nsocket-ping ok")
    t.same("low ports for any user", t.inside("timeout 0.3 nc -l -p 80; [ $? != 1 ] && echo bound", "-u", "1000"), "bound")


def seccomp(t):
    words = dict(line.split() for line in t.inside("probe denied").splitlines())
    expected = {name: "EPERM" for name in words}
    expected.update({"clone3": "ENOSYS", "no-such-call": "ENOSYS"})
    for name in sorted(words):
        t.same("refused: " + name, words[name], expected[name])
    everything = t.inside("probe denied", "--cap-add", "ALL")
    t.match("refused with all capabilities, too: af_alg, keyctl, userfaultfd", everything, r"(?s)af_alg EPERM.*keyctl EPERM")
    t.same("allowed", t.inside("probe allowed"), "\n".join(n + " ok" for n in (
        "socket-raw", "socket-ping", "socket-netlink", "chroot", "mknod", "chown", "ptrace", "personality", "statx")))
    s = status(t)
    t.same("mode 2", s["Seccomp"], "2")
    t.same("--init: of process 1, too", t.inside("grep Seccomp: /proc/1/status | cut -f2", "--init"), "2")
    t.start("filter")
    t.match("exec", t.sh("filter", "probe denied"), "^keyctl EPERM")
    t.match("exec --privileged keeps the filter", t.sh("filter", "grep Seccomp: /proc/self/status", "--privileged"), r"2$")


def environment(t):
    t.same("PATH, HOSTNAME and HOME, nothing of the caller's",
           t.teu("run", "--rm", "--network", "none", "-h", "box", "bb", "env", env={"SECRET": "x"}).out.splitlines(),
           ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=box", "HOME=/root"])
    t.same("umask", t.inside("umask"), "0022")
    t.same("no signal is ignored or blocked", t.inside("grep -E 'SigIgn|SigBlk' /proc/self/status | cut -f2 | sort -u"), "0" * 16)
    ignoring = "trap '' PIPE HUP INT; exec \"$@\""
    done = subprocess.run(["sh", "-c", ignoring, "sh"] + t.command("run", "--rm", "--network", "none", "bb", "grep", "SigIgn", "/proc/self/status"),
                          stdout=subprocess.PIPE, text=True)
    t.same("nor one that the caller ignores", done.stdout.split()[1:], ["0" * 16])
    t.same("oom_score_adj is 0", t.inside("cat /proc/self/oom_score_adj"), "0")
    t.same("/ is the folder", t.inside("pwd"), "/")
    t.same("the root's mode", t.inside("stat -c %a /"), "755")


def cgroup_view(t):
    t.same("/proc/self/cgroup shows no path of the host", t.inside("cut -d: -f3 /proc/self/cgroup | sort -u"), "/")


CASES = [pid_1, mounts, names, ipc, links, descriptors, masked, devices, caps, seccomp, environment, cgroup_view]
