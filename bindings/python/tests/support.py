# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the suites share: an engine in a temporary folder, with an image made of busybox-static."""

import os
import shutil
import subprocess
import tempfile
import unittest

import teu

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


@unittest.skipUnless(os.geteuid() == 0, "not root")
@unittest.skipUnless(os.path.exists("/bin/busybox"), "busybox-static is not installed")
class EngineCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="teu-python.")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.tar = os.path.join(cls.folder, "busybox.tar")
        subprocess.run([os.path.join(TOP, "tests/support/busybox-image"), cls.tar], check=True)
        cls.engine = teu.Engine(os.path.join(cls.folder, "state"), os.path.join(cls.folder, "run"))
        cls.image = cls.engine.import_image(cls.tar, "busybox", config={"Cmd": ["sh"]})

    def tearDown(self):
        for container in self.engine.containers(all=True):
            container.remove(force=True, volumes=True)

    def background(self, script="sleep 60", **arguments):
        """A running container without network, whose first process obeys signals."""
        arguments.setdefault("network", "none")
        return self.engine.run(self.image, ["sh", "-c", script], detach=True, init=True, **arguments)
