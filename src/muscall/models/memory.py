"""How the C library hands out memory."""

from __future__ import annotations

import ctypes
from functools import cache

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # of glibc's mallopt


@cache
def keep_freed_memory() -> None:
    """Keep freed memory in the process instead of returning it to the system at once.

    Activations are large, and glibc maps each anew: the pages of every one are then zeroed and
    faulted in again, which costs a training step on a processor a fifth of its time. Elsewhere
    than on glibc nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_TOP_PAD, 2**28)
