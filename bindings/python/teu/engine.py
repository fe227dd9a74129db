# SPDX-License-Identifier: LGPL-2.1-or-later
"""The engine: a state root and a run root, and everything that hangs off them."""

import ctypes
import os
from contextlib import contextmanager

from . import _ffi
from ._ffi import lib
from .config import create_config
from .container import Container
from .errors import CancelledError
from .image import Image, progress_callback

LOG_LEVELS = ("debug", "info", "warning")


def version():
    """The release of the library that was loaded."""
    return lib.teu_version().decode()


@contextmanager
def _descriptor(file, flags):
    """The descriptor of a path, of an open binary file or of a number."""
    if isinstance(file, int):
        yield file
    elif hasattr(file, "fileno"):
        yield file.fileno()
    else:
        fd = os.open(file, flags | os.O_CLOEXEC, 0o644)
        try:
            yield fd
        finally:
            os.close(fd)


class Engine:
    """An engine. Roots are made where they are missing; the defaults are /var/lib/teu and /run/teu."""

    _pointer = None

    def __init__(self, state_root=None, run_root=None, cgroup_parent=None, log=None, delete_in_background=False):
        """log(level, message), level being "debug", "info" or "warning": called on any thread that uses the engine."""
        if log:
            self._log = _ffi.LOG_CB(lambda level, message, _data: log(LOG_LEVELS[level], message.decode(errors="replace")))
        opts = _ffi.options(
            _ffi.EngineOptions,
            state_root=_ffi.encode(state_root),
            run_root=_ffi.encode(run_root),
            cgroup_parent=_ffi.encode(cgroup_parent),
            delete_in_background=delete_in_background,
            log=self._log if log else None,
        )
        self._pointer = _ffi.handle(lib.teu_engine_open, ctypes.byref(opts))

    def __del__(self, _unref=lib.teu_engine_unref):
        if self._pointer:
            _unref(self._pointer)

    def __repr__(self):
        return "<teu.Engine %s>" % self.state_root

    @property
    def state_root(self):
        return os.fsdecode(lib.teu_engine_state_root(self._pointer))

    @property
    def run_root(self):
        return os.fsdecode(lib.teu_engine_run_root(self._pointer))

    def info(self):
        """What this machine can do, and what the engine keeps."""
        return _ffi.document(lib.teu_system_info, self._pointer)

    def sweep(self):
        """Puts right what crashed processes left."""
        _ffi.call(lib.teu_engine_sweep, self._pointer)

    def check(self):
        """Checks the whole store; {"problems": […], "blobs": n, …}."""
        return _ffi.document(lib.teu_engine_check, self._pointer)

    # Images

    def _take_images(self, pointer):
        try:
            return [
                Image(self, lib.teu_image_ref(lib.teu_image_list_get(pointer, i)))
                for i in range(lib.teu_image_list_count(pointer))
            ]
        finally:
            lib.teu_image_list_unref(pointer)

    def _with_progress(self, progress, work):
        """Runs work(callback, cancel); what progress() raises ends it and is raised here."""
        callback = progress_callback(progress)

        def run(cancel):
            try:
                return work(callback, cancel)
            except CancelledError:
                callback.finish()
                raise

        return _ffi.interruptible(run)

    def pull(
        self,
        reference,
        *,
        platform=None,
        timeout=None,
        insecure=False,
        ca_file=None,
        username=None,
        password=None,
        auth_file=None,
        parallel=None,
        max_layer_size=None,
        progress=None,
    ):
        """Fetches an image and names it reference. progress: called with a Progress; what it raises ends the pull."""

        def work(callback, cancel):
            opts = _ffi.options(
                _ffi.PullOptions,
                platform=_ffi.encode(platform),
                timeout_ms=None if timeout is None else max(1, int(timeout * 1000)),
                insecure=int(insecure),
                ca_file=_ffi.encode(ca_file),
                username=_ffi.encode(username),
                password=_ffi.encode(password),
                auth_file=_ffi.encode(auth_file),
                parallel=parallel,
                max_layer_size=max_layer_size,
                progress=callback.c,
                cancel=cancel.pointer,
            )
            return Image(self, _ffi.handle(lib.teu_image_pull, self._pointer, reference.encode(), ctypes.byref(opts)))

        return self._with_progress(progress, work)

    def import_image(
        self, file, reference=None, *, config=None, message=None, platform=None, max_layer_size=None, progress=None
    ):
        """Makes an image from the tar of a root filesystem: a path, an open file or a descriptor. config: {"Cmd": ["sh"], …}."""

        def work(callback, cancel):
            opts = _ffi.options(
                _ffi.ImportOptions,
                changes_json=None if config is None else _ffi.encode_json(config),
                message=_ffi.encode(message),
                platform=_ffi.encode(platform),
                max_layer_size=max_layer_size,
                progress=callback.c,
                cancel=cancel.pointer,
            )
            with _descriptor(file, os.O_RDONLY) as fd:
                return Image(
                    self,
                    _ffi.handle(lib.teu_image_import, self._pointer, fd, _ffi.encode(reference), ctypes.byref(opts)),
                )

        return self._with_progress(progress, work)

    def save(self, names, file, format="docker"):
        """Writes images as one archive, "docker" or "oci", to a path, an open file or a descriptor."""
        names = [names] if isinstance(names, str) else list(names)
        array = (ctypes.c_char_p * len(names))(*(n.encode() for n in names))

        def work(cancel):
            opts = _ffi.options(
                _ffi.SaveOptions, format={"docker": 0, "oci": 1}[format], cancel=cancel.pointer
            )
            with _descriptor(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as fd:
                _ffi.call(lib.teu_image_save, self._pointer, array, len(names), fd, ctypes.byref(opts))

        _ffi.interruptible(work)

    def load(self, file, *, platform=None, max_layer_size=None, progress=None):
        """Reads an OCI archive or a docker-archive; returns its images."""

        def work(callback, cancel):
            opts = _ffi.options(
                _ffi.LoadOptions,
                platform=_ffi.encode(platform),
                max_layer_size=max_layer_size,
                progress=callback.c,
                cancel=cancel.pointer,
            )
            with _descriptor(file, os.O_RDONLY) as fd:
                return self._take_images(_ffi.handle(lib.teu_image_load, self._pointer, fd, ctypes.byref(opts)))

        return self._with_progress(progress, work)

    def image(self, name):
        """The image called so: a reference, an id, or a prefix of one."""
        return Image(self, _ffi.handle(lib.teu_image_find, self._pointer, name.encode()))

    def images(self):
        """All images, newest first."""
        return self._take_images(_ffi.handle(lib.teu_image_list_all, self._pointer))

    def tag(self, name, reference):
        _ffi.call(lib.teu_image_tag, self._pointer, name.encode(), reference.encode())

    def remove_image(self, name, force=False):
        """Takes the name away; with its last name the image goes. Returns [{"Untagged": …}, {"Deleted": …}]."""
        opts = _ffi.options(_ffi.ImageRemoveOptions, force=int(force))
        return _ffi.document(lib.teu_image_remove, self._pointer, name.encode(), ctypes.byref(opts))

    # Containers

    def create(self, image, command=None, *, name=None, ports=None, config=None, host_config=None, **arguments):
        """Makes a container; nothing runs yet.

        image: an Image or its name; command: a list of words.
        ports: {"80/tcp": 8080}, {"80/tcp": ("127.0.0.1", 8080)}, {"53/udp": None} (a free port).
        arguments: entrypoint, env (a dict or a list), user, workdir, hostname, labels, tty, stdin, stop_signal; memory (bytes), cpus, pids,
        network ("bridge", "none", "host"), binds (["/on/host:/inside:ro"]), tmpfs, read_only, privileged, init, cap_add, cap_drop,
        security_opt, auto_remove.
        config, host_config: all else, in the words of Docker's POST /containers/create.
        """
        document = create_config(image, command, ports, host_config, config, **arguments)
        opts = _ffi.options(_ffi.CreateOptions, name=_ffi.encode(name))
        return Container(
            self,
            _ffi.handle(lib.teu_container_create, self._pointer, _ffi.encode_json(document), ctypes.byref(opts)),
        )

    def run(self, image, command=None, *, detach=False, input=None, remove=None, check=False, **arguments):
        """Makes a container and starts it.

        detach: returns the running Container. Otherwise waits for its end, removes it (unless remove=False) and returns a Result with all
        that it wrote; input: bytes for its standard input; check: StatusError when its status is not 0.
        arguments: those of create().
        """
        if remove is None:
            remove = not detach
        if not detach:
            config = dict(arguments.pop("config", None) or {})
            config.update({"AttachStdout": True, "AttachStderr": True, "AttachStdin": input is not None})
            if input is not None:
                config.update({"OpenStdin": True, "StdinOnce": True})
            arguments["config"] = config
        container = self.create(image, command, auto_remove=remove, **arguments)
        try:
            attach = container.start(attach=not detach)
        except BaseException:
            # It never ran: nobody wants to meet it.
            container.remove(force=True, volumes=True)
            raise
        if detach:
            return container
        try:
            with attach:
                result = attach.communicate(input)
        except BaseException:
            container.kill()
            raise
        return result.check() if check else result

    def plan(self, image, command=None, *, ports=None, config=None, host_config=None, **arguments):
        """The launch plan of a container that is not made: every mount, limit and filter, in order."""
        document = create_config(image, command, ports, host_config, config, **arguments)
        return _ffi.document(lib.teu_container_plan_config, self._pointer, _ffi.encode_json(document))

    def container(self, name):
        """The container called so: its name, its id, or a prefix of the id."""
        return Container(self, _ffi.handle(lib.teu_container_find, self._pointer, name.encode()))

    def containers(self, all=False):
        """Those that run, newest first; all: also those that don't."""
        pointer = _ffi.handle(lib.teu_container_list_all, self._pointer, int(all))
        try:
            return [
                Container(self, lib.teu_container_ref(lib.teu_container_list_get(pointer, i)))
                for i in range(lib.teu_container_list_count(pointer))
            ]
        finally:
            lib.teu_container_list_unref(pointer)

    def containers_json(self, all=False):
        """Docker's GET /containers/json document: one dict a container, read at once."""
        pointer = _ffi.handle(lib.teu_container_list_all, self._pointer, int(all))
        try:
            return _ffi.document(lib.teu_container_list_json, pointer)
        finally:
            lib.teu_container_list_unref(pointer)

    # Networks and volumes

    def networks(self):
        return _ffi.document(lib.teu_network_list_json, self._pointer)

    def network_down(self):
        """Takes the bridge and the packet rules out of the kernel."""
        _ffi.call(lib.teu_network_down, self._pointer)

    def volumes(self):
        return _ffi.document(lib.teu_volume_list_json, self._pointer)["Volumes"] or []

    def volume_create(self, name):
        _ffi.call(lib.teu_volume_create, self._pointer, name.encode())

    def volume_inspect(self, name):
        return _ffi.document(lib.teu_volume_inspect, self._pointer, name.encode())

    def volume_remove(self, name):
        _ffi.call(lib.teu_volume_remove, self._pointer, name.encode())
