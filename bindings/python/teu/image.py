# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images: snapshots of what the store has under a name."""

from collections import namedtuple

from . import _ffi
from ._ffi import lib

Progress = namedtuple("Progress", "id action done total")
Progress.__doc__ = "One thing that is under way: what it is about, what happens to it, bytes so far and in all (0: not known)."


def progress_callback(function):
    def convert(p):
        function(Progress(p.id.decode(errors="replace"), p.action.decode(), p.done, p.total))

    return _ffi.Callback(_ffi.PROGRESS_CB, convert if function else None)


class Image:
    """An image as it was when asked for."""

    _pointer = None

    def __init__(self, engine, pointer):
        """Takes the reference that pointer is. Not for callers: see Engine.image() and Engine.pull()."""
        self._engine = engine
        self._pointer = pointer

    def __del__(self, _unref=lib.teu_image_unref):
        if self._pointer:
            _unref(self._pointer)

    def __repr__(self):
        return "<teu.Image %s>" % (self.names[0] if self.names else self.id)

    def __eq__(self, other):
        return isinstance(other, Image) and other.id == self.id

    def __hash__(self):
        return hash(self.id)

    @property
    def id(self):
        """ "sha256:…", the digest of its config."""
        return lib.teu_image_id(self._pointer).decode()

    @property
    def digest(self):
        """ "sha256:…", the digest of its manifest."""
        return lib.teu_image_digest(self._pointer).decode()

    @property
    def names(self):
        """Whole references, "docker.io/library/busybox:latest"."""
        count = lib.teu_image_name_count(self._pointer)
        return [lib.teu_image_name(self._pointer, i).decode() for i in range(count)]

    @property
    def size(self):
        """Bytes of its layers, unpacked."""
        return lib.teu_image_size(self._pointer)

    @property
    def created_ns(self):
        """When it was made, by its own word, in nanoseconds since 1970; 0: it doesn't say."""
        return lib.teu_image_created(self._pointer)

    def inspect(self):
        """Docker's image inspect document as a dict."""
        return _ffi.document(lib.teu_image_inspect, self._pointer)

    def tag(self, name):
        """Gives it a further name; this object, a snapshot, does not change."""
        self._engine.tag(self.id, name)

    def remove(self, force=False):
        """Removes it; with several names force is needed."""
        return self._engine.remove_image(self.id, force=force)


def normalize_reference(reference):
    """ "busybox" -> "docker.io/library/busybox:latest"."""
    return _ffi.text(lib.teu_reference_normalize, reference.encode())


def familiar_reference(reference):
    """ "docker.io/library/busybox:latest" -> "busybox:latest"."""
    return _ffi.text(lib.teu_reference_familiar, reference.encode())
