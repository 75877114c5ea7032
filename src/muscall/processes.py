"""Processes that end with the one that started them, even where that one is killed."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(*_: object) -> None:
    """Have the kernel kill this process once the thread that started it has ended.

    A worker calls it first, as `initializer` of a pool or `worker_init_fn` of a DataLoader. A
    parent that is killed tells its workers nothing: they would go on, or wait for ever. Only Linux
    can do this; elsewhere nothing happens.
    """
    if _LIBC is not None:
        _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():  # it ended before the kernel was asked
        os._exit(1)


def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:
    """`subprocess.run` of a program that ends with this process."""
    return subprocess.run(command, preexec_fn=end_with_parent, **options)
