"""Docker's default container as data: a runtime-spec for crun and runc, and its filter as BPF for the floor."""
import ctypes
import json
import os

PROFILE = "/usr/share/containers/seccomp.json"

CAPABILITIES = ["CAP_" + name for name in (
    "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD "
    "AUDIT_WRITE SETFCAP").split()]

MASKED = ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

# "type major:minor access"; "*" stands for any.
DEVICES = ["c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm",
           "c 5:1 rwm", "c 136:* rwm", "c 5:2 rwm", "c 10:200 rwm"]

OPERATORS = {"SCMP_CMP_NE": 1, "SCMP_CMP_LT": 2, "SCMP_CMP_LE": 3, "SCMP_CMP_EQ": 4, "SCMP_CMP_GE": 5,
             "SCMP_CMP_GT": 6, "SCMP_CMP_MASKED_EQ": 7}
ARCHITECTURES = {"x86_64": ("amd64", ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]),
                 "aarch64": ("arm64", ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"])}
AUDIT = {"SCMP_ARCH_X86": 0x40000003, "SCMP_ARCH_X32": 0x4000003E, "SCMP_ARCH_ARM": 0x40000028}


def seccomp_profile():
    """The profile with its conditions on capabilities and architectures decided, as runtime-spec's linux.seccomp."""
    with open(PROFILE) as file:
        profile = json.load(file)
    machine, architectures = ARCHITECTURES[os.uname().machine]
    rules = []
    for rule in profile["syscalls"]:
        includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
        if includes.get("caps") and not set(includes["caps"]) & set(CAPABILITIES):
            continue
        if set(excludes.get("caps") or []) & set(CAPABILITIES):
            continue
        if includes.get("arches") and machine not in includes["arches"]:
            continue
        kept = {"names": rule["names"], "action": rule["action"], "args": rule.get("args") or []}
        if rule["action"] == "SCMP_ACT_ERRNO":
            kept["errnoRet"] = rule.get("errnoRet", 1)
        rules.append(kept)
    return {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": profile.get("defaultErrnoRet", 1),
            "architectures": architectures, "syscalls": rules}


class Comparison(ctypes.Structure):
    """struct scmp_arg_cmp"""
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def write_filter(path):
    """The profile compiled by libseccomp as runc and crun have it compiled, as an array of struct sock_filter."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    profile = seccomp_profile()
    refuse = 0x00050000
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(refuse | profile["defaultErrnoRet"])))
    for architecture in profile["architectures"][1:]:
        library.seccomp_arch_add(context, ctypes.c_uint32(AUDIT[architecture]))
    for rule in profile["syscalls"]:
        action = 0x7FFF0000 if rule["action"] == "SCMP_ACT_ALLOW" else refuse | rule["errnoRet"]
        args = [Comparison(a["index"], OPERATORS[a["op"]], a["value"], a["valueTwo"]) for a in rule["args"]]
        for name in rule["names"]:
            number = library.seccomp_syscall_resolve_name(name.encode())
            if number == -1:
                continue
            array = (Comparison * max(1, len(args)))(*args)
            if library.seccomp_rule_add_array(context, ctypes.c_uint32(action), number, len(args), array):
                raise OSError(f"libseccomp refuses the rule for {name}")
    with open(path, "wb") as file:
        if library.seccomp_export_bpf(context, file.fileno()):
            raise OSError("libseccomp cannot export the filter")
    library.seccomp_release(context)


def device_rule(text):
    kind, numbers, access = text.split()
    rule = {"allow": True, "type": kind, "access": access}
    for name, number in zip(("major", "minor"), numbers.split(":")):
        if number != "*":
            rule[name] = int(number)
    return rule


def runtime_spec(rootfs, command, cgroup):
    """What docker hands to runc for `docker run --network none IMAGE COMMAND`, in substance."""
    private = ["nosuid", "noexec", "nodev"]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0}, "args": command, "cwd": "/",
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"],
            "capabilities": {kind: CAPABILITIES for kind in ("bounding", "effective", "permitted")}},
        "root": {"path": rootfs},
        "hostname": "0123456789ab",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc", "options": private},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
             "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": private + ["ro"]},
            {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": private + ["ro"]},
            {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": private},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
             "options": private + ["mode=1777", "size=65536k"]}],
        "linux": {
            "cgroupsPath": cgroup,
            "resources": {"devices": [{"allow": False, "access": "rwm"}] + [device_rule(d) for d in DEVICES],
                          "memory": {"limit": 512 << 20}, "pids": {"limit": 1024}},
            "namespaces": [{"type": kind} for kind in ("mount", "network", "uts", "pid", "ipc", "cgroup")],
            "seccomp": seccomp_profile(), "maskedPaths": MASKED, "readonlyPaths": READ_ONLY}}
