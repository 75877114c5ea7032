import errno
from pathlib import Path

import pytest

from muscall.errors import CheckpointError
from muscall.training.journal import METRICS, Journal, read_metrics


def test_records_of_steps_that_are_repeated_go(tmp_path):
    journal = Journal(tmp_path, 0, 9)
    for step in range(3):
        journal.record(step, {"loss": 1.0}, kind="train")
    journal.close()
    Journal(tmp_path, 2, 9).close()
    assert [record["step"] for record in read_metrics(tmp_path / METRICS)] == [0, 1]


def test_a_full_disk_loses_no_records(tmp_path, monkeypatch):
    journal = Journal(tmp_path, 0, 9)
    journal.record(0, {"loss": 1.0}, kind="train")
    journal.close()
    write = Path.write_text

    def full(path, text, *encoding):
        write(path, text[:10], *encoding)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        Journal(tmp_path, 1, 9)
    assert [record["step"] for record in read_metrics(tmp_path / METRICS)] == [0]
