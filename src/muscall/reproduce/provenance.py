"""Where a result comes from: code, machine and day."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import torch

import muscall


def provenance() -> dict[str, str]:
    """The commit of this code (with `-dirty` where it has changed since, "unknown" outside of a
    checkout), the hardware that trainings run on, the versions and the day (UTC).
    """
    return {
        "commit": _commit(),
        "hardware": hardware(),
        "versions": f"muscall {muscall.__version__}, torch {torch.__version__}, "
        f"Python {platform.python_version()}",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def hardware() -> str:
    """The GPU if there is one, else the processor and the number of its cores."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        told = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return told.stdout.strip()
