# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers: their whole life."""

import ctypes
from collections import namedtuple
from contextlib import contextmanager

from . import _ffi
from ._ffi import lib
from .attach import STDERR, Attach

STATES = ("created", "running", "paused", "restarting", "exited", "removing")

LogRecord = namedtuple("LogRecord", "stream time_ns text")
LogRecord.__doc__ = 'One record of a log: "stdout" or "stderr", nanoseconds since 1970, and the text with its line break.'


def attach_options(stdin=True, stdout=True, stderr=True, size=None):
    rows, columns = size or (0, 0)
    return _ffi.options(
        _ffi.AttachOptions,
        stdin_stream=int(stdin),
        stdout_stream=int(stdout),
        stderr_stream=int(stderr),
        rows=rows,
        columns=columns,
    )


def _milliseconds(seconds, default):
    """A span of time for C, where 0 may mean "none": a given one is at least 1."""
    return default if seconds is None else max(1, int(seconds * 1000))


class Container:
    """A container. Any number of threads may use one object: each of their calls has a handle of its own."""

    def __init__(self, engine, pointer):
        """Takes the reference that pointer is. Not for callers: see Engine.create(), run() and container()."""
        self._engine = engine
        self._free = [pointer]
        self.id = lib.teu_container_id(pointer).decode()
        self.name = lib.teu_container_name(pointer).decode()

    def __del__(self, _unref=lib.teu_container_unref):
        for pointer in getattr(self, "_free", ()):
            _unref(pointer)

    def __repr__(self):
        return "<teu.Container %s %s>" % (self.id[:12], self.name)

    def __eq__(self, other):
        return isinstance(other, Container) and other.id == self.id

    def __hash__(self):
        return hash(self.id)

    @contextmanager
    def _handle(self):
        try:
            pointer = self._free.pop()
        except IndexError:
            pointer = _ffi.handle(lib.teu_container_find, self._engine._pointer, self.id.encode())
        try:
            yield pointer
        finally:
            self._free.append(pointer)

    def _call(self, function, *arguments):
        with self._handle() as pointer:
            return _ffi.call(function, pointer, *arguments)

    def _document(self, function):
        with self._handle() as pointer:
            return _ffi.document(function, pointer)

    @property
    def state(self):
        """ "created", "running", "paused", "restarting", "exited" or "removing"; NotFoundError once it is removed."""
        return STATES[self._call(lib.teu_container_state)]

    @property
    def pid(self):
        """Of its first process on the host; 0 while it does not run."""
        pid = ctypes.c_int32()
        self._call(lib.teu_container_pid, ctypes.byref(pid))
        return pid.value

    def inspect(self):
        """Docker's GET /containers/{id}/json document; "Effective" has the limits as the kernel has them."""
        return self._document(lib.teu_container_inspect)

    def plan(self):
        """The compiled launch plan; nothing runs."""
        return self._document(lib.teu_container_plan)

    def top(self):
        return self._document(lib.teu_container_top)

    def stats(self):
        return self._document(lib.teu_container_stats)

    def start(self, attach=False, size=None):
        """Starts it; with attach, returns an Attach whose streams were joined before its first instruction.

        size: (rows, columns) of the caller's terminal.
        """
        if not attach:
            self._call(lib.teu_container_start, None, None)
            return None
        streams = attach_options(size=size)
        opts = _ffi.options(_ffi.StartOptions, attach=ctypes.pointer(streams))
        with self._handle() as pointer:
            return Attach(_ffi.handle(lib.teu_container_start, pointer, ctypes.byref(opts)))

    def attach(self, stdin=True, stdout=True, stderr=True, size=None):
        """Joins the streams of a running container."""
        opts = attach_options(stdin, stdout, stderr, size)
        with self._handle() as pointer:
            return Attach(_ffi.handle(lib.teu_container_attach, pointer, ctypes.byref(opts)))

    def exec(self, command, *, input=None, env=None, user=None, workdir=None, tty=False, privileged=False, check=False):
        """Runs a further command inside, waits for it and returns a Result."""
        with self.exec_attach(
            command,
            stdin=input is not None,
            env=env,
            user=user,
            workdir=workdir,
            tty=tty,
            privileged=privileged,
        ) as attach:
            result = attach.communicate(input)
        return result.check() if check else result

    def exec_attach(
        self, command, *, stdin=True, env=None, user=None, workdir=None, tty=False, privileged=False, size=None
    ):
        """Runs a further command inside and returns its streams."""
        config = _exec_config(command, stdin, env, user, workdir, tty, privileged)
        opts = attach_options(stdin=stdin, size=size)
        with self._handle() as pointer:
            return Attach(
                _ffi.handle(lib.teu_container_exec, pointer, _ffi.encode_json(config), ctypes.byref(opts))
            )

    def exec_detached(self, command, *, env=None, user=None, workdir=None, tty=False, privileged=False):
        """Runs a further command inside; nobody learns how it ends."""
        config = _exec_config(command, False, env, user, workdir, tty, privileged)
        self._call(lib.teu_container_exec, _ffi.encode_json(config), None, None)

    def logs(self, follow=False, tail=None, since_ns=0, until_ns=0):
        """Yields each LogRecord; with follow, until the container ends. tail: only the last so many."""
        import queue
        import threading

        cancel = _ffi.Cancel()
        opts = _ffi.options(
            _ffi.LogsOptions,
            follow=int(follow),
            tail=None if tail is None else tail or -1,
            since_ns=since_ns,
            until_ns=until_ns,
            cancel=cancel.pointer,
        )
        # The library calls back, the caller wants to be handed: a thread stands between them, a few records ahead.
        records = queue.Queue(maxsize=256)
        end = object()

        def convert(r):
            records.put(
                LogRecord(
                    "stderr" if r.stream == STDERR else "stdout",
                    r.time_ns,
                    ctypes.string_at(r.text, r.len).decode(errors="replace"),
                )
            )

        def read():
            error = None
            try:
                callback = _ffi.Callback(_ffi.LOG_RECORD_CB, convert)
                self._call(lib.teu_container_logs, ctypes.byref(opts), callback.c, None)
            except BaseException as e:
                error = e
            records.put((end, error))

        threading.Thread(target=read, name="teu-logs", daemon=True).start()
        ended = False
        try:
            while True:
                record = records.get()
                if record[0] is end:
                    ended = True
                    if record[1] is not None:
                        raise record[1]
                    return
                yield record
        finally:
            # A caller who had enough: the thread may be waiting for room.
            cancel.fire()
            while not ended:
                ended = records.get()[0] is end

    def wait(self, timeout=None):
        """Blocks until it does not run, and returns its status; TimeoutError after so many seconds."""

        def work(cancel):
            opts = _ffi.options(_ffi.WaitOptions, timeout_ms=_milliseconds(timeout, 0), cancel=cancel.pointer)
            status = ctypes.c_int32()
            self._call(lib.teu_container_wait, ctypes.byref(opts), ctypes.byref(status))
            return status.value

        return _ffi.interruptible(work)

    def stop(self, timeout=None):
        """Sends its stop signal and kills it after so many seconds; None: after its own StopTimeout, or 10."""
        self._call(lib.teu_container_stop, -1 if timeout is None else int(timeout * 1000))

    def restart(self, timeout=None):
        self._call(lib.teu_container_restart, -1 if timeout is None else int(timeout * 1000))

    def kill(self, signal=9):
        """Sends a signal, by its number, to its first process."""
        self._call(lib.teu_container_kill, int(signal))

    def pause(self):
        self._call(lib.teu_container_pause)

    def unpause(self):
        self._call(lib.teu_container_unpause)

    def resize(self, rows, columns):
        self._call(lib.teu_container_resize, rows, columns)

    def remove(self, force=False, volumes=False):
        """Removes it; force: kills it first; volumes: also the anonymous volumes made for it."""
        opts = _ffi.options(_ffi.RemoveOptions, force=int(force), volumes=int(volumes))
        self._call(lib.teu_container_remove, ctypes.byref(opts))


def environment(env):
    """A dict or a list of "NAME=value" as such a list."""
    if env is None:
        return []
    return ["%s=%s" % pair for pair in env.items()] if hasattr(env, "items") else list(env)


def _exec_config(command, stdin, env, user, workdir, tty, privileged):
    return {
        "Cmd": [command] if isinstance(command, str) else list(command),
        "Env": environment(env),
        "User": user or "",
        "WorkingDir": workdir or "",
        "Tty": bool(tty),
        "AttachStdin": bool(stdin),
        "AttachStdout": True,
        "AttachStderr": True,
        "Privileged": bool(privileged),
    }
