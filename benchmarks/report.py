"""What the benchmarks of the library share: their tables, and what the system says of processes."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path


def heading(*packages: str, what: str) -> str:
    """One line: what was measured, on which machine, with which versions, on which day."""
    import torch

    processor = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    machine = processor[1] if processor else platform.machine()
    load = f"load {os.getloadavg()[0]:.1f} at its end"
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "lancedb", *packages))
    threads = f"{os.cpu_count()} cores, {torch.get_num_threads()} threads"
    return f"{what}; {threads}, {machine}, {load}; {versions}; {date.today()}"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table. Numbers have three digits that count, None is a dash."""
    lines = [header, ["---"] * len(header), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")


def memory(pid: int | str = "self", *, peak: bool = False) -> float:
    """MiB that a process holds, or held at most; 0 of one that has ended.

    Not getrusage: its peak is inherited from the process that started this one.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


def children() -> list[int]:
    """The processes that this one has started and that still run."""
    found: list[int] = []
    for thread in Path("/proc/self/task").iterdir():
        try:
            found += map(int, (thread / "children").read_text().split())
        except OSError:  # the thread has just ended
            continue
    return found
