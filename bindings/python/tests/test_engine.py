# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images, containers, logs and commands inside, for real. As root."""

import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import teu
from support import EngineCase


class Images(EngineCase):
    def test_import_tells_what_it_made(self):
        seen = []
        image = self.engine.import_image(self.tar, "localhost/other:1", progress=seen.append)
        self.assertRegex(image.id, "^sha256:[0-9a-f]{64}$")
        self.assertEqual(image.names, ["localhost/other:1"])
        self.assertGreater(image.size, 1000000)
        self.assertIn("unpacking", {p.action for p in seen})
        self.assertEqual(self.engine.image("localhost/other:1"), image)
        self.assertIn(image, self.engine.images())
        image.remove()
        with self.assertRaises(teu.NotFoundError):
            self.engine.image("localhost/other:1")

    def test_what_a_progress_callback_raises_ends_the_call(self):
        def refuse(_progress):
            raise KeyError("enough")

        with self.assertRaises(KeyError):
            self.engine.import_image(self.tar, "localhost/never", progress=refuse)
        with self.assertRaises(teu.NotFoundError):
            self.engine.image("localhost/never")

    def test_save_and_load(self):
        for format in ("docker", "oci"):
            archive = os.path.join(self.folder, format + ".tar")
            self.engine.tag("busybox", "localhost/saved:" + format)
            self.engine.save(["localhost/saved:" + format], archive, format=format)
            self.engine.remove_image("localhost/saved:" + format)
            images = self.engine.load(archive)
            self.assertEqual(len(images), 1)
            self.assertIn("localhost/saved:" + format, images[0].names)
            self.engine.remove_image("localhost/saved:" + format)

    def test_inspect(self):
        self.assertEqual(self.image.inspect()["Config"]["Cmd"], ["sh"])

    def test_a_registry_that_is_not_there(self):
        with self.assertRaises(teu.NetworkError):
            self.engine.pull("127.0.0.1:1/none", timeout=10)


class Run(EngineCase):
    def test_output_and_status(self):
        result = self.engine.run("busybox", ["sh", "-c", "echo out; echo err >&2; exit 3"], network="none")
        self.assertEqual((result.status, result.stdout, result.stderr), (3, b"out\n", b"err\n"))
        self.assertEqual(self.engine.containers(all=True), [])
        with self.assertRaises(teu.StatusError):
            result.check()

    def test_much_input_comes_back(self):
        data = os.urandom(1 << 20)
        self.assertEqual(self.engine.run("busybox", ["cat"], input=data, network="none").stdout, data)

    def test_environment_user_and_folder(self):
        result = self.engine.run(
            "busybox", ["sh", "-c", "echo $A $(id -u) $PWD"], env={"A": "b"}, user="33", workdir="/tmp", network="none"
        )
        self.assertEqual(result.text, "b 33 /tmp\n")

    def test_a_missing_command(self):
        with self.assertRaises(teu.NoCommandError):
            self.engine.run("busybox", ["/no/such"], network="none")
        self.assertEqual(self.engine.containers(all=True), [])

    def test_a_missing_image(self):
        with self.assertRaises(teu.NotFoundError):
            self.engine.run("localhost/missing", ["true"])

    def test_the_plan_of_what_does_not_run(self):
        plan = self.engine.plan("busybox", ["true"], network="none")
        self.assertEqual([s["argv"] for s in plan["steps"] if s["step"] == "exec"], [["true"]])
        self.assertEqual(self.engine.containers(all=True), [])


class Life(EngineCase):
    def test_from_create_to_remove(self):
        box = self.engine.create("busybox", ["sleep", "60"], name="box", network="none", init=True)
        self.assertEqual((box.name, box.state, box.pid), ("box", "created", 0))
        box.start()
        self.assertEqual(box.state, "running")
        self.assertGreater(box.pid, 0)
        with self.assertRaises(teu.ConflictError):
            self.engine.create("busybox", name="box")
        with self.assertRaises(teu.ConflictError):
            box.remove()
        self.assertEqual(self.engine.containers(), [box])
        self.assertEqual(self.engine.containers_json()[0]["Names"], ["/box"])
        with self.assertRaises(teu.TimeoutError):
            box.wait(timeout=0.05)
        box.kill(signal.SIGTERM)
        self.assertEqual(box.wait(), 143)
        box.restart()
        box.pause()
        self.assertEqual(box.state, "paused")
        box.unpause()
        box.stop()
        self.assertEqual(self.engine.container("box").state, "exited")
        box.remove()
        with self.assertRaises(teu.NotFoundError):
            box.inspect()

    def test_limits_are_read_back(self):
        box = self.background(memory=64 << 20, cpus=0.5, pids=20)
        effective = box.inspect()["Effective"]
        self.assertEqual(effective["memory"]["limit"], 64 << 20)
        self.assertEqual(effective["pids"]["limit"], 20)
        self.assertEqual(effective["cpu"]["quota"] / effective["cpu"]["period"], 0.5)
        self.assertIn("memory", box.stats())
        self.assertIn("Processes", box.top())

    def test_logs(self):
        box = self.background("echo one; echo two >&2; echo three; sleep 60")
        seen = []
        for record in box.logs(follow=True):
            seen.append((record.stream, record.text))
            if len(seen) == 3:
                break
        self.assertCountEqual(seen, [("stdout", "one\n"), ("stderr", "two\n"), ("stdout", "three\n")])
        self.assertEqual(len(list(box.logs(tail=1))), 1)
        self.assertEqual(list(box.logs(until_ns=1)), [])

    def test_following_ends_with_the_container(self):
        box = self.background("for i in $(seq 1000); do echo $i; done")
        self.assertEqual(len(list(box.logs(follow=True))), 1000)

    def test_exec(self):
        box = self.background()
        self.assertEqual(box.exec(["cat"], input=b"in").stdout, b"in")
        self.assertEqual(box.exec(["sh", "-c", "exit 5"]).status, 5)
        self.assertEqual(box.exec("hostname").text.strip(), box.id[:12])
        with self.assertRaises(teu.NoCommandError):
            box.exec(["/no/such"])
        box.exec_detached(["touch", "/tmp/was-here"])
        with box.exec_attach(["sh"]) as shell:
            shell.write(b"echo typed\n")
            self.assertEqual(shell.read(), (1, b"typed\n"))
            shell.write(b"exit 4\n")
            self.assertEqual([data for _stream, data in shell], [])
            self.assertEqual(shell.exit_status, 4)

    def test_attach(self):
        box = self.background("read line; echo got $line; exit 2", stdin=True)
        with box.attach() as streams:
            streams.write(b"it\n")
            self.assertEqual(list(streams), [(1, b"got it\n")])
            self.assertEqual(streams.exit_status, 2)

    def test_many_threads_on_one_object(self):
        box = self.background()
        waited, failed = [], []

        def work():
            try:
                for _ in range(5):
                    box.exec(["true"], check=True)
                    box.inspect()
            except Exception as e:
                failed.append(e)

        waiter = threading.Thread(target=lambda: waited.append(box.wait()))
        waiter.start()
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        box.stop()
        waiter.join()
        self.assertEqual((failed, waited), ([], [143]))

    def test_ctrl_c_ends_a_wait(self):
        box = self.background()
        script = (
            "import teu\n"
            "box = teu.Engine(%r, %r).container(%r)\n"
            "try:\n    print('waiting', flush=True)\n    box.wait()\n"
            "except KeyboardInterrupt:\n    print('interrupted')\n"
        ) % (self.engine.state_root, self.engine.run_root, box.id)
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), "waiting\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.communicate(timeout=60)[0], "interrupted\n")
        self.assertEqual(box.state, "running")


class Rest(EngineCase):
    def test_volumes(self):
        self.engine.volume_create("data")
        self.engine.run("busybox", ["sh", "-c", "echo kept > /data/f"], binds=["data:/data"], network="none", check=True)
        result = self.engine.run("busybox", ["cat", "/data/f"], binds=["data:/data"], network="none")
        self.assertEqual(result.text, "kept\n")
        self.assertEqual([v["Name"] for v in self.engine.volumes()], ["data"])
        self.assertEqual(self.engine.volume_inspect("data")["Name"], "data")
        self.engine.volume_remove("data")
        self.assertEqual(self.engine.volumes(), [])

    def test_networks_and_info(self):
        self.assertEqual({n["Name"] for n in self.engine.networks()}, {"bridge", "host", "none"})
        self.assertEqual(self.engine.info()["Version"], teu.version())

    def test_the_store_is_whole(self):
        self.engine.sweep()
        self.assertEqual(self.engine.check()["problems"], [])

    def test_log_callback(self):
        engine = teu.Engine(self.engine.state_root, self.engine.run_root, log=lambda level, message: None)
        self.assertEqual(len(engine.images()), len(self.engine.images()))

    def test_a_fork_must_open_its_own(self):
        child = os.fork()
        if child == 0:
            try:
                self.engine.images()
                os._exit(1)
            except teu.ForkedError:
                os._exit(0)
            finally:
                os._exit(2)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)

    def test_objects_may_go_in_any_order(self):
        engine = teu.Engine(self.engine.state_root, self.engine.run_root)
        image = engine.image("busybox")
        box = engine.create(image, network="none")
        del engine
        self.assertEqual(image.names, ["docker.io/library/busybox:latest"])
        box.remove()

    def test_namespaces(self):
        r, w = os.pipe()
        command = teu.run_in_namespaces(
            ["sh", "-c", "echo $$ $(uname -n) $A; exit 6"],
            hostname="alone",
            env={"A": "b", "PATH": os.environ["PATH"]},
            stdout=w,
        )
        os.close(w)
        self.assertEqual(command.wait(), 6)
        with os.fdopen(r) as output:
            self.assertEqual(output.read(), "1 alone b\n")

    def test_cgroup(self):
        group = teu.Cgroup("/teu-python-%d" % os.getpid())
        try:
            group.set({"pids": {"limit": 9}})
            self.assertEqual(group.get()["pids"]["limit"], 9)
            self.assertIn("memory", group.stats())
            sleeper = subprocess.Popen(["sleep", "60"])
            group.add(sleeper.pid)
            group.freeze(True)
            group.freeze(False)
            group.kill()
            self.assertEqual(sleeper.wait(), -9)
        finally:
            group.remove()


if __name__ == "__main__":
    unittest.main()
