# SPDX-License-Identifier: LGPL-2.1-or-later
"""One control group, for programs that want only that."""

from . import _ffi
from ._ffi import lib


class Cgroup:
    """The cgroup of this path, made in every hierarchy where it is missing; it stays in the kernel until remove()."""

    _pointer = None

    def __init__(self, path):
        self.path = path
        self._pointer = _ffi.handle(lib.teu_cgroup_open, path.encode())

    def __del__(self, _unref=lib.teu_cgroup_unref):
        if self._pointer:
            _unref(self._pointer)

    def set(self, resources):
        """Sets limits: the runtime-spec's linux.resources, {"memory": {"limit": 67108864}}."""
        _ffi.call(lib.teu_cgroup_set, self._pointer, _ffi.encode_json(resources))

    def get(self):
        """The limits in force, in the same shape."""
        return _ffi.document(lib.teu_cgroup_get, self._pointer)

    def add(self, pid):
        _ffi.call(lib.teu_cgroup_add, self._pointer, pid)

    def stats(self):
        return _ffi.document(lib.teu_cgroup_stats, self._pointer)

    def freeze(self, frozen=True):
        _ffi.call(lib.teu_cgroup_freeze, self._pointer, int(frozen))

    def kill(self):
        """Kills all of its processes and waits until none is left."""
        _ffi.call(lib.teu_cgroup_kill, self._pointer)

    def remove(self):
        _ffi.call(lib.teu_cgroup_remove, self._pointer)
