"""crash: what is to hold after any of our processes was killed: the next command works, ps tells the truth, and a sweep
leaves nothing without an owner."""

import os
import shutil
import subprocess
import time

SETTLE = 30  # seconds in which the kernel takes away what a dead process had, on a busy machine, too


def start_registry(engine):
    """An image of several layers, so that a pull takes a while; None where the registry is not installed."""
    if not shutil.which("docker-registry") or not shutil.which("skopeo"):
        return None
    folder = engine.work + "/registry"
    address = subprocess.run([engine.support + "/registry", "start", folder], check=True, capture_output=True, text=True).stdout.strip()
    # With a layer that no other image has, so that its files are unpacked by each pull.
    shutil.copy(engine.image_tar(), engine.work + "/layer.tar")
    subprocess.run(["tar", "-C", engine.support, "-rf", engine.work + "/layer.tar", "crash.py"], check=True)
    engine.must("import", engine.work + "/layer.tar", "layered")
    engine.must("save", "-o", engine.work + "/image.tar", "layered")
    subprocess.run(["skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false", "docker-archive:" + engine.work + "/image.tar",
                    f"docker://{address}/layered:1"], check=True)
    engine.must("rmi", "layered")
    return address + "/layered:1"


def settled(look):
    """What @look finds when it finds it for some seconds."""
    deadline = time.monotonic() + SETTLE
    while True:
        found = look()
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


class Look:
    def __init__(self, engine):
        self.engine = engine

    def containers(self):
        """id -> (name, state) as `ps -a` has it."""
        done = self.engine.teu("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}")
        assert done.returncode == 0, f"ps -a: {done.stderr}"
        return {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}

    def members(self, identity):
        """Processes in a cgroup of this container."""
        found = set()
        for pid, comm, line in self.engine.processes():
            try:
                with open(f"/proc/{pid}/cgroup") as f:
                    if identity in f.read():
                        found.add(pid)
            except OSError:
                pass
        return found

    def removes_itself(self, identity):
        return self.engine.teu("inspect", "-f", "{{.HostConfig.AutoRemove}}", identity).stdout.strip() == "true"

    def lies(self):
        """What ps says and what is there, compared."""
        found, owned = [], set()
        for identity, (name, state) in self.containers().items():
            inside = self.members(identity)
            owned |= inside
            if state == "running":
                pid = self.engine.teu("inspect", "-f", "{{.State.Pid}}", identity).stdout.strip()
                if not pid.isdigit() or int(pid) not in inside:
                    found.append(f"{name} is {state} with pid {pid}, and has the processes {sorted(inside)}")
            elif state in ("exited", "created") and inside:
                found.append(f"{name} is {state}, and has the processes {sorted(inside)}")
        for pid, comm, line in self.engine.processes():
            if pid not in owned and not line.startswith(("teu-monitor", "teu-job")):
                found.append(f"process {pid} ({comm}: {line}) is of no container")
        return found

    def up_now(self, known):
        return {identity for identity, (name, state) in known.items() if state in ("running", "restarting", "paused")}

    def orphans(self, up):
        """What is not of a container that was up when the sweep began, or has begun another life since."""
        found, known = [], self.containers()
        up = up | self.up_now(known)
        for path in self.engine.cgroups():
            if os.path.basename(path) not in up:
                found.append(f"cgroup {path}")
        for folder in ("containers", "locks"):
            for name in os.listdir(f"{self.engine.run_root}/{folder}"):
                if name not in (up if folder == "containers" else known):
                    found.append(f"{folder}/{name} in the run root")
        owners = [os.readlink(f"{self.engine.run_root}/addresses/{name}") for name in os.listdir(f"{self.engine.run_root}/addresses")]
        found += [f"address of {owner}" for owner in owners if owner not in up]
        links = [name for name in self.engine.links() if name.startswith("veth")]
        if len(links) > len(owners):
            found.append(f"links {links} for {len(owners)} addresses")
        found += [f"packet rule {rule}" for rule in self.engine.nft() if "18080" in rule and not owners]
        found += [f"mount {path}" for path in self.engine.mounts() if self.engine.work in path and path != self.engine.state]
        for name in os.listdir(self.engine.state + "/containers"):
            if name not in known:
                found.append(f"containers/{name}")
        for name in os.listdir(self.engine.state + "/names"):
            if os.readlink(f"{self.engine.state}/names/{name}") not in known:
                found.append(f"name {name}")
        for folder in ("tmp", "leases"):
            found += [f"{folder}/{name}" for name in os.listdir(f"{self.engine.state}/{folder}")]
        found += [f"layers/{name}" for name in os.listdir(self.engine.state + "/layers") if name.startswith(".")]
        return found

    def swept(self, up, known):
        """What the sweep has left. Who was being launched meanwhile and has ended since is the next one's."""
        found = self.orphans(up)
        if found and any(state == "exited" and known.get(identity, (name, None))[1] != state for identity, (name, state) in self.containers().items()):
            self.engine.must("sweep")
        return found

    def clean_up(self):
        """Removes all that is told of; a command that has a problem with that has found a bug."""
        known = list(self.containers())
        if known:
            done = self.engine.teu("rm", "-f", "-v", *known)
            assert done.returncode == 0, f"rm -f: {done.stderr}"
        for name in self.engine.teu("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split():
            if name != "bb:latest":
                done = self.engine.teu("rmi", name)
                assert done.returncode == 0, f"rmi {name}: {done.stderr}"
        # Of containers whose maker died before the record they belong to was visible.
        self.engine.must("sweep")

    def after(self, before):
        problems = []
        done = self.engine.teu("run", "--rm", "-p", "127.0.0.1:18081:80", "bb", "echo", "works")
        if done.stdout != "works\n" or done.stderr:
            problems.append(f"the next run: {done.returncode} {done.stdout!r} {done.stderr!r}")
        problems += settled(self.lies)
        known = self.containers()
        up = self.up_now(known)
        done = self.engine.teu("sweep")
        if done.returncode or done.stderr:
            problems.append(f"sweep: {done.stderr}")
        for identity, (name, state) in self.containers().items():
            if known.get(identity, [name, state])[1] == "exited" and state == "created":
                problems.append(f"{name} was exited, and after the sweep it is {state}")
            if identity not in up and state == "exited" and self.removes_itself(identity):
                problems.append(f"{name} has --rm, has ended, and is there after the sweep")
        problems += settled(lambda: self.swept(up, known))
        done = self.engine.teu("check")
        if done.returncode:
            problems.append(f"check: {done.stdout} {done.stderr}")
        # The name and the port are to be had again.
        if "victim" in [name for name, state in self.containers().values()]:
            done = self.engine.teu("rm", "-f", "-v", "victim")
            if done.returncode:
                problems.append(f"rm -f of what was killed: {done.stderr}")
        done = self.engine.teu("run", "--rm", "--name", "victim", "-p", "127.0.0.1:18080:80", "bb", "echo", "works")
        if done.stdout != "works\n" and not any("18080" in line for line in self.engine.teu("ps").stdout.splitlines()):
            problems.append(f"run with its name and port: {done.returncode} {done.stderr!r}")
        self.clean_up()
        return problems + self.engine.left(before, SETTLE)
