# SPDX-License-Identifier: LGPL-2.1-or-later
"""What needs neither root nor containers: errors, the document of create(), structs, completeness."""

import ctypes
import os
import pickle
import re
import subprocess
import sys
import unittest

import teu
from teu import _ffi
from teu.config import create_config

from support import TOP


class Errors(unittest.TestCase):
    def test_each_code_has_its_class(self):
        with open(os.path.join(TOP, "include/teu/error.h")) as header:
            codes = dict(re.findall(r"\bTEU_E_(\w+) = (-\d+)", header.read()))
        self.assertEqual({int(c) for c in codes.values()}, set(_ffi.CLASSES))
        for name, code in codes.items():
            expected = "".join(part.capitalize() for part in name.split("_")) + "Error"
            self.assertEqual(_ffi.CLASSES[int(code)].__name__, expected)

    def test_an_error_tells_code_and_thing(self):
        with self.assertRaises(teu.InvalidError) as caught:
            teu.normalize_reference("UPPER CASE")
        self.assertEqual(caught.exception.code, -1)
        self.assertIn("UPPER", str(caught.exception))

    def test_an_error_can_be_pickled(self):
        error = pickle.loads(pickle.dumps(teu.LaunchError("x", -15, 2, {"step": "mount"})))
        self.assertEqual((error.code, error.errno, error.detail), (-15, 2, {"step": "mount"}))

    def test_a_relative_root_is_refused(self):
        with self.assertRaises(teu.InvalidError):
            teu.Engine("relative", "relative")


class Names(unittest.TestCase):
    def test_both_ways(self):
        self.assertEqual(teu.normalize_reference("busybox"), "docker.io/library/busybox:latest")
        self.assertEqual(teu.familiar_reference("docker.io/library/busybox:latest"), "busybox:latest")


class Config(unittest.TestCase):
    def test_ports(self):
        document = create_config("i", ports={80: 8080, "53/udp": None, "443/tcp": [("127.0.0.1", 1), "::1:2"]})
        self.assertEqual(
            document["HostConfig"]["PortBindings"],
            {
                "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
                "53/udp": [{"HostIp": "", "HostPort": ""}],
                "443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "1"}, {"HostIp": "::1", "HostPort": "2"}],
            },
        )
        self.assertEqual(set(document["ExposedPorts"]), {"80/tcp", "53/udp", "443/tcp"})

    def test_limits_and_words(self):
        document = create_config("i", "ls", memory=1 << 20, cpus=0.5, env={"A": 1}, host_config={"Memory": 2})
        self.assertEqual(document["Cmd"], ["ls"])
        self.assertEqual(document["Env"], ["A=1"])
        self.assertEqual(document["HostConfig"], {"Memory": 2, "NanoCpus": 500000000})

    def test_an_unknown_argument(self):
        with self.assertRaises(TypeError):
            create_config("i", memroy=1)


class Binding(unittest.TestCase):
    def test_every_public_function_is_declared(self):
        with open(os.path.join(TOP, "lib/libteu.map")) as script:
            public = set(re.findall(r"\b(teu_\w+);", script.read()))
        declared = set(_ffi._FALLIBLE) | set(_ffi._OTHER)
        declared |= {n for n in public if n.endswith("_options_init")}
        # Python's exceptions have names and are counted by Python.
        self.assertEqual(public - declared, {"teu_error_name", "teu_error_ref"})
        self.assertEqual(declared - public, set())

    def test_structs_have_the_library_s_size(self):
        for struct in _ffi._INIT:
            self.assertEqual(_ffi.options(struct).size, ctypes.sizeof(struct), struct.__name__)

    def test_import_is_light(self):
        script = "import sys; before = set(sys.modules); import teu; print(*(set(sys.modules) - before))"
        loaded = subprocess.run(
            [sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True
        ).stdout.split()
        for heavy in ("json", "threading", "subprocess", "re", "enum", "dataclasses", "typing", "inspect"):
            self.assertNotIn(heavy, loaded)

    def test_a_missing_library_is_named(self):
        environment = dict(os.environ, TEU_LIBRARY="/no/such/libteu.so")
        run = subprocess.run([sys.executable, "-c", "import teu"], env=environment, capture_output=True, text=True)
        self.assertIn("ImportError: libteu can't be loaded: /no/such/libteu.so", run.stderr)


if __name__ == "__main__":
    unittest.main()
