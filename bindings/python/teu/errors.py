# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is raised: a class for each code of include/teu/error.h."""


class TeuError(Exception):
    """A call of libteu failed.

    code: the number, TEU_E_…; errno: of the system call that failed, or 0; detail: named details, such as "http.status", "step" (of a
    launch) and "field" (place in a document).
    """

    code = 0

    def __init__(self, message, code=None, errno=0, detail=None):
        super().__init__(message)
        if code is not None:
            self.code = code
        self.errno = errno
        self.detail = detail or {}

    def __reduce__(self):
        return (type(self), (str(self), self.code, self.errno, self.detail))


class InvalidError(TeuError):
    """An argument, option or document is malformed."""

    code = -1


class NotFoundError(TeuError):
    """No such image, container, file or tag."""

    code = -2


class ConflictError(TeuError):
    """The name is taken, or the object is in use or in the wrong state."""

    code = -3


class AuthError(TeuError):
    """The registry wants other credentials."""

    code = -4


class NetworkError(TeuError):
    """A peer can't be reached or broke off."""

    code = -5


class TimeoutError(TeuError):
    """The time given was over first."""

    code = -6


class CorruptError(TeuError):
    """Bytes differ from their digest, or a record can't be read."""

    code = -7


class CancelledError(TeuError):
    """The call was stopped."""

    code = -8


class UnsupportedError(TeuError):
    """This kernel, machine or release can't do that."""

    code = -9


class PermissionError(TeuError):
    """The caller lacks the right."""

    code = -10


class NoSpaceError(TeuError):
    """Disk, quota or an address range is full."""

    code = -11


class NoMemoryError(TeuError):
    """An allocation failed."""

    code = -12


class LimitError(TeuError):
    """Outside input is larger than a stated limit."""

    code = -13


class SystemError(TeuError):
    """A system call failed otherwise: see errno."""

    code = -14


class LaunchError(TeuError):
    """A step of a launch failed: see detail["step"]."""

    code = -15


class NotExecutableError(TeuError):
    """The command was found but can't be executed."""

    code = -16


class NoCommandError(TeuError):
    """The command was not found in the container."""

    code = -17


class ForkedError(TeuError):
    """The engine was opened before this process was forked."""

    code = -18


class StatusError(Exception):
    """A command ended with another status than 0, and check=True was asked for; result: its Result."""

    def __init__(self, result):
        super().__init__("the command ended with status %d" % result.status)
        self.result = result


CLASSES = {
    c.code: c
    for c in (
        InvalidError,
        NotFoundError,
        ConflictError,
        AuthError,
        NetworkError,
        TimeoutError,
        CorruptError,
        CancelledError,
        UnsupportedError,
        PermissionError,
        NoSpaceError,
        NoMemoryError,
        LimitError,
        SystemError,
        LaunchError,
        NotExecutableError,
        NoCommandError,
        ForkedError,
    )
}
