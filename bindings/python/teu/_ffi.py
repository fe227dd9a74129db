# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C side: the library, its structs and functions, and how a call reports. Follows include/teu/*.h."""

import ctypes
import os
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)

from .errors import CLASSES, TeuError


def _load():
    name = os.environ.get("TEU_LIBRARY") or "libteu.so.0"
    try:
        return ctypes.CDLL(name)
    except OSError as e:
        raise ImportError("libteu can't be loaded: %s; install it, or name its file in TEU_LIBRARY" % e) from None


lib = _load()


class Progress(Structure):
    _fields_ = [("id", c_char_p), ("action", c_char_p), ("done", c_uint64), ("total", c_uint64)]


class LogRecord(Structure):
    _fields_ = [("stream", c_int32), ("time_ns", c_int64), ("text", c_void_p), ("len", c_size_t)]


PROGRESS_CB = CFUNCTYPE(c_int, POINTER(Progress), c_void_p)
LOG_RECORD_CB = CFUNCTYPE(c_int, POINTER(LogRecord), c_void_p)
LOG_CB = CFUNCTYPE(None, c_int, c_char_p, c_void_p)


class EngineOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("state_root", c_char_p),
        ("run_root", c_char_p),
        ("cgroup_parent", c_char_p),
        ("log", LOG_CB),
        ("log_data", c_void_p),
        ("delete_in_background", c_int),
    ]


class PullOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("platform", c_char_p),
        ("timeout_ms", c_int64),
        ("insecure", c_int),
        ("ca_file", c_char_p),
        ("username", c_char_p),
        ("password", c_char_p),
        ("auth_file", c_char_p),
        ("parallel", c_int32),
        ("max_layer_size", c_uint64),
        ("progress", PROGRESS_CB),
        ("progress_data", c_void_p),
        ("cancel", c_void_p),
    ]


class ImportOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("changes_json", c_char_p),
        ("message", c_char_p),
        ("platform", c_char_p),
        ("max_layer_size", c_uint64),
        ("progress", PROGRESS_CB),
        ("progress_data", c_void_p),
        ("cancel", c_void_p),
    ]


class SaveOptions(Structure):
    _fields_ = [("size", c_size_t), ("format", c_int32), ("cancel", c_void_p)]


class LoadOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("platform", c_char_p),
        ("max_layer_size", c_uint64),
        ("progress", PROGRESS_CB),
        ("progress_data", c_void_p),
        ("cancel", c_void_p),
    ]


class ImageRemoveOptions(Structure):
    _fields_ = [("size", c_size_t), ("force", c_int)]


class CreateOptions(Structure):
    _fields_ = [("size", c_size_t), ("name", c_char_p)]


class AttachOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("stdin_stream", c_int),
        ("stdout_stream", c_int),
        ("stderr_stream", c_int),
        ("rows", c_int32),
        ("columns", c_int32),
    ]


class StartOptions(Structure):
    _fields_ = [("size", c_size_t), ("attach", POINTER(AttachOptions))]


class WaitOptions(Structure):
    _fields_ = [("size", c_size_t), ("timeout_ms", c_int64), ("cancel", c_void_p)]


class RemoveOptions(Structure):
    _fields_ = [("size", c_size_t), ("force", c_int), ("volumes", c_int)]


class LogsOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("follow", c_int),
        ("tail", c_int64),
        ("since_ns", c_int64),
        ("until_ns", c_int64),
        ("cancel", c_void_p),
    ]


class CopyOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("stdin_fd", c_int),
        ("stdout_fd", c_int),
        ("stderr_fd", c_int),
        ("detach_keys", c_char_p),
        ("wake_fd", c_int),
    ]


class NamespaceOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("namespaces", c_uint32),
        ("hostname", c_char_p),
        ("env", POINTER(c_char_p)),
        ("cwd", c_char_p),
        ("stdin_fd", c_int),
        ("stdout_fd", c_int),
        ("stderr_fd", c_int),
    ]


class RuntimeOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("root", c_char_p),
        ("cgroup_manager", c_int),
        ("log", c_void_p),
        ("log_data", c_void_p),
    ]


class RuntimeCreateOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("bundle", c_char_p),
        ("config", c_char_p),
        ("pid_file", c_char_p),
        ("console_socket", c_char_p),
        ("console_fd", c_int),
        ("pidfd_socket", c_char_p),
        ("stdin_fd", c_int),
        ("stdout_fd", c_int),
        ("stderr_fd", c_int),
        ("preserve_fds", c_int),
        ("listen_fds", c_int),
        ("no_pivot", c_int),
        ("no_new_keyring", c_int),
        ("notify_socket", c_char_p),
    ]


class RuntimeExecOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("merge", c_int),
        ("ignore_paused", c_int),
        ("cgroups", POINTER(c_char_p)),
        ("pid_file", c_char_p),
        ("console_socket", c_char_p),
        ("pidfd_socket", c_char_p),
        ("console_fd", c_int),
        ("stdin_fd", c_int),
        ("stdout_fd", c_int),
        ("stderr_fd", c_int),
        ("preserve_fds", c_int),
    ]


class RuntimeCheckpointOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("image_path", c_char_p),
        ("work_path", c_char_p),
        ("parent_path", c_char_p),
        ("pre_dump", c_int),
        ("leave_running", c_int),
        ("tcp_established", c_int),
        ("tcp_skip_in_flight", c_int),
        ("link_remap", c_int),
        ("ext_unix_sk", c_int),
        ("shell_job", c_int),
        ("file_locks", c_int),
        ("auto_dedup", c_int),
        ("lazy_pages", c_int),
        ("status_fd", c_int),
        ("page_server", c_char_p),
        ("manage_cgroups_mode", c_char_p),
    ]


class RuntimeRestoreOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("bundle", c_char_p),
        ("image_path", c_char_p),
        ("work_path", c_char_p),
        ("pid_file", c_char_p),
        ("console_socket", c_char_p),
        ("console_fd", c_int),
        ("stdin_fd", c_int),
        ("stdout_fd", c_int),
        ("stderr_fd", c_int),
        ("tcp_established", c_int),
        ("ext_unix_sk", c_int),
        ("shell_job", c_int),
        ("file_locks", c_int),
        ("auto_dedup", c_int),
        ("lazy_pages", c_int),
        ("manage_cgroups_mode", c_char_p),
        ("lsm_profile", c_char_p),
        ("lsm_mount_context", c_char_p),
    ]


H = c_void_p  # a handle
OUT = POINTER(c_void_p)  # a ret_ argument: a handle, a text for teu_free(), or the error
S = c_char_p

# Name: (result, arguments); of those that can fail, the error's own argument is added below.
_FALLIBLE = {
    "teu_engine_open": [POINTER(EngineOptions), OUT],
    "teu_engine_sweep": [H],
    "teu_engine_check": [H, OUT],
    "teu_cancel_new": [OUT],
    "teu_system_info": [H, OUT],
    "teu_image_pull": [H, S, POINTER(PullOptions), OUT],
    "teu_image_import": [H, c_int, S, POINTER(ImportOptions), OUT],
    "teu_image_save": [H, POINTER(c_char_p), c_size_t, c_int, POINTER(SaveOptions)],
    "teu_image_load": [H, c_int, POINTER(LoadOptions), OUT],
    "teu_image_find": [H, S, OUT],
    "teu_image_list_all": [H, OUT],
    "teu_image_tag": [H, S, S],
    "teu_image_remove": [H, S, POINTER(ImageRemoveOptions), OUT],
    "teu_image_inspect": [H, OUT],
    "teu_reference_familiar": [S, OUT],
    "teu_reference_normalize": [S, OUT],
    "teu_container_create": [H, S, POINTER(CreateOptions), OUT],
    "teu_container_find": [H, S, OUT],
    "teu_container_list_all": [H, c_int, OUT],
    "teu_container_list_json": [H, OUT],
    "teu_container_state": [H],
    "teu_container_pid": [H, POINTER(c_int32)],
    "teu_container_inspect": [H, OUT],
    "teu_container_start": [H, POINTER(StartOptions), OUT],
    "teu_container_plan": [H, OUT],
    "teu_container_plan_config": [H, S, OUT],
    "teu_container_stop": [H, c_int64],
    "teu_container_kill": [H, c_int32],
    "teu_container_restart": [H, c_int64],
    "teu_container_pause": [H],
    "teu_container_unpause": [H],
    "teu_container_wait": [H, POINTER(WaitOptions), POINTER(c_int32)],
    "teu_container_remove": [H, POINTER(RemoveOptions)],
    "teu_container_top": [H, OUT],
    "teu_container_stats": [H, OUT],
    "teu_container_resize": [H, c_int32, c_int32],
    "teu_container_logs": [H, POINTER(LogsOptions), LOG_RECORD_CB, c_void_p],
    "teu_container_attach": [H, POINTER(AttachOptions), OUT],
    "teu_container_exec": [H, S, POINTER(AttachOptions), OUT],
    "teu_attach_read": [H, POINTER(c_int32), c_void_p, c_size_t, POINTER(c_size_t)],
    "teu_attach_write": [H, c_char_p, c_size_t],
    "teu_attach_close_stdin": [H],
    "teu_attach_resize": [H, c_int32, c_int32],
    "teu_attach_copy": [H, POINTER(CopyOptions), POINTER(c_int)],
    "teu_network_list_json": [H, OUT],
    "teu_network_down": [H],
    "teu_volume_create": [H, S],
    "teu_volume_inspect": [H, S, OUT],
    "teu_volume_list_json": [H, OUT],
    "teu_volume_remove": [H, S],
    "teu_cgroup_open": [S, OUT],
    "teu_cgroup_set": [H, S],
    "teu_cgroup_get": [H, OUT],
    "teu_cgroup_add": [H, c_int32],
    "teu_cgroup_stats": [H, OUT],
    "teu_cgroup_freeze": [H, c_int],
    "teu_cgroup_kill": [H],
    "teu_cgroup_remove": [H],
    "teu_namespace_run": [POINTER(c_char_p), POINTER(NamespaceOptions), POINTER(c_int32), POINTER(c_int)],
    "teu_namespace_wait": [c_int, POINTER(c_int32)],
    "teu_runtime_open": [POINTER(RuntimeOptions), OUT],
    "teu_runtime_check": [S, S, OUT],
    "teu_runtime_create": [H, S, POINTER(RuntimeCreateOptions), POINTER(c_int32)],
    "teu_runtime_run": [H, S, POINTER(RuntimeCreateOptions), POINTER(c_int32), POINTER(c_int)],
    "teu_runtime_start": [H, S],
    "teu_runtime_state": [H, S, OUT],
    "teu_runtime_list": [H, OUT],
    "teu_runtime_kill": [H, S, S, c_int],
    "teu_runtime_delete": [H, S, c_int],
    "teu_runtime_exec": [H, S, S, POINTER(RuntimeExecOptions), POINTER(c_int32), POINTER(c_int)],
    "teu_runtime_pause": [H, S],
    "teu_runtime_resume": [H, S],
    "teu_runtime_processes": [H, S, OUT],
    "teu_runtime_mounts_add": [H, S, S],
    "teu_runtime_mounts_remove": [H, S, S],
    "teu_runtime_update": [H, S, S],
    "teu_runtime_stats": [H, S, OUT],
    "teu_runtime_oom_watch": [H, S, POINTER(c_int), POINTER(c_uint64)],
    "teu_runtime_oom_read": [H, S, c_int, POINTER(c_uint64), POINTER(c_uint64)],
    "teu_runtime_checkpoint": [H, S, POINTER(RuntimeCheckpointOptions)],
    "teu_runtime_restore": [H, S, POINTER(RuntimeRestoreOptions), POINTER(c_int32), POINTER(c_int)],
    "teu_runtime_features": [OUT],
    "teu_runtime_spec": [c_int, OUT],
}

_OTHER = {
    "teu_version": (S, []),
    "teu_free": (None, [c_void_p]),
    "teu_error_code": (c_int, [H]),
    "teu_error_message": (S, [H]),
    "teu_error_errno": (c_int, [H]),
    "teu_error_detail": (S, [H, S]),
    "teu_error_unref": (None, [H]),
    "teu_engine_state_root": (S, [H]),
    "teu_engine_run_root": (S, [H]),
    "teu_cancel_fire": (None, [H]),
    "teu_image_id": (S, [H]),
    "teu_image_digest": (S, [H]),
    "teu_image_name_count": (c_size_t, [H]),
    "teu_image_name": (S, [H, c_size_t]),
    "teu_image_size": (c_uint64, [H]),
    "teu_image_created": (c_int64, [H]),
    "teu_container_id": (S, [H]),
    "teu_container_name": (S, [H]),
    "teu_attach_fd": (c_int, [H]),
    "teu_attach_exit_status": (c_int32, [H]),
}
for _noun in ("image", "container"):
    _OTHER["teu_%s_list_count" % _noun] = (c_size_t, [H])
    _OTHER["teu_%s_list_get" % _noun] = (H, [H, c_size_t])
for _noun in ("engine", "cancel", "image", "image_list", "container", "container_list", "attach", "cgroup", "runtime"):
    _OTHER["teu_%s_ref" % _noun] = (H, [H])
    _OTHER["teu_%s_unref" % _noun] = (None, [H])


def _declare():
    for name, arguments in _FALLIBLE.items():
        function = getattr(lib, name)
        function.restype = c_int
        function.argtypes = arguments + [OUT]
    for name, (result, arguments) in _OTHER.items():
        function = getattr(lib, name)
        function.restype = result
        function.argtypes = arguments


_declare()

_DETAILS = ("http.status", "step", "field")


def _take_error(pointer):
    """The exception for an error object, which is given back."""
    details = {}
    for name in _DETAILS:
        value = lib.teu_error_detail(pointer, name.encode())
        if value is not None:
            details[name] = value.decode(errors="replace")
    code = lib.teu_error_code(pointer)
    error = CLASSES.get(code, TeuError)(
        lib.teu_error_message(pointer).decode(errors="replace"), code, lib.teu_error_errno(pointer), details
    )
    lib.teu_error_unref(pointer)
    return error


def call(function, *arguments):
    """Calls what can fail; returns its result, raises its error."""
    error = c_void_p()
    r = function(*arguments, byref(error))
    if r < 0:
        raise _take_error(error)
    return r


def handle(function, *arguments):
    """Calls what hands out an object or a text as its last ret_ argument."""
    out = c_void_p()
    call(function, *arguments, byref(out))
    return out.value


def text(function, *arguments):
    """Calls what hands out a text."""
    pointer = handle(function, *arguments)
    try:
        return ctypes.string_at(pointer).decode()
    finally:
        lib.teu_free(pointer)


def document(function, *arguments):
    """Calls what hands out JSON."""
    import json  # here, as it takes half of the time of `import teu`

    return json.loads(text(function, *arguments))


def encode(value):
    """A text or path for C; None stays None."""
    return None if value is None else os.fsencode(value)


def encode_json(value):
    import json

    return json.dumps(value).encode()


def options(struct, **values):
    """A struct filled by its own …_init(), then with what is not None."""
    result = struct()
    _INIT[struct](byref(result), ctypes.sizeof(result))
    for name, value in values.items():
        if value is not None:
            setattr(result, name, value)
    return result


def _init_function(name, struct):
    function = getattr(lib, name)
    function.restype = None
    function.argtypes = [POINTER(struct), c_size_t]
    return function


_INIT = {
    struct: _init_function("teu_%s_options_init" % name, struct)
    for name, struct in (
        ("engine", EngineOptions),
        ("pull", PullOptions),
        ("import", ImportOptions),
        ("save", SaveOptions),
        ("load", LoadOptions),
        ("image_remove", ImageRemoveOptions),
        ("create", CreateOptions),
        ("attach", AttachOptions),
        ("start", StartOptions),
        ("wait", WaitOptions),
        ("remove", RemoveOptions),
        ("logs", LogsOptions),
        ("copy", CopyOptions),
        ("namespace", NamespaceOptions),
        ("runtime", RuntimeOptions),
        ("runtime_create", RuntimeCreateOptions),
        ("runtime_exec", RuntimeExecOptions),
        ("runtime_checkpoint", RuntimeCheckpointOptions),
        ("runtime_restore", RuntimeRestoreOptions),
    )
}


class Callback:
    """A Python function as a C callback. What it raises stops the call, and is raised from finish()."""

    def __init__(self, kind, function):
        self.raised = None
        self._function = function
        self.c = kind(self._run) if function else kind()

    def _run(self, record, _data):
        try:
            self._function(record.contents)
            return 0
        except BaseException as e:
            self.raised = e
            return 1

    def finish(self):
        raised, self.raised = self.raised, None
        if raised is not None:
            raise raised


class Cancel:
    """A token that stops a long call from another thread."""

    def __init__(self):
        self.pointer = handle(lib.teu_cancel_new)

    def fire(self):
        lib.teu_cancel_fire(self.pointer)

    def __del__(self, _unref=lib.teu_cancel_unref):
        if getattr(self, "pointer", None):
            _unref(self.pointer)


def interruptible(work):
    """Runs work(cancel), which blocks in C, so that ctrl-C ends it.

    Python runs signal handlers in the main thread only, and only between two of its instructions. So the work of the main thread is
    done by another one, for which the main thread waits in Python.
    """
    import threading

    cancel = Cancel()
    if threading.current_thread() is not threading.main_thread():
        return work(cancel)
    outcome = []

    def run():
        try:
            outcome.append((work(cancel), None))
        except BaseException as e:
            outcome.append((None, e))

    thread = threading.Thread(target=run, name="teu", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        cancel.fire()
        thread.join()
        raise
    result, error = outcome[0]
    if error is not None:
        raise error
    return result
