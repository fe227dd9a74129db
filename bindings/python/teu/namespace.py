# SPDX-License-Identifier: LGPL-2.1-or-later
"""A command in namespaces of its own, without image, rootfs or store."""

import ctypes
import os

from . import _ffi
from ._ffi import lib
from .container import environment

MOUNT, UTS, IPC, PID, NETWORK, USER, CGROUP = 1, 2, 4, 8, 16, 32, 64


class Namespaced:
    """The running command; wait() once."""

    def __init__(self, pid, waitfd):
        self.pid = pid  # on the host
        self._waitfd = waitfd

    def fileno(self):
        """Polls readable when it has ended."""
        return self._waitfd

    def wait(self):
        """Its status; 128 + n for signal n."""
        status = ctypes.c_int32()
        waitfd, self._waitfd = self._waitfd, -1
        _ffi.call(lib.teu_namespace_wait, waitfd, ctypes.byref(status))
        return status.value

    def __del__(self, _close=os.close):
        if self._waitfd >= 0:
            _close(self._waitfd)


def _vector(words):
    return (ctypes.c_char_p * (len(words) + 1))(*(_ffi.encode(w) for w in words), None)


def run_in_namespaces(
    command, namespaces=MOUNT | UTS | IPC | PID, *, hostname=None, env=None, cwd=None, stdin=0, stdout=1, stderr=2
):
    """Starts a command in new namespaces, a sum of MOUNT, UTS, …; returns a Namespaced. Streams are descriptors, -1: /dev/null."""
    opts = _ffi.options(
        _ffi.NamespaceOptions,
        namespaces=namespaces,
        hostname=_ffi.encode(hostname),
        env=None if env is None else _vector(environment(env)),
        cwd=_ffi.encode(cwd),
        stdin_fd=stdin,
        stdout_fd=stdout,
        stderr_fd=stderr,
    )
    pid, waitfd = ctypes.c_int32(), ctypes.c_int()
    _ffi.call(
        lib.teu_namespace_run, _vector(list(command)), ctypes.byref(opts), ctypes.byref(pid), ctypes.byref(waitfd)
    )
    return Namespaced(pid.value, waitfd.value)
