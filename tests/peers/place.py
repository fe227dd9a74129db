"""place: where a peer's suite runs: cgroups, mounts, network and processes of its own, gone when it ends.

hold() starts the program anew below one cgroup a hierarchy, in a cgroup namespace whose /sys/fs/cgroup begins there, and removes
those cgroups after it. run() gives a command mounts, network and processes of its own, and a terminal.
Source: cgroup_namespaces(7); cgroup-v1/freezer-subsystem.rst: a frozen process is not killed before it thaws.
"""
import ctypes
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import remains  # noqa: E402

INSIDE = "TEU_PEERS_INSIDE"
CLONE_NEWNS, CLONE_NEWCGROUP = 0x20000, 0x2000000
MOUNT = "/sys/fs/cgroup"


def die(text):
    sys.exit("%s: %s" % (os.path.basename(sys.argv[0]), text))


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def read(path):
    with open(path) as file:
        return file.read()


def hierarchies():
    """Mount point and own cgroup in it, of each hierarchy that is mounted."""
    mounts = {}
    for line in read("/proc/self/mountinfo").splitlines():
        left, right = line.split(" - ")
        kind, options = right.split()[0], right.split()[2].split(",")
        if kind.startswith("cgroup"):
            mounts[kind] = mounts.get(kind, []) + [(left.split()[4], options)]
    for line in read("/proc/self/cgroup").splitlines():
        _, names, own = line.split(":", 2)
        if not names:
            found = mounts.get("cgroup2", [])
        else:
            found = [entry for entry in mounts.get("cgroup", []) if names.split(",")[0] in entry[1]]
        if found:
            yield names, found[0][0], own.rstrip("/")


def make_cgroups():
    """A cgroup of our own in each hierarchy, and we in it; their folders."""
    made = []
    for names, mount, own in hierarchies():
        folder = "%s%s/teu-peers-%d" % (mount, own, os.getpid())
        os.mkdir(folder)
        made.append(folder)
        if names == "cpuset":
            for file in "cpuset.cpus", "cpuset.mems":
                write(folder + "/" + file, read("%s%s/%s" % (mount, own, file)))
        if not names and mount == MOUNT:
            # A cgroup with processes in it can't give controllers to its children (cgroup-v2.rst, "No Internal Process Constraint").
            offer(mount + own)
        write(folder + "/cgroup.procs", str(os.getpid()))
    return made


def offer(folder):
    """The controllers that @folder can give to its children are given, as far as the kernel lets us."""
    for name in read(folder + "/cgroup.controllers").split():
        try:
            write(folder + "/cgroup.subtree_control", "+" + name)
        except OSError:
            pass


def system(*argv):
    subprocess.run(argv, check=True)


def mount_cgroups():
    """/sys/fs/cgroup as the new cgroup namespace sees it, mounted as the machine had it."""
    if os.path.exists(MOUNT + "/cgroup.controllers"):
        system("umount", "--recursive", MOUNT)
        system("mount", "-t", "cgroup2", "cgroup2", MOUNT)
        os.mkdir(MOUNT + "/suite")
        # Our first run waits here, too: one process left, and the root can't give controllers to its children.
        for pid in read(MOUNT + "/cgroup.procs").split():
            try:
                write(MOUNT + "/suite/cgroup.procs", pid)
            except ProcessLookupError:
                pass  # it has ended since
        offer(MOUNT)
        return
    found = [(names, os.path.basename(mount)) for names, mount, _ in hierarchies()]
    system("umount", "--recursive", MOUNT)
    system("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", MOUNT)
    for names, folder in found:
        os.mkdir("%s/%s" % (MOUNT, folder))
        options = "none," + names if names.startswith("name=") else names
        kind = ["cgroup", "-o", options] if names else ["cgroup2"]
        system("mount", "-t", *kind, "cgroup", "%s/%s" % (MOUNT, folder))


def thaw(folder):
    for file, text in ("freezer.state", "THAWED"), ("cgroup.freeze", "0"):
        try:
            write(folder + "/" + file, text)
        except OSError:
            pass


def end(folder):
    """Whoever is in the cgroup @folder ends, but for ourselves."""
    try:
        pids = [int(word) for word in read(folder + "/cgroup.procs").split()]
    except OSError:
        return
    for pid in pids:
        # A process of another process namespace reads as 0; it ends with that namespace.
        if pid not in (0, os.getpid(), os.getppid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass


def remove_below(top, keep=()):
    """Removes the cgroups below @top; the topmost of them. Their processes end."""
    removed = []
    for folder, _, _ in os.walk(top):
        if folder != top and folder not in keep:
            thaw(folder)
            end(folder)
    for folder, _, _ in os.walk(top, topdown=False):
        if folder == top or folder in keep:
            continue
        for _ in range(50):
            try:
                os.rmdir(folder)
                break
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.02)
        if os.path.dirname(folder) == top:
            removed.append(os.path.relpath(folder, MOUNT))
    return removed


def sweep():
    """Removes the cgroups that a suite's file left, and names them."""
    if os.path.exists(MOUNT + "/cgroup.controllers"):
        return remove_below(MOUNT, keep=(MOUNT + "/suite",))
    return [name for folder in sorted(os.listdir(MOUNT)) for name in remove_below("%s/%s" % (MOUNT, folder))]


def unshare(flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        die("unshare: " + os.strerror(ctypes.get_errno()))


def mount_unused(folder):
    """On cgroup v1: the controllers that the machine has and nobody uses, mounted below @folder. They can be had from outside only."""
    if os.path.exists(MOUNT + "/cgroup.controllers"):
        return
    mounted = {name for names, _, _ in hierarchies() for name in names.split(",")}
    for line in read("/proc/cgroups").splitlines()[1:]:
        name, _, _, enabled = line.split()
        if name in mounted or enabled != "1":
            continue
        os.mkdir(folder + "/" + name)
        # One that cgroup v2 has given to children can't be had.
        subprocess.run(["mount", "-t", "cgroup", "-o", name, "cgroup", folder + "/" + name], stderr=subprocess.DEVNULL)


def hold(unused=False):
    """
    Returns in a second run of the program, inside the place; the first run waits for it, cleans up, and exits as it did.
    @unused: with the controllers of cgroup v1 that nobody uses, too.
    """
    # A request to end is one to clean up, too: both runs take it as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if os.environ.pop(INSIDE, None):
        unshare(CLONE_NEWNS | CLONE_NEWCGROUP)
        system("mount", "--make-rprivate", "/")
        mount_cgroups()
        return
    if os.geteuid():
        die("needs root")
    unshare(CLONE_NEWNS)
    system("mount", "--make-rprivate", "/")
    more = remains.folder("teu-peers.")
    if unused:
        mount_unused(more)
    home = {mount + own: "%s%s/cgroup.procs" % (mount, own) for _, mount, own in hierarchies()}
    made = make_cgroups()
    child = subprocess.Popen([sys.executable, *sys.argv], env=dict(os.environ, **{INSIDE: "1"}), preexec_fn=remains.die_with_parent)
    status = None
    while status is None:
        try:
            status = child.wait()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)
    for procs in home.values():
        write(procs, str(os.getpid()))
    for folder in made:
        remove_below(folder)
        os.rmdir(folder)
    for name in os.listdir(more):
        subprocess.run(["umount", "-q", more + "/" + name], stderr=subprocess.DEVNULL)
    shutil.rmtree(more)
    sys.exit(status if status >= 0 else 128 - status)


def run(argv, seconds, cwd=None, env=None):
    """Runs @argv on a terminal of its own; its status (None: it took too long) and all that it wrote.

    bash is process 1 of the new namespace: it reaps what the suite leaves, and all that is left ends with it.
    """
    inside = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
              "bash", "-c", 'ip link set lo up; "$@" & wait $!', "suite", *argv]
    master, slave = pty.openpty()
    mode = termios.tcgetattr(slave)
    mode[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, mode)
    child = subprocess.Popen(["setsid", "--ctty", *inside], stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=env)
    os.close(slave)
    try:
        text, over = follow(master, child, time.monotonic() + seconds)
    finally:
        os.close(master)
    return None if over else child.returncode, text


def follow(master, child, deadline):
    """Reads the terminal until @child has ended; its text, and whether the deadline ended it."""
    pieces, over = [], False
    ended = os.pidfd_open(child.pid)
    sources = [master, ended]
    while True:
        ready = select.select(sources, [], [], max(deadline - time.monotonic(), 0))[0]
        if master in ready:
            try:
                pieces.append(os.read(master, 65536))
            except OSError:
                # EIO: nobody has the terminal open any more.
                sources.remove(master)
        elif ready:
            break
        else:
            over = True
            end_tree(child.pid)
            break
    child.wait()
    os.close(ended)
    return b"".join(pieces).decode(errors="replace"), over


def end_tree(pid):
    """Ends unshare and process 1 of its namespace, and so all in it; the frozen thaw first, or they never die."""
    for folder, _, _ in os.walk(MOUNT):
        thaw(folder)
    for member in [pid] + [int(word) for word in read("/proc/%d/task/%d/children" % (pid, pid)).split()]:
        os.kill(member, signal.SIGKILL)
