"""What an index run did, in numbers and as one line."""

from __future__ import annotations

from dataclasses import dataclass, field

from muscall.errors import one_line

_NAMED = 3  # of what was left out


@dataclass
class Report:
    """What a run did, in files."""

    added: int = 0
    """With sound that is new to the library."""
    moved: int = 0
    """With known sound, at a new place instead of the old one."""
    copies: int = 0
    """With known sound, beside another file that has it too."""
    retagged: int = 0
    """Written to, with the same sound as before."""
    unchanged: int = 0
    failed: int = 0
    """That cannot be read and were not known for it."""
    offline: int = 0
    """Gone; their tracks are kept."""
    pruned: int = 0
    """Gone, and deleted from the library."""
    seconds: float = 0.0
    """Of sound listened to."""
    left_out: list[str] = field(default_factory=list)
    """Names of what holds sound but is hidden, a recycle bin or a snapshot."""

    @property
    def is_news(self) -> bool:
        """Whether anything was not as before."""
        return self != Report(unchanged=self.unchanged, left_out=self.left_out)

    def __str__(self) -> str:
        told = [f"{self.added:,} added"]
        copies = "copy" if self.copies == 1 else "copies"
        for count, name in (
            (self.moved, "moved"),
            (self.copies, copies),
            (self.retagged, "retagged"),
        ):
            if count:
                told.append(f"{count:,} {name}")
        told.append(f"{self.unchanged:,} unchanged")
        for name, hint in ("offline", ""), ("pruned", ""), ("failed", " (muscall errors)"):
            if count := getattr(self, name):
                told.append(f"{count:,} {name}{hint}")
        if self.left_out:
            first = ", ".join(map(one_line, sorted(set(self.left_out))[:_NAMED]))
            more = ", ..." if len(set(self.left_out)) > _NAMED else ""
            told.append(f"{len(self.left_out):,} left out ({first}{more}: --include NAME)")
        return ", ".join(told)
