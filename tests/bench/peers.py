"""The contestants: how each is prepared, and the command by which it does what a row asks.

A method answers an argument vector, or None where the contestant has no such thing. Everything they keep lies below
one directory of the bench's work directory; their processes end with the bench's process namespace.
"""
import json
import os
import shutil
import signal
import subprocess
import time

import defaults

SLEEP = ["sleep", "1000000"]


class Missing(Exception):
    """The contestant cannot take part, and why."""


class Contestant:
    name = ""
    programs = ()

    def __init__(self, bench):
        self.bench = bench
        self.home = os.path.join(bench.work, self.name)
        self.environment = dict(os.environ)

    def open(self):
        for program in self.programs:
            if not shutil.which(program):
                raise Missing(f"{program} not found")
        os.makedirs(self.home, exist_ok=True)
        self.prepare()

    def prepare(self):
        pass

    def close(self):
        pass

    def call(self, argv, **more):
        """Runs @argv outside of the measurement; an error carries what it wrote."""
        done = subprocess.run(argv, env=self.environment, stdin=more.pop("stdin", subprocess.DEVNULL),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
        if done.returncode:
            raise OSError(f"{' '.join(argv[:4])}…: status {done.returncode}: {last_line(done.stderr)}")
        return done.stdout

    def run_none(self):
        return None

    def run_port(self):
        return None

    def run_detached(self, name, network):
        return None

    def exec(self, name):
        return None

    def ps(self):
        return None

    def remove(self, names):
        return None

    def pull(self, reference):
        return None

    def forget_image(self, reference):
        """Empties the store of what pull() brought, outside of the measurement."""

    def daemons(self):
        """Process ids of what works for this contestant outside of the command itself."""
        return []


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line]
    return lines[-1][:200] if lines else "no message"


class Floor(Contestant):
    name = "floor"

    def prepare(self):
        self.filter = os.path.join(self.home, "filter")
        defaults.write_filter(self.filter)

    def run_none(self):
        return [self.bench.program("floor"), self.bench.rootfs, os.path.join(self.home, "scratch"), self.filter,
                "bench-floor", "true"]


class Runtime(Contestant):
    """crun and runc, from a finished bundle: they mount no overlay and keep no store."""

    def prepare(self):
        self.bundle = os.path.join(self.home, "bundle")
        os.makedirs(self.bundle)
        with open(os.path.join(self.bundle, "config.json"), "w") as file:
            json.dump(defaults.runtime_spec(self.bench.rootfs, ["true"], "/bench-" + self.name), file)

    def run_none(self):
        return [self.name, "--root", os.path.join(self.home, "state"), "run", "--bundle", self.bundle,
                "bench-" + self.name]


class Crun(Runtime):
    name = "crun"
    programs = ("crun",)


class Runc(Runtime):
    name = "runc"
    programs = ("runc",)


class Engine(Contestant):
    """What teu, podman and docker have in common: docker's command line."""
    image = "bench"
    base = ()

    def run_none(self):
        return [*self.base, "run", "--rm", "--network", "none", self.image, "true"]

    def run_port(self):
        return [*self.base, "run", "--rm", "-p", "18080:80", self.image, "true"]

    def run_detached(self, name, network="none"):
        return [*self.base, "run", "-d", "--name", name, "--network", network, self.image, *SLEEP]

    def exec(self, name):
        return [*self.base, "exec", name, "true"]

    def ps(self):
        return [*self.base, "ps"]

    def remove(self, names):
        return [*self.base, "rm", "-f", *names]

    def pull(self, reference):
        return [*self.base, "pull", "-q", reference]


class Teu(Engine):
    name = "teu"

    def prepare(self):
        if not self.bench.teu:
            raise Missing("no teu binary in the build tree or PATH; --teu names it")
        libraries = os.path.join(self.bench.build, ".libs")
        if os.path.exists(os.path.join(libraries, "libteu.so")):
            self.environment["LD_LIBRARY_PATH"] = libraries
        self.base = [self.bench.teu, "--root", os.path.join(self.home, "root"),
                     "--run-root", os.path.join(self.home, "run")]
        self.call([*self.base, "import", self.bench.rootfs_tar, self.image])

    def pull(self, reference):
        return [self.bench.teu, "--root", os.path.join(self.home, "pull"),
                "--run-root", os.path.join(self.home, "pull-run"), "pull", "-q", reference]

    def forget_image(self, reference):
        shutil.rmtree(os.path.join(self.home, "pull"), ignore_errors=True)
        shutil.rmtree(os.path.join(self.home, "pull-run"), ignore_errors=True)


class Podman(Engine):
    """Debian's podman with crun. The limits are lowered, for raising them takes CAP_SYS_RESOURCE."""
    name = "podman"
    programs = ("podman", "conmon", "crun")

    def prepare(self):
        conf = os.path.join(self.home, "containers.conf")
        with open(conf, "w") as file:
            file.write('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n'
                       'log_driver = "k8s-file"\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
                       '[network]\nnetwork_backend = "netavark"\n')
        self.environment["CONTAINERS_CONF"] = conf
        self.base = self.store("storage")
        self.call([*self.base, "import", "-q", self.bench.rootfs_tar, self.image])

    def store(self, name):
        return ["podman", "--root", os.path.join(self.home, name), "--runroot", "/run/bench-podman-" + name,
                "--storage-driver", "overlay", "--runtime", "crun"]

    def run_detached(self, name, network="podman"):
        network = "podman" if network == "bridge" else network
        return [*self.base, "run", "-d", "--name", name, "--network", network, self.image, *SLEEP]

    def remove(self, names):
        return [*self.base, "rm", "-f", "-t", "0", *names]

    def pull(self, reference):
        return [*self.store("pull"), "pull", "-q", "--tls-verify=false", reference]

    def forget_image(self, reference):
        if os.path.exists(os.path.join(self.home, "pull")):
            self.call([*self.store("pull"), "rmi", "-f", "-a"])


class Docker(Engine):
    """Debian's dockerd with a containerd and runc of its own, and Debian's client."""
    name = "docker"
    programs = ("dockerd", "containerd", "runc")

    def prepare(self):
        self.client = "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else shutil.which("docker")
        if not self.client:
            raise Missing("docker client not found")
        self.environment["DOCKER_HOST"] = "unix:///run/bench-docker.sock"
        self.environment["DOCKER_CONFIG"] = os.path.join(self.home, "client")
        self.base = [self.client]
        self.log = open(os.path.join(self.home, "dockerd.log"), "w")
        self.daemon = subprocess.Popen(
            ["dockerd", "--data-root", os.path.join(self.home, "data"), "--exec-root", "/run/bench-docker",
             "--pidfile", "/run/bench-docker.pid", "--host", self.environment["DOCKER_HOST"],
             "--oom-score-adjust", "0", "--default-ulimit", "nofile=1024:1024", "--storage-driver", "overlay2"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.wait_for_daemon()
        self.call([*self.base, "import", self.bench.rootfs_tar, self.image])

    def wait_for_daemon(self):
        deadline = time.monotonic() + 30
        while subprocess.run([*self.base, "version"], env=self.environment, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL).returncode:
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                with open(self.log.name) as log:
                    raise Missing("dockerd did not start: " + last_line(log.read()))
            time.sleep(0.1)

    def close(self):
        self.daemon.send_signal(signal.SIGTERM)
        try:
            self.daemon.wait(20)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()

    def forget_image(self, reference):
        if self.call([*self.base, "images", "-q", reference]):
            self.call([*self.base, "rmi", "-f", reference])

    def daemons(self):
        return [self.daemon.pid]


class Tools(Contestant):
    """skopeo and umoci: fetch into a layout, then unpack it into one tree."""
    name = "skopeo+umoci"
    programs = ("skopeo", "umoci")

    def pull(self, reference):
        layout, bundle = os.path.join(self.home, "layout"), os.path.join(self.home, "bundle")
        return ["sh", "-ec", 'skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$0" "oci:$1:latest"; '
                'exec umoci --log error unpack --image "$1:latest" "$2"', reference, layout, bundle]

    def forget_image(self, reference):
        shutil.rmtree(os.path.join(self.home, "layout"), ignore_errors=True)
        shutil.rmtree(os.path.join(self.home, "bundle"), ignore_errors=True)


CONTESTANTS = [Floor, Teu, Crun, Runc, Podman, Docker, Tools]
