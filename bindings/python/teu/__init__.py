# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers, by libteu: no daemon, no program started, nothing compiled.

    import teu

    engine = teu.Engine()
    engine.pull("alpine")
    print(engine.run("alpine", ["uname", "-a"]).text)

An Engine, and every Image and Container, may be used by any number of threads at once; an Attach by one. The interpreter's lock is
given up during each call. What fails raises a TeuError, a class for each code.

libteu.so.0 is looked up as any shared library is; the variable TEU_LIBRARY names another file.
"""

from .attach import Attach, Result
from .cgroup import Cgroup
from .container import Container, LogRecord
from .engine import Engine, version
from .errors import (
    AuthError,
    CancelledError,
    ConflictError,
    CorruptError,
    ForkedError,
    InvalidError,
    LaunchError,
    LimitError,
    NetworkError,
    NoCommandError,
    NoMemoryError,
    NoSpaceError,
    NotExecutableError,
    NotFoundError,
    PermissionError,
    StatusError,
    SystemError,
    TeuError,
    TimeoutError,
    UnsupportedError,
)
from .image import Image, Progress, familiar_reference, normalize_reference
from .namespace import Namespaced, run_in_namespaces

__version__ = "0.1.0"

# Not those called as one of Python's own: `from teu import *` must not change what these mean.
__all__ = [
    "Attach",
    "AuthError",
    "CancelledError",
    "Cgroup",
    "ConflictError",
    "Container",
    "CorruptError",
    "Engine",
    "ForkedError",
    "Image",
    "InvalidError",
    "LaunchError",
    "LimitError",
    "LogRecord",
    "Namespaced",
    "NetworkError",
    "NoCommandError",
    "NoMemoryError",
    "NoSpaceError",
    "NotExecutableError",
    "NotFoundError",
    "Progress",
    "Result",
    "StatusError",
    "TeuError",
    "UnsupportedError",
    "familiar_reference",
    "normalize_reference",
    "run_in_namespaces",
    "version",
]
