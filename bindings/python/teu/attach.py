# SPDX-License-Identifier: LGPL-2.1-or-later
"""The streams of a process in a container."""

import ctypes
import select

from . import _ffi
from ._ffi import lib
from .errors import StatusError

STDOUT, STDERR = 1, 2
_CHUNK = 1 << 16
_INPUT_CHUNK = 1 << 13  # a packet of this size fits when the socket polls writable


class Result:
    """How a command ended, and all that it wrote."""

    __slots__ = ("status", "stdout", "stderr")

    def __init__(self, status, stdout, stderr):
        self.status = status  # 0..255; 128 + n when signal n ended it
        self.stdout = stdout  # bytes
        self.stderr = stderr

    @property
    def text(self):
        """Its standard output as text."""
        return self.stdout.decode(errors="replace")

    def check(self):
        """Raises StatusError when the status is not 0; returns itself."""
        if self.status != 0:
            raise StatusError(self)
        return self

    def __repr__(self):
        return "Result(status=%d, stdout=%r, stderr=%r)" % (self.status, self.stdout, self.stderr)


class Attach:
    """A connection to the standard streams of a container or of an exec. Used by one thread at a time; a context manager."""

    _pointer = None

    def __init__(self, pointer):
        self._pointer = pointer
        self._buffer = None

    def close(self):
        """Lets go of the streams; the process goes on."""
        pointer, self._pointer = self._pointer, None
        if pointer:
            lib.teu_attach_unref(pointer)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def __del__(self, _unref=lib.teu_attach_unref):
        if self._pointer:
            _unref(self._pointer)

    def fileno(self):
        """Polls readable when read() has something."""
        return lib.teu_attach_fd(self._pointer)

    def read(self):
        """(stream, bytes): what came, stream being STDOUT or STDERR; (0, b"") at the end. Blocks until there is something."""
        # In Python, so that ctrl-C is heard. A read takes all that a packet has, so that nothing waits unseen by poll.
        select.select([self.fileno()], [], [])
        if self._buffer is None:
            self._buffer = ctypes.create_string_buffer(_CHUNK)
        stream, n = ctypes.c_int32(), ctypes.c_size_t()
        _ffi.call(
            lib.teu_attach_read, self._pointer, ctypes.byref(stream), self._buffer, _CHUNK, ctypes.byref(n)
        )
        return (stream.value, ctypes.string_at(self._buffer, n.value)) if n.value else (0, b"")

    def __iter__(self):
        """Each (stream, bytes) until the end."""
        while True:
            stream, data = self.read()
            if not data:
                return
            yield stream, data

    def write(self, data):
        """Writes to its standard input; blocks until all is taken."""
        data = bytes(data)
        _ffi.call(lib.teu_attach_write, self._pointer, data, len(data))

    def close_stdin(self):
        _ffi.call(lib.teu_attach_close_stdin, self._pointer)

    def resize(self, rows, columns):
        """Tells its terminal the size of the caller's."""
        _ffi.call(lib.teu_attach_resize, self._pointer, rows, columns)

    def copy(self, stdin=-1, stdout=-1, stderr=-1, detach_keys=None, wake=-1):
        """Copies between the streams and these descriptors; True: it ended, False: the detach keys came, or wake polled readable."""
        opts = _ffi.options(
            _ffi.CopyOptions,
            stdin_fd=stdin,
            stdout_fd=stdout,
            stderr_fd=stderr,
            wake_fd=wake,
            detach_keys=_ffi.encode(detach_keys),
        )
        detached = ctypes.c_int()
        _ffi.call(lib.teu_attach_copy, self._pointer, ctypes.byref(opts), ctypes.byref(detached))
        return detached.value == 0

    @property
    def exit_status(self):
        """0..255 once read() told of the end; None before."""
        status = lib.teu_attach_exit_status(self._pointer)
        return None if status < 0 else status

    def communicate(self, input=None):
        """Writes input, closes the standard input, reads to the end and returns a Result."""
        parts = {STDOUT: [], STDERR: []}
        rest = memoryview(input or b"")
        poll = select.poll()
        if not rest:
            self.close_stdin()
        poll.register(self.fileno(), select.POLLIN | (select.POLLOUT if rest else 0))
        while True:
            # Both ways by turns: a process that writes before it has read all must not meet a writer that only writes.
            events = poll.poll()[0][1]
            if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
                stream, data = self.read()
                if not data:
                    return Result(self.exit_status, b"".join(parts[STDOUT]), b"".join(parts[STDERR]))
                parts[stream].append(data)
            elif rest:
                self.write(rest[:_INPUT_CHUNK])
                rest = rest[_INPUT_CHUNK:]
                if not rest:
                    self.close_stdin()
                    poll.modify(self.fileno(), select.POLLIN)
