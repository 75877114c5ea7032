"""What a listener asked for and cannot have. Each is answered with one line and its status."""

from __future__ import annotations

from muscall.errors import MuscallError


class NotFound(MuscallError):
    """There is no such track, file or upload (any more)."""


class TooLarge(MuscallError):
    """More bytes than are taken."""
