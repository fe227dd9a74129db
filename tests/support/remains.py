#!/usr/bin/python3
"""remains: takes away what tests left that were killed: folders, what runs from them, cgroups.

  remains.py mark FOLDER PID     notes that FOLDER is of the run of process PID, and goes with it
  remains.py sweep               takes away what is of runs that are no more

Each run notes in its folder who it is: the pid namespace, the number there and the time the process began. What another namespace's is,
or has no such note, is left alone: nobody can tell from here whether it lives.
"""
import atexit
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

OWNER = "TEU_TEST_OWNER"  # for a run whose folder is made in another pid namespace
NOTE = ".owner"
CGROUP = re.compile(r"teu-peers-(\d+)")
OURS = ("teu", "teu-oci", "teu-monitor", "teu-job", "docker-registry")
WAIT = 10


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def stat(pid):
    """State and start time of a process; None: there is none."""
    fields = read("/proc/%s/stat" % pid).rpartition(")")[2].split()
    return (fields[0], fields[19]) if fields else None


def namespace():
    return os.readlink("/proc/self/ns/pid")


def owner(pid):
    return "%s %s %s" % (namespace(), pid, stat(pid)[1])


def own():
    """Called before the processes of a run go to namespaces of their own."""
    os.environ[OWNER] = owner(os.getpid())


def is_dead(note):
    fields = note.split()
    if len(fields) != 3 or fields[0] != namespace():
        return False
    now = stat(fields[1])
    return now is None or now[0] in "ZX" or now[1] != fields[2]


def mark(folder, pid=None):
    with open(folder + "/" + NOTE, "w") as file:
        file.write(owner(pid) if pid else os.environ.get(OWNER) or owner(os.getpid()))


def folder(prefix):
    """A temporary one that goes at the end of this process, or by the next sweep."""
    made, maker = tempfile.mkdtemp(prefix=prefix, dir=os.environ.get("TMPDIR", "/tmp")), os.getpid()
    mark(made)
    atexit.register(lambda: os.getpid() == maker and shutil.rmtree(made, ignore_errors=True))
    return made


def die_with_parent():
    """For a process to be: the end of who has started it is its own."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def end_on_term():
    """A request to end is one to clean up, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def users(folder):
    """Pid and name of the processes that have a file of @folder open, are there, or have its name in their command line."""
    # In another mount namespace its path may begin elsewhere; its name is random.
    name = "/" + os.path.basename(folder) + "/"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        place, shown = "/proc/%s/" % pid, [word for word in read("/proc/%s/cmdline" % pid).split("\0")]
        for link in ["cwd"] + ["fd/" + fd for fd in list_of(place + "fd")]:
            try:
                shown.append(os.readlink(place + link))
            except OSError:
                pass
        if int(pid) != os.getpid() and any(name in word + "/" for word in shown):
            yield int(pid), read(place + "comm").strip()


def list_of(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def until(question, seconds=WAIT):
    end = time.monotonic() + seconds
    while not question() and time.monotonic() < end:
        time.sleep(0.02)


def kill_users(folder):
    """Their containers end with them. A policy may bring one back meanwhile: until there is none."""
    def none():
        found = [pid for pid, name in users(folder) if name in OURS]
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not found

    until(none)


def find_cgroups(wanted):
    for line in read("/proc/self/mounts").splitlines():
        _, top, kind = line.split()[:3]
        if kind not in ("cgroup", "cgroup2"):
            continue
        for path, folders, _ in os.walk(top):
            for name in [name for name in folders if wanted(path, name)]:
                folders.remove(name)
                yield path + "/" + name


def remove_cgroups(wanted, patience=0):
    """Those that are @wanted, with all below, if nobody is in them, or nobody any more within so many seconds."""
    found = list(find_cgroups(wanted))
    for path in found if patience else ():
        thaw(path)
    for path in found:
        until(lambda path=path: remove_cgroup(path), patience)


def thaw(folder):
    """What was killed ends when it may run again."""
    for file, text in ("freezer.state", "THAWED"), ("cgroup.freeze", "0"):
        if os.path.exists(folder + "/" + file):
            with open(folder + "/" + file, "w") as out:
                out.write(text)


def remove_cgroup(top):
    """True: that is done."""
    paths = [path for path, _, _ in os.walk(top, topdown=False)]
    if any(read(path + "/cgroup.procs") for path in paths):
        return False
    for path in paths:
        try:
            os.rmdir(path)
        except OSError:
            pass
    return not os.path.exists(top)


def is_left(path, name):
    """A cgroup that is named by a process that is no more, and is no newborn's of another namespace."""
    match = CGROUP.fullmatch(name)
    try:
        return match and stat(match[1]) is None and time.time() - os.stat(path + "/" + name).st_mtime > WAIT
    except OSError:
        return False


def unmount(folder):
    for line in reversed(read("/proc/self/mountinfo").splitlines()):
        path = line.split()[4]
        if path.startswith(folder + "/"):
            subprocess.run(["umount", "-l", path], check=False)


def take_away(folder):
    if any(name not in OURS for _, name in users(folder)):
        return  # what the run has started lives on, and may end by itself
    kill_users(folder)
    ids = {name for root in ("root", "state") if os.path.isdir("%s/%s/containers" % (folder, root)) for name in os.listdir("%s/%s/containers" % (folder, root))}
    ids.add(read(folder + "/.cgroup"))
    remove_cgroups(lambda path, name: name in ids, WAIT)
    unmount(folder)
    subprocess.run(["chmod", "-R", "u+w", folder], stderr=subprocess.DEVNULL, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def sweep():
    if os.geteuid():
        return
    top = os.environ.get("TMPDIR", "/tmp")
    for name in os.listdir(top):
        if name.startswith("teu-") and is_dead(read("%s/%s/%s" % (top, name, NOTE))):
            take_away(os.path.realpath(top + "/" + name))
    remove_cgroups(is_left)


if __name__ == "__main__":
    if sys.argv[1:2] == ["mark"] and len(sys.argv) == 4:
        mark(sys.argv[2], sys.argv[3])
    elif sys.argv[1:] == ["sweep"]:
        sweep()
    else:
        sys.exit(__doc__)
