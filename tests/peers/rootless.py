"""rootless: what runc's suite wants prepared for an ordinary user: the user, the ids granted to him, a cgroup of his.

The features are those of its rootless.sh: "idmap" and "cgroup", joined by "+", or none.
"""
import os
import tempfile

import place

NAME, ID, FIRST_UID, FIRST_GID, COUNT, AUX_UID = "rootless", 54321, 100000, 200000, 65536, 1024
GROUP = "/runc-cgroups-integration-test"
V2 = place.MOUNT + "/cgroup.controllers"


def add_user(features, work):
    """In copies of the files of /etc, for whoever has this mount namespace."""
    granted = "idmap" in features
    lines = {"passwd": "%s:x:%d:%d::%s:/bin/bash\n" % (NAME, ID, ID, work + "/home"), "group": "%s:x:%d:\n" % (NAME, ID),
             "subuid": "%s:%d:%d\n" % (NAME, FIRST_UID, COUNT) if granted else "",
             "subgid": "%s:%d:%d\n" % (NAME, FIRST_GID, COUNT) if granted else ""}
    for name, line in lines.items():
        copy, there = "%s/%s" % (work, name), "/etc/" + name
        if not os.path.exists(there):
            place.write(there, "")
        place.write(copy, place.read(there) + line)
        os.chmod(copy, 0o644)
        place.system("mount", "--bind", copy, there)
    os.mkdir(work + "/home", 0o700)
    os.mkdir(work + "/home/run", 0o700)
    place.system("chown", "-R", "%d:%d" % (ID, ID), work + "/home")


def give(path):
    os.chown(path, 0, ID)
    os.chmod(path, 0o775 if os.path.isdir(path) else 0o664)


def add_cgroups():
    if os.path.exists(V2):
        os.makedirs(place.MOUNT + GROUP, exist_ok=True)
        for file in "", "/cgroup.subtree_control", "/cgroup.procs":
            give(place.MOUNT + GROUP + file)
        give(place.MOUNT + "/cgroup.procs")
        return
    for names, mount, _ in place.hierarchies():
        os.makedirs(mount + GROUP, exist_ok=True)
        for file in "", "/cgroup.procs", "/tasks":
            if os.path.exists(mount + GROUP + file):
                give(mount + GROUP + file)
        if names == "cpuset":
            for file in "cpuset.cpus", "cpuset.mems":
                os.chown("%s%s/%s" % (mount, GROUP, file), ID, ID)
        for file in ("cpu.rt_period_us", "cpu.rt_runtime_us") if "cpu" in names.split(",") else ():
            if os.path.exists("%s%s/%s" % (mount, GROUP, file)):
                os.chown("%s%s/%s" % (mount, GROUP, file), ID, ID)


def environment(features, work):
    """What the suite asks for, besides a home and a folder for what runs."""
    home = work + "/home"
    found = {"HOME": home, "USER": NAME, "XDG_RUNTIME_DIR": home + "/run", "ROOTLESS_FEATURES": features}
    if "idmap" in features:
        # A folder that belongs to an id inside: the suite maps its first one to 1000.
        auxiliary = tempfile.mkdtemp(dir=work)
        os.chown(auxiliary, FIRST_UID - 1000 + AUX_UID, 0)
        found.update(ROOTLESS_UIDMAP_START=str(FIRST_UID), ROOTLESS_UIDMAP_LENGTH=str(COUNT), ROOTLESS_GIDMAP_START=str(FIRST_GID),
                     ROOTLESS_GIDMAP_LENGTH=str(COUNT), ROOTLESS_AUX_UID=str(AUX_UID), ROOTLESS_AUX_DIR=auxiliary)
    return found


def command(*argv):
    """@argv as the user, whose the terminal becomes."""
    return ["sh", "-c", 'chown %d "$(tty <&1)"; exec "$@"' % ID, "user", "setpriv", "--reuid=%d" % ID, "--regid=%d" % ID, "--init-groups", *argv]
