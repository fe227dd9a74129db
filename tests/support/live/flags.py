"""flags: every flag of run once, with what it does seen from inside (or, where it is the kernel's business, read back)."""
import json
import os
import re
import shutil
import subprocess
import time

from .harness import IMAGE, Skip
from .isolation import DOCKER_CAPS, status


def knob(t, name, v1, v2, *flags):
    """A limit as the container itself can read it."""
    if t.cgroup2:
        return t.inside("cat /sys/fs/cgroup/" + v2, *flags)
    return t.inside("cat /sys/fs/cgroup/" + v1, *flags)


def has_controller(t, v1, v2):
    if t.cgroup2:
        with open("/sys/fs/cgroup/cgroup.controllers") as f:
            return v2 in f.read().split()
    return os.path.exists("/sys/fs/cgroup/" + v1)


def memory(t):
    t.same("--memory is the kernel's limit", knob(t, "m", "memory/memory.limit_in_bytes", "memory.max", "-m", "64m"), "67108864")
    name = "oom"
    t.need("create", "--name", name, "--network", "none", "-m", "32m", "--memory-swap", "32m", "bb", "probe", "touch", "200")
    r = t.teu("start", "-a", name)
    t.same("--memory: past it the process is killed", r.code, 137)
    t.same("OOMKilled", t.look(name, "State.OOMKilled"), True)
    t.same("the exit code of inspect", t.look(name, "State.ExitCode"), 137)
    t.need("rm", name)
    t.same("below it nothing happens", t.inside("probe touch 20", "-m", "64m"), "touched 20")
    t.start("killed")
    t.need("kill", "killed")
    t.need("wait", "killed")
    t.same("a kill is no OOM kill", (t.look("killed", "State.OOMKilled"), t.look("killed", "State.ExitCode")), (False, 137))
    t.same("an OOM kill of a child is told, too", (t.teu("run", "--name", "child", "--network", "none", "-m", "32m", "--memory-swap", "32m", "bb",
           "sh", "-c", "probe touch 200; exit 3").code, t.look("child", "State.OOMKilled")), (3, True))
    t.same("--memory-reservation", knob(t, "r", "memory/memory.soft_limit_in_bytes", "memory.low", "-m", "64m", "--memory-reservation", "32m"),
           "33554432")
    t.start("limited", "-m", "64m", "--cpus", "0.5", "--pids-limit", "70")
    t.same("limits in inspect: as asked", (t.look("limited", "HostConfig.Memory"), t.look("limited", "HostConfig.NanoCpus")), (67108864, 500000000))
    t.same("limits in inspect: read back from the kernel", [t.look("limited", "Effective." + key) for key in ("memory.limit", "cpu.quota", "pids.limit")],
           [67108864, 50000, 70])


def memory_swap(t):
    if t.cgroup2:
        if t.inside("ls /sys/fs/cgroup/memory.swap.max 2>/dev/null; :") == "":
            raise Skip("the kernel does not account swap")
        read = lambda *flags: t.inside("cat /sys/fs/cgroup/memory.swap.max", *flags)
        t.same("--memory-swap", read("-m", "64m", "--memory-swap", "100m"), str(36 << 20))
        t.same("--memory-swap: as much as memory by default", read("-m", "64m"), str(64 << 20))
        t.same("--memory-swap -1", read("-m", "64m", "--memory-swap", "-1"), "max")
    else:
        file = "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"
        if t.inside("ls %s 2>/dev/null; :" % file) == "":
            raise Skip("the kernel does not account swap")
        read = lambda *flags: t.inside("cat " + file, *flags)
        t.same("--memory-swap", read("-m", "64m", "--memory-swap", "100m"), str(100 << 20))
        t.same("--memory-swap: as much as memory by default", read("-m", "64m"), str(128 << 20))
        t.ok("--memory-swap -1", int(read("-m", "64m", "--memory-swap", "-1")) > 1 << 60)


def cpus(t):
    used = float(t.inside("probe burn 2", "--cpus", "0.25"))
    t.ok("--cpus 0.25: two seconds of spinning get half a second", 0.02 < used < 0.75, used)
    if t.cgroup2:
        t.same("--cpus", knob(t, "c", "", "cpu.max", "--cpus", "1.5"), "150000 100000")
        t.same("--cpu-quota, --cpu-period", knob(t, "c", "", "cpu.max", "--cpu-quota", "20000", "--cpu-period", "50000"), "20000 50000")
    else:
        t.same("--cpus", t.inside("cd /sys/fs/cgroup/cpu && cat cpu.cfs_quota_us cpu.cfs_period_us", "--cpus", "1.5"), "150000\n100000")
        t.same("--cpu-quota, --cpu-period", t.inside("cd /sys/fs/cgroup/cpu && cat cpu.cfs_quota_us cpu.cfs_period_us", "--cpu-quota", "20000",
                                                   "--cpu-period", "50000"), "20000\n50000")


def cpu_shares(t):
    gate = t.work + "/gate"  # one file for both, so that they begin together on a slow machine, too
    os.mkdir(gate)

    def spin(name, shares):
        t.start(name, "--cpu-shares", str(shares), "--cpuset-cpus", "0", "-v", gate + ":/gate", "--", "sh", "-c",
                "while [ ! -e /gate/go ]; do sleep 0.05; done; probe burn 3")

    def ratio():
        spin("little", 256)
        spin("much", 768)
        open(gate + "/go", "w").close()
        t.need("wait", "little", "much")
        little, much = (float(t.logs(name).out) for name in ("little", "much"))
        t.remove("little", "much")
        os.unlink(gate + "/go")
        return much / little
    # On a busy machine one may begin much later than the other all the same.
    found = [ratio()]
    while not 1.8 < found[-1] < 4.5 and len(found) < 5:
        found.append(ratio())
    t.ok("--cpu-shares 1:3 on one CPU", 1.8 < found[-1] < 4.5, found)
    if t.cgroup2:
        t.same("--cpu-shares as weight", knob(t, "w", "", "cpu.weight", "--cpu-shares", "2048"), "174")
    else:
        t.same("--cpu-shares", knob(t, "w", "cpu/cpu.shares", "", "--cpu-shares", "2048"), "2048")


def cpuset(t):
    t.same("--cpuset-cpus", t.inside("grep Cpus_allowed_list /proc/self/status | cut -f2", "--cpuset-cpus", "0"), "0")
    t.same("--cpuset-mems", t.inside("grep Mems_allowed_list /proc/self/status | cut -f2", "--cpuset-mems", "0"), "0")
    t.same("the same for exec", (t.start("set", "--cpuset-cpus", "0"), t.sh("set", "grep Cpus_allowed_list /proc/self/status | cut -f2"))[1], "0")


def pids_limit(t):
    t.same("--pids-limit", t.inside("probe forks 50", "--pids-limit", "10"), "9")  # and the probe itself
    t.same("--pids-limit -1", t.inside("probe forks 50", "--pids-limit", "-1"), "50")
    t.start("few", "--pids-limit", "10")
    t.same("exec counts, too", t.need("exec", "few", "probe", "forks", "50"), "8")  # sleep, probe


def block_io(t):
    if not has_controller(t, "blkio", "io"):
        raise Skip("there is no block I/O controller")
    file = "io.bfq.weight io.weight" if t.cgroup2 else "blkio/blkio.bfq.weight blkio/blkio.weight"
    shown = t.inside("cd /sys/fs/cgroup; cat %s 2>/dev/null; :" % file, "--blkio-weight", "300")
    if shown:
        t.match("--blkio-weight", shown, r"\b(300|2930)\b")
    else:
        t.skip("--blkio-weight", "no scheduler of this kernel has weights")
        t.same("(and the container starts)", t.inside("echo yes", "--blkio-weight", "300"), "yes")
    device, file = block_device(t)
    if not device:
        raise Skip("the folder of the tests is not on a block device of its own")
    with open(file, "wb") as f:
        f.write(os.urandom(3 << 20))
        os.fsync(f.fileno())
    read = "dd if=/data/%s of=/dev/null bs=64k count=48 iflag=direct 2>/dev/null" % os.path.basename(file)
    begin = time.monotonic()
    t.inside(read, "-v", t.work + ":/data", "--device-read-bps", device + ":1mb")
    slow = time.monotonic() - begin
    t.ok("--device-read-bps 1mb: 3 MB take some seconds", slow > 1.8, "%.2f s" % slow)
    limits = ("--device-write-bps", device + ":2mb", "--device-read-iops", device + ":100", "--device-write-iops", device + ":200")
    if t.cgroup2:
        t.match("--device-write-bps, -iops", t.inside("cat /sys/fs/cgroup/io.max", *limits), "rbps=max wbps=2097152 riops=100 wiops=200")
    else:
        t.match("--device-write-bps, -iops", t.inside("cd /sys/fs/cgroup/blkio && cat blkio.throttle.write_bps_device blkio.throttle.read_iops_device "
                "blkio.throttle.write_iops_device", *limits), r"(?s)\d+:\d+ 2097152\n\d+:\d+ 100\n\d+:\d+ 200")


def block_device(t):
    st = os.stat(t.work)
    number = "%d:%d" % (os.major(st.st_dev), os.minor(st.st_dev))
    link = "/sys/dev/block/" + number
    if not os.path.exists(link):
        return None, None
    folder = os.path.realpath(link)
    if os.path.exists(folder + "/partition"):
        folder = os.path.dirname(folder)
    device = "/dev/" + os.path.basename(folder)
    return (device if os.path.exists(device) else None), t.work + "/blocks"


def ulimit(t):
    out = t.inside("probe rlimits", "--ulimit", "nofile=100:200", "--ulimit", "core=0", "--ulimit", "nproc=64")
    t.same("--ulimit", out, "nofile 100 200\ncore 0 0\nnproc 64 64")
    t.start("limits", "--ulimit", "nofile=100:200")
    t.match("--ulimit for exec", t.need("exec", "limits", "probe", "rlimits"), "^nofile 100 200$")


def capabilities(t):
    own = int(status(t, "--privileged")["CapBnd"], 16)
    eff = lambda *flags: int(status(t, *flags)["CapEff"], 16)
    t.same("--cap-add", eff("--cap-add", "NET_ADMIN"), (DOCKER_CAPS | 1 << 12) & own)
    t.same("--cap-add with CAP_ and small letters", eff("--cap-add", "cap_net_admin"), (DOCKER_CAPS | 1 << 12) & own)
    t.same("--cap-drop", eff("--cap-drop", "CHOWN"), DOCKER_CAPS & own & ~1)
    t.same("--cap-drop ALL", eff("--cap-drop", "ALL"), 0)
    t.same("--cap-drop ALL --cap-add", eff("--cap-drop", "ALL", "--cap-add", "CHOWN"), 1)
    t.same("--cap-add ALL", eff("--cap-add", "ALL"), own)
    t.same("--cap-add ALL --cap-drop", eff("--cap-add", "ALL", "--cap-drop", "NET_ADMIN"), own & ~(1 << 12))
    t.same("an added one lets do what it says", t.inside("ip link set lo down && echo done", "--cap-add", "NET_ADMIN"), "done")
    t.same("without it not", t.inside("ip link set lo down 2>/dev/null || echo refused"), "refused")
    t.same("the filter follows: mount with SYS_ADMIN", t.inside("mount -t tmpfs none /tmp && echo done", "--cap-add", "SYS_ADMIN",
                                                              "--security-opt", "apparmor=unconfined"), "done")
    t.same("--cap-add has no effect on other users' effective set", int(status(t, "-u", "1000", "--cap-add", "NET_ADMIN")["CapEff"], 16), 0)


def privileged(t):
    s = status(t, "--privileged")
    host = int(re.search(r"^CapBnd:\s*(\w+)", open("/proc/self/status").read(), re.M)[1], 16)
    t.same("--privileged: capabilities", (int(s["CapEff"], 16), int(s["CapInh"], 16)), (host, 0))
    t.same("--privileged: no filter", s["Seccomp"], "0")
    t.same("--privileged: nothing masked or read-only", t.inside(
        "grep -cE ' /(proc|sys)/[^ ]* (tmpfs|proc|devtmpfs) ' /proc/self/mounts | grep -v '^[0]$'; grep ' /sys ' /proc/self/mounts | grep -o ' rw'; "
        "head -c 4 /proc/interrupts | wc -c", "--privileged").split(), ["rw", "4"] if t.cgroup2 else ["1", "rw", "4"])
    ours = set(os.listdir("/dev")) - {"shm", "pts", "mqueue", "fd", "hugepages", "char", "block", "disk", "log"}
    ours = {n for n in ours if not os.path.islink("/dev/" + n) and not os.path.isdir("/dev/" + n) and not os.path.isfile("/dev/" + n)}
    inside = set(t.inside("ls /dev", "--privileged").split())
    t.same("--privileged: the host's devices", sorted(ours - inside - {"console", "initctl"}), [])
    t.same("--privileged: any device may be used", t.inside("mknod /tmp/m c 1 11 && echo -n >/tmp/m && echo yes", "--privileged"), "yes")
    t.same("--privileged: cgroups are writable", t.inside("mkdir /sys/fs/cgroup/%sx && echo yes" % ("" if t.cgroup2 else "pids/"), "--privileged"), "yes")


def security_opt(t):
    t.same("seccomp=unconfined", status(t, "--security-opt", "seccomp=unconfined")["Seccomp"], "0")
    t.same("no-new-privileges", status(t, "--security-opt", "no-new-privileges")["NoNewPrivs"], "1")
    t.same("no-new-privileges: with the filter", status(t, "--security-opt", "no-new-privileges", "-u", "1000")["Seccomp"], "2")
    t.start("nnp", "--security-opt", "no-new-privileges")
    t.match("no-new-privileges: exec", t.sh("nnp", "grep NoNewPrivs /proc/self/status"), "1$")
    profile = t.work + "/profile.json"
    with open(profile, "w") as f:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}, f)
    t.match("seccomp=FILE", t.inside("mkdir /x 2>&1; mount -t tmpfs x /tmp 2>&1; :", "--security-opt", "seccomp=" + profile), "No space left")
    t.start("profiled", "--security-opt", "seccomp=" + profile)
    os.unlink(profile)
    t.match("seccomp=FILE: exec, when the file is gone", t.sh("profiled", "mkdir /x 2>&1; :"), "No space left")
    t.match("seccomp=FILE: nothing else is refused", t.inside("probe denied | grep keyctl", "--security-opt", "seccomp=unconfined"), "keyctl (ok|ENOKEY)")
    t.same("apparmor=unconfined", t.inside("echo yes", "--security-opt", "apparmor=unconfined"), "yes")
    t.same("systempaths=unconfined", t.inside("head -c 4 /proc/interrupts | wc -c", "--security-opt", "systempaths=unconfined"), "4")


def apparmor(t):
    if not os.path.exists("/sys/kernel/security/apparmor/.replace"):
        raise Skip("this kernel has no AppArmor")
    if not shutil.which("apparmor_parser", path="/usr/sbin:/sbin"):
        raise Skip("there is no apparmor_parser")
    mine = "cat /proc/self/attr/current"
    t.match("the default profile", t.inside(mine), r"^teu-default-\d+ \(enforce\)$")
    t.start("confined", "--cap-add", "ALL", "--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined")
    t.match("exec has it, too", t.sh("confined", mine), r"^teu-default-\d+ \(enforce\)$")
    t.match("inspect tells", t.look("confined", "AppArmorProfile"), r"^teu-default-\d+$")
    for what, script in (("mounts nothing", "mount -t tmpfs x /mnt"), ("writes no sysctl", "echo 1 >/proc/sys/vm/drop_caches"),
                         ("names no core handler", "echo x >/proc/sys/kernel/core_pattern"), ("presses no sysrq", "echo h >/proc/sysrq-trigger"),
                         ("reads no kernel memory", "head -c 1 /proc/kcore"), ("reads no policy", "ls /sys/kernel/security/apparmor")):
        t.same("with all capabilities it " + what, t.sh("confined", "mkdir -p /mnt; (%s) >/dev/null 2>&1 || echo refused" % script), "refused")
    t.same("its processes signal each other", t.sh("confined", "sleep 60 & kill $! && wait $!; echo $?"), "143")
    t.same("apparmor=unconfined: no profile", t.inside(mine, "--security-opt", "apparmor=unconfined"), "unconfined")
    t.same("--privileged: no profile", t.inside(mine, "--privileged"), "unconfined")
    t.fails("an unknown profile", 125, "apparmor.*nowhere|nowhere.*apparmor", "run", "--rm", "--network", "none", "--security-opt", "apparmor=nowhere", IMAGE, "true")


def device(t):
    node = next((n for n in ("/dev/fuse", "/dev/net/tun", "/dev/kvm", "/dev/loop0") if openable(n)), None)
    if not node:
        raise Skip("no device to hand over")
    t.same("--device: the node is there", t.inside("[ -c %s ] && stat -c %%t:%%T %s" % (node, node), "--device", node),
           "%x:%x" % (os.major(os.stat(node).st_rdev), os.minor(os.stat(node).st_rdev)))
    t.same("--device under another name", t.inside("[ -c /dev/other ] && echo yes", "--device", node + ":/dev/other"), "yes")
    t.same("--device: it may be opened", t.inside(": <>%s && echo yes" % node, "--device", node + ":" + node + ":rw"), "yes")
    t.same("--device :r: not for writing", t.inside("(: <>%s) 2>/dev/null || echo refused" % node, "--device", node + ":" + node + ":r"), "refused")
    t.same("--device-cgroup-rule", t.inside("mknod /tmp/x c %d %d && : <>/tmp/x && echo yes" % (
        os.major(os.stat(node).st_rdev), os.minor(os.stat(node).st_rdev)), "--device-cgroup-rule", "c %d:* rwm" % os.major(os.stat(node).st_rdev)), "yes")


def openable(node):
    try:
        os.close(os.open(node, os.O_RDWR))
        return True
    except OSError:
        return False


def orphans(t, name):
    """How many zombies there are; None while the orphan lives."""
    if "sleep\0000.1" in t.sh(name, "cat /proc/[0-9]*/cmdline 2>/dev/null; :"):
        return None
    return len(t.sh(name, "grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null; :").split())


def init(t):
    for name, flags, zombies in (("reaped", ("--init",), 0), ("unreaped", (), 1)):
        t.start(name, *flags, "--", "sh", "-c", "echo $$; (sleep 0.1 &); exec sleep 1000")
        t.wait_for(lambda: "(sleep 0.1 &)" not in t.sh(name, "cat /proc/[0-9]*/cmdline 2>/dev/null; :") and orphans(t, name) == zombies)
        t.same("%s: zombies of orphans" % (flags or "without --init"), orphans(t, name), zombies)
    t.same("--init: the command is not process 1", t.logs("reaped").out, "2\n")
    t.start("init", "--init", "--", "sh", "-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.1; done")
    t.wait_for(lambda: t.logs("init").out)
    t.need("stop", "init")
    t.same("--init: signals are passed on, the status comes back", t.look("init", "State.ExitCode"), 9)
    t.same("--init: it is the user's", t.inside("stat -c %u /proc/1; grep CapEff /proc/1/status | cut -f2", "--init", "-u", "1000"), "1000\n" + 16 * "0")
    t.same("--init: death by signal", t.teu("run", "--rm", "--init", "--network", "none", "bb", "sh", "-c", "kill -TERM $$").code, 143)
    t.same("--init -t", t.inside("[ -t 0 ] && [ -t 1 ] && tty", "--init", "-t"), "/dev/pts/0")


def stopping(t):
    script = "trap 'exit 5' USR1; trap 'exit 6' TERM; echo up; while :; do sleep 0.05; done"
    t.start("usr", "--stop-signal", "USR1", "--", "sh", "-c", script)
    t.wait_for(lambda: t.logs("usr").out)
    t.need("stop", "usr")
    t.same("--stop-signal", t.look("usr", "State.ExitCode"), 5)
    t.start("num", "--stop-signal", "10", "--", "sh", "-c", script)
    t.wait_for(lambda: t.logs("num").out)
    t.need("stop", "num")
    t.same("--stop-signal by number", t.look("num", "State.ExitCode"), 5)
    t.start("deaf", "--stop-timeout", "1", "--", "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done")
    t.wait_for(lambda: t.logs("deaf").out)
    begin = time.monotonic()
    t.need("stop", "deaf")
    took = time.monotonic() - begin
    t.ok("--stop-timeout 1, and not the 10 of none", 0.8 < took < 9.9, took)
    t.same("then it is killed", t.look("deaf", "State.ExitCode"), 137)
    t.image("stopsignal", t.tree, "STOPSIGNAL SIGUSR1")
    t.start("fromimage", "--", "sh", "-c", script, image="stopsignal")
    t.wait_for(lambda: t.logs("fromimage").out)
    t.need("stop", "fromimage")
    t.same("the image's STOPSIGNAL", t.look("fromimage", "State.ExitCode"), 5)
    t.remove("fromimage")
    t.need("rmi", "stopsignal")


def modes(t):
    t.same("--pid host", t.inside("[ -d /proc/%d ] && echo yes" % os.getpid(), "--pid", "host"), "yes")
    t.same("--uts host", t.inside("hostname", "--uts", "host"), os.uname().nodename)
    subprocess.run([t.work + "/probe", "sysv", "make"], stdout=subprocess.DEVNULL)
    try:
        t.same("--ipc host", t.inside("probe sysv look", "--ipc", "host"), "shm ok\nmsg ok")
    finally:
        subprocess.run(["ipcrm", "-M", "0x7e0001", "-Q", "0x7e0001"], stderr=subprocess.DEVNULL)
    t.start("other", "--ipc", "shareable", "--", "sh", "-c", "probe sysv make; echo up; sleep 1000")
    t.wait_for(lambda: "up" in t.logs("other").out)
    t.same("--ipc container:", t.inside("probe sysv look", "--ipc", "container:other"), "shm ok\nmsg ok")
    t.sh("other", "echo x >/dev/shm/shared")
    t.same("--ipc container: its /dev/shm, too", t.inside("cat /dev/shm/shared", "--ipc", "container:other"), "x")
    t.same("--pid container:", t.inside("cat /proc/1/comm", "--pid", "container:other"), "sleep")
    t.same("--pid container: a process of its own number", t.inside("[ $$ != 1 ] && echo yes", "--pid", "container:other"), "yes")
    t.start("inpid", "--pid", "host")
    t.same("--pid host: exec", t.sh("inpid", "[ -d /proc/%d ] && echo yes" % os.getpid()), "yes")
    t.need("stop", "-t", "1", "inpid")
    t.same("--pid host: it ends", t.look("inpid", "State.Status"), "exited")
    t.same("--cgroupns host", t.inside("grep -c 'teu' /proc/self/cgroup | grep -v '^0'", "--cgroupns", "host") != "", True)
    t.same("--ipc none", t.inside("grep -c ' /dev/shm ' /proc/self/mounts; :", "--ipc", "none"), "0")


def userns(t):
    t.match("--userns: root inside is nobody outside", t.inside("cat /proc/self/uid_map", "--userns", "private"), r"^\s*0\s+[1-9]\d+\s+65536$")
    t.same("--userns: files of the image are root's", t.inside("stat -c %u:%g /bin/busybox / /etc/passwd | sort -u", "--userns", "private"), "0:0")
    t.same("--userns: writes", t.inside("echo x >/file && stat -c %u /file && chown 5 /file && stat -c %u /file", "--userns", "private"), "0\n5")
    t.same("--userns: devices work", t.inside("echo x >/dev/null && head -c 1 /dev/zero | wc -c", "--userns", "private"), "1")
    t.same("--userns: masks", t.inside("head -c 1 /proc/kcore 2>/dev/null | wc -c; (echo x >/proc/sys/kernel/core_pattern) 2>/dev/null || echo ro",
                                       "--userns", "private"), "0\nro")
    t.start("mapped", "--userns", "private")
    t.same("--userns: exec", t.sh("mapped", "id -u; cat /proc/self/uid_map | awk '{print $1, $3}'"), "0\n0 65536")
    with open("/proc/%d/status" % t.look("mapped", "State.Pid")) as f:
        t.ok("--userns: no root outside", int(re.search(r"^Uid:\t(\d+)", f.read(), re.M)[1]) > 0)


def labels(t):
    t.start("labelled", "--label", "a=b", "--label", "c", "--label-file", label_file(t))
    t.same("--label, --label-file", t.look("labelled", "Config.Labels"), {"a": "b", "c": "", "from": "file"})
    t.same("ps --filter label", t.need("ps", "-q", "--filter", "label=from=file", "--format", "{{.Names}}"), "labelled")


def label_file(t):
    with open(t.work + "/labels", "w") as f:
        f.write("# comment\nfrom=file\n")
    return t.work + "/labels"


def dns(t):
    out = t.inside("cat /etc/resolv.conf", "--dns", "192.0.2.1", "--dns", "192.0.2.2", "--dns-search", "example.org", "--dns-option", "ndots:3",
                   network="bridge")
    t.same("--dns, --dns-search, --dns-option", sorted(out.splitlines()), ["nameserver 192.0.2.1", "nameserver 192.0.2.2", "options ndots:3",
                                                                         "search example.org"])
    t.match("--add-host", t.inside("cat /etc/hosts", "--add-host", "there:192.0.2.7", network="bridge"), r"^192\.0\.2\.7\s+there$")
    t.match("--add-host is found", t.inside("ping -c 1 -W 1 there 2>&1 | head -1", "--add-host", "there:127.0.0.1"), r"there \(127\.0\.0\.1\)")


def sysctl(t):
    t.same("--sysctl net", t.inside("cat /proc/sys/net/ipv4/ip_default_ttl", "--sysctl", "net.ipv4.ip_default_ttl=33"), "33")
    t.same("--sysctl ipc", t.inside("cat /proc/sys/kernel/msgmax", "--sysctl", "kernel.msgmax=12345"), "12345")
    t.same("--sysctl with a slash", t.inside("cat /proc/sys/net/ipv4/conf/lo/rp_filter", "--sysctl", "net.ipv4.conf.lo.rp_filter=2"), "2")
    with open("/proc/sys/kernel/msgmax") as f:
        t.ok("the host keeps its own", f.read().strip() != "12345")


def shm_size(t):
    t.same("--shm-size", t.inside("df -k /dev/shm | tail -1 | awk '{print $2}'", "--shm-size", "1m"), "1024")
    t.same("--oom-score-adj", t.inside("cat /proc/self/oom_score_adj", "--oom-score-adj", "500"), "500")
    t.same("--oom-score-adj for exec", (t.start("score", "--oom-score-adj", "500"), t.sh("score", "cat /proc/self/oom_score_adj"))[1], "500")


def environment(t):
    with open(t.work + "/env", "w") as f:
        f.write("# comment\n\nA=1\nB=x y=z\nFROMHOST\nUNSET\n")
    os.environ["FROMHOST"] = "host"
    out = t.inside("env | grep -E '^(A|B|C|FROMHOST|UNSET|D)=' | sort", "--env-file", t.work + "/env", "-e", "C=3", "-e", "A=over", "-e", "FROMHOST")
    del os.environ["FROMHOST"]
    t.same("-e, --env-file", out, "A=over\nB=x y=z\nC=3\nFROMHOST=host")
    t.same("-e PATH is used to find the command", t.need("run", "--rm", "--network", "none", "-e", "PATH=/sbin:/bin", "bb", "sh", "-c", "echo $PATH"), "/sbin:/bin")
    t.match("-e HOME", t.inside("echo $HOME", "-e", "HOME=/elsewhere"), "/elsewhere")
    t.same("TERM with -t", t.inside("echo $TERM", "-t"), "xterm")


def workdir(t):
    t.same("-w", t.inside("pwd", "-w", "/tmp"), "/tmp")
    t.same("-w: a missing folder is made, for root", t.inside("pwd; stat -c %u:%g:%a /new /new/dir", "-w", "/new/dir", "-u", "1000"),
           "/new/dir\n0:0:755\n0:0:755")
    t.same("-w through a link", t.inside("pwd -P", "-w", "/link", image=linked(t)), "/tmp")


def linked(t):
    def tree(folder):
        t.tree(folder)
        os.symlink("/tmp", folder + "/link")
    t.image("linked", tree)
    return "linked"


def users(t):
    def tree(folder):
        t.tree(folder)
        with open(folder + "/etc/passwd", "a") as f:
            f.write("alice:x:1001:1002:Alice:/home/alice:/bin/sh\n")
        with open(folder + "/etc/group", "a") as f:
            f.write("alice:x:1002:\nwheel:x:10:root,alice\naudio:x:29:bob,alice\n")
    t.image("users", tree)
    who = lambda *flags: t.inside("echo $(id -u):$(id -g) $(id -G | tr ' ' '\\n' | sort -n | tr '\\n' ' ')$HOME", *flags, image="users")
    t.same("-u NAME: groups of /etc/group, home", who("-u", "alice"), "1001:1002 10 29 1002 /home/alice")
    t.same("-u UID of an entry", who("-u", "1001"), "1001:1002 10 29 1002 /home/alice")
    t.same("-u UID without an entry", who("-u", "4321"), "4321:0 0 /")
    t.same("-u UID:GID", who("-u", "1001:5"), "1001:5 5 /home/alice")
    t.same("-u NAME:GROUP", who("-u", "alice:audio"), "1001:29 29 /home/alice")
    t.same("root has its groups, too", who(), "0:0 0 10 /root")
    t.same("--group-add", who("-u", "alice", "--group-add", "audio", "--group-add", "777"), "1001:1002 10 29 777 1002 /home/alice")
    t.same("--group-add with UID:GID", who("-u", "1:1", "--group-add", "wheel"), "1:1 1 10 /")
    t.start("who", image="users")
    t.same("exec -u", t.sh("who", "id -u; id -G; echo $HOME", "-u", "alice").replace("10 29 1002", "1002 10 29"), "1001\n1002 10 29\n/home/alice")
    t.remove("who")
    t.need("rmi", "users")


def entrypoint(t):
    t.image("entry", t.tree, 'ENTRYPOINT ["echo", "entry"]', 'CMD ["cmd"]', "ENV A=image", "WORKDIR /tmp", "USER 33", "LABEL l=image")
    run = lambda *a: t.need("run", "--rm", "--network", "none", *a)
    t.same("ENTRYPOINT and CMD", run("entry"), "entry cmd")
    t.same("the command replaces CMD", run("entry", "x", "y"), "entry x y")
    t.same("--entrypoint drops CMD", run("--entrypoint", "pwd", "entry"), "/tmp")
    t.same("--entrypoint with a command", run("--entrypoint", "sh", "entry", "-c", "echo $A $(id -u) $(pwd)"), "image 33 /tmp")
    t.same("--entrypoint '' empties it", run("--entrypoint", "", "entry", "echo", "plain"), "plain")
    t.match("an image with neither", t.teu("run", "--rm", "--entrypoint", "", "bb").err, "(?i)no command|sh")
    t.need("rmi", "entry")


def volumes(t):
    host = t.work + "/host"
    os.mkdir(host)
    with open(host + "/file", "w") as f:
        f.write("host\n")
    t.same("-v: a folder of the host", t.inside("cat /d/file; echo in >/d/new", "-v", host + ":/d"), "host")
    t.same("-v: written through", open(host + "/new").read(), "in\n")
    t.same("-v :ro", t.inside("(echo x >/d/x) 2>/dev/null || echo refused", "-v", host + ":/d:ro"), "refused")
    t.same("-v: one file", t.inside("cat /etc/one", "-v", host + "/file:/etc/one"), "host")
    t.same("-v: a missing folder of the host is made", (t.inside("touch /d/x", "-v", t.work + "/made/here:/d"), os.path.exists(t.work + "/made/here/x"))[1], True)
    t.same("--mount bind", t.inside("cat /d/file", "--mount", "type=bind,source=%s,target=/d,readonly" % host), "host")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", host], check=True)
    os.mkdir(host + "/sub")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", host + "/sub"], check=True)
    with open(host + "/sub/deep", "w") as f:
        f.write("deep\n")
    t.same("-v takes mounts below with it", t.inside("cat /d/sub/deep", "-v", host + ":/d"), "deep")
    subprocess.run(["umount", host + "/sub", host], check=True)

    def tree(folder):
        t.tree(folder)
        os.makedirs(folder + "/data/sub")
        os.symlink("sub", folder + "/data/link")
        with open(folder + "/data/sub/file", "w") as f:
            f.write("image\n")
        os.chmod(folder + "/data", 0o2750)
        os.chmod(folder + "/data/sub/file", 0o640)
        os.chown(folder + "/data/sub/file", 7, 8)
    t.image("data", tree, "VOLUME /data")
    t.same("a new named volume has the image's files", t.inside("cat /data/link/file; stat -c %a /data", "-v", "vol:/data", image="data"), "image\n2750")
    t.inside("echo changed >/data/sub/file; rm /data/link", "-v", "vol:/data", image="data")
    t.same("it keeps what was written", t.inside("cat /x/sub/file; ls /x", "-v", "vol:/x"), "changed\nsub")
    t.same("an old one is not filled again", t.inside("ls /data", "-v", "vol:/data", image="data"), "sub")
    t.same("owner and mode are kept", t.inside("stat -c %u:%g:%a /data/sub/file", "-v", "fresh:/data", image="data"), "7:8:640")
    t.same(":nocopy", t.inside("ls /data", "-v", "bare:/data:nocopy", image="data"), "")
    t.same("--mount volume", t.inside("cat /x/sub/file", "--mount", "type=volume,src=vol,dst=/x"), "changed")
    t.need("volume", "rm", "vol", "fresh", "bare")
    t.need("run", "-d", "--name", "anon", "--network", "none", "data", "sleep", "1000")
    mounts = t.look("anon", "Mounts")
    t.same("VOLUME of the image: an anonymous volume", [(m["Type"], m["Destination"], len(m["Name"])) for m in mounts], [("volume", "/data", 64)])
    t.same("and filled", t.sh("anon", "cat /data/sub/file"), "image")
    t.need("rm", "-f", "-v", "anon")
    t.same("rm -v removes it", t.need("volume", "ls", "-q"), "")
    t.inside("true", image="data")
    t.same("so does --rm", t.need("volume", "ls", "-q"), "")
    t.need("rmi", "data")


def tmpfs(t):
    t.same("--tmpfs", t.inside("stat -f -c %T /scratch; grep ' /scratch ' /proc/self/mounts | grep -o 'rw,nosuid,nodev,noexec'; stat -c %a /scratch",
                               "--tmpfs", "/scratch"), "tmpfs\nrw,nosuid,nodev,noexec\n1777")
    t.same("--tmpfs with options", t.inside("df -k /scratch | tail -1 | awk '{print $2}'; stat -c %a /scratch; cp /bin/busybox /scratch/ && /scratch/busybox echo runs",
                                          "--tmpfs", "/scratch:size=4m,mode=700,exec"), "4096\n700\nruns")
    t.same("--mount tmpfs", t.inside("df -k /s | tail -1 | awk '{print $2}'", "--mount", "type=tmpfs,dst=/s,tmpfs-size=1m"), "1024")


def read_only(t):
    t.same("--read-only", t.inside("(touch /x) 2>/dev/null || echo ro; (touch /etc/hosts) 2>/dev/null; touch /dev/shm/x && echo shm",
                                   "--read-only"), "ro\nshm")
    t.same("--read-only with --tmpfs and -v", t.inside("touch /t/x /d/x && echo yes", "--read-only", "--tmpfs", "/t", "-v", t.work + ":/d"), "yes")


def cidfile(t):
    file = t.work + "/cid"
    t.need("run", "-d", "--name", "cid", "--network", "none", "--cidfile", file, "bb", "sleep", "1000")
    t.same("--cidfile", open(file).read(), t.look("cid", "Id"))
    t.fails("--cidfile: one that is there", 125, re.escape(file), "run", "--rm", "--network", "none", "--cidfile", file, "bb", "true")
    t.same("--hostname", t.inside("hostname; cat /etc/hostname; echo $HOSTNAME", "--hostname", "box"), "box\nbox\nbox")
    t.match("--hostname is in /etc/hosts", t.inside("cat /etc/hosts", "--hostname", "box", network="bridge"), r"\sbox$")
    t.same("--domainname", t.inside("cat /proc/sys/kernel/domainname", "--domainname", "example.org"), "example.org")
    t.fails("--name: one that is taken", 125, '"?/?cid"?', "run", "--rm", "--name", "cid", "--network", "none", "bb", "true")


CASES = [memory, memory_swap, cpus, cpu_shares, cpuset, pids_limit, block_io, ulimit, capabilities, privileged, security_opt, apparmor, device, init, stopping,
         modes, userns, labels, dns, sysctl, shm_size, environment, workdir, users, entrypoint, volumes, tmpfs, read_only, cidfile]
