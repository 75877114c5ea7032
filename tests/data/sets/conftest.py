"""Stand-ins: a little sound under the names that the real sets give it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write files below a folder: sound, or the given text; gives the folder."""
    samples = 0.1 * np.sin(np.arange(2000) / 5)

    def put(*names: str, text: str | bytes | None = None) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                soundfile.write(path, samples, 16000, format=path.suffix[1:].lower())
            else:
                path.write_bytes(text.encode() if isinstance(text, str) else text)
        return tmp_path

    return put
