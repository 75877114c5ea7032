"""A teacher's vectors beside a manifest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from muscall.data.manifest import Row
from muscall.data.targets import read_targets
from muscall.errors import ManifestError


def rows(*names: str) -> list[Row]:
    return [Row(name, Path(name), ("music",)) for name in names]


def test_vectors_follow_the_rows_and_are_standardised(tmp_path: Path) -> None:
    file = tmp_path / "heard.npz"
    vectors = np.array([[1.0, 10.0], [3.0, 10.0], [9.0, 9.0]])
    np.savez(file, ids=["a", "b", "other"], vectors=vectors)
    found = read_targets(file, rows("b", "unheard", "a"))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[[0, 2]], [[1, 0], [-1, 0]], atol=1e-5)
    assert np.isnan(found[1]).all()


def test_what_is_no_table_of_vectors_is_named(tmp_path: Path) -> None:
    missing, broken = tmp_path / "missing.npz", tmp_path / "broken.npz"
    broken.write_bytes(b"PK no archive")
    other, ragged = tmp_path / "other.npz", tmp_path / "ragged.npz"
    np.savez(other, names=["a"])
    np.savez(ragged, ids=["a"], vectors=np.zeros((2, 3)))
    strangers = tmp_path / "strangers.npz"
    np.savez(strangers, ids=["z"], vectors=np.zeros((1, 3)))
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, ids=np.array(["a"], object), vectors=np.zeros((1, 3)))
    for path in (missing, broken, other, ragged, strangers, pickled):
        with pytest.raises(ManifestError, match=path.name):
            read_targets(path, rows("a"))
