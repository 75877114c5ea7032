"""Files that are written as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from muscall.writing import written_aside


def test_a_failure_while_writing_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("before")

    def interrupted() -> None:
        with written_aside(target) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
