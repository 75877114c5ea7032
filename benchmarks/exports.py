"""What an export to ONNX keeps of a model: the table in docs/models.md, on a manifest.

    python benchmarks/exports.py MANIFEST [--model NAME] [--split NAME]

Exports, embeds the central window and the captions of every row with torch in float32 and with
onnxruntime, and prints a Markdown table. Seconds are processor time, of one thread. Exit code 1
where float32 differs by more than 1e-4, or eight bits change R@10 by more than half a point, or,
of under 200 rows, by more than one of them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
import torch
from report import heading, table

import muscall
from muscall.data.manifest import read_manifest
from muscall.errors import AudioError
from muscall.evaluation.retrieval import evaluate_retrieval
from muscall.models.inference import Segment, Windows, encode_each
from muscall.models.muscall import MusCALL
from muscall.models.onnx import export

DIFFERENCE, POINTS = 1e-4, 0.5


class Exported:
    """The two graphs of an export, as far as an evaluation asks for a model."""

    chunk = 8

    def __init__(self, model: MusCALL, folder: Path, kind: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.files = [folder / f"{part}{kind}.onnx" for part in ("audio", "text")]
        self._audio, self._text = (
            onnxruntime.InferenceSession(file, options) for file in self.files
        )
        self._model = model

    def __call__(self, windows: Sequence[np.ndarray]) -> np.ndarray:
        """(n, samples) -> (n, dim)."""
        return np.asarray(self._audio.run(None, {"waveform": np.stack(windows)})[0])

    def encode_each(
        self, inputs: Sequence[Segment], *, windows: Windows
    ) -> Iterator[tuple[int, np.ndarray | AudioError]]:
        """As `MusCALL.encode_each`."""
        audio = self._model.config.audio
        return encode_each(
            self, [*inputs],
            length=audio.window_samples, sample_rate=audio.sample_rate, windows=windows,
        )  # fmt: skip

    def encode_text(self, sentences: Sequence[str]) -> np.ndarray:
        """As `MusCALL.encode_text`."""
        tokens = (self._model.text.tokenize([sentence]).numpy() for sentence in sentences)
        return np.concatenate([self._text.run(None, {"tokens": some})[0] for some in tokens])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest")
    parser.add_argument("--model")
    parser.add_argument("--split")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = read_manifest(given.manifest, split=given.split, check_files=False)
    model = muscall.load(given.model)
    model.precision = torch.float32
    weights = 4 * sum(weight.numel() for weight in model.state_dict().values())
    printed: list[list[object]] = []
    failed, allowed = False, max(POINTS, 101 / len(rows))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(model, folder / "exported", version="")
        of = {
            "torch, float32": model,
            "ONNX, float32": Exported(model, folder / "exported", ""),
            "ONNX, eight bits": Exported(model, folder / "exported", ".int8"),
        }
        expected = None
        for what, encoders in of.items():
            began = time.process_time()
            found = evaluate_retrieval(cast(MusCALL, encoders), rows)
            took = time.process_time() - began
            expected = expected or found
            off = [
                float(np.abs(ours - theirs).max())
                for ours, theirs in ((found.audio, expected.audio), (found.text, expected.text))
            ]
            recalls = [way["R@10"] for way in (found.text_to_audio, found.audio_to_text)]
            before = [way["R@10"] for way in (expected.text_to_audio, expected.audio_to_text)]
            lost = max(abs(ours - theirs) for ours, theirs in zip(recalls, before, strict=True))
            failed |= max(off) > DIFFERENCE if what == "ONNX, float32" else lost > allowed
            held = encoders.files if isinstance(encoders, Exported) else []
            size = sum(file.stat().st_size for file in held) or weights
            shown = [f"{one:.0e}" for one in off] if held else [None, None]
            points = [f"{one:.2f}" for one in recalls]
            printed.append([what, f"{size / 1e6:.0f} MB", *shown, *points, took])
    print(heading("onnxruntime", what=f"{expected.items if expected else 0} rows"), "\n")
    columns = ["bytes", "largest difference, sound", "sentences", "R@10, text to audio"]
    print(table([given.model or "default", *columns, "audio to text", "seconds, decoding too"],
                printed))  # fmt: skip
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
