"""What one processor core does in a second: the rates that docs/scaling.md calculates with.

    python benchmarks/rates.py FOLDER [--seconds 10] [--model NAME]

Reads music of FOLDER, a file of each sort after the other, and then lets the model listen. Counts
seconds of processor time, not of the clock, so that other work on the machine hardly matters.
Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch

import muscall
from muscall.audio import decode
from muscall.audio.files import find_audio
from muscall.audio.tags import read_tags
from muscall.audio.windows import stream_windows
from muscall.errors import AudioError
from muscall.library.audio_hash import audio_hash
from muscall.library.indexing.batch import Track, windows_table
from muscall.library.schema import windows_schema
from muscall.models.memory import keep_freed_memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=10, help="of processor time for each part")
    parser.add_argument("--model")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    model = muscall.load(arguments.model)
    audio = model.config.audio
    paths = find_audio([arguments.folder])
    random.Random(0).shuffle(paths)

    tracks, read, windows, sound, stopped = 0, 0, 0, 0.0, 0.0
    began = time.process_time()
    for path in paths:
        try:
            audio_hash(path)
            read_tags(path)
            blocks = decode.stream(path, sample_rate=audio.sample_rate)
            count = sum(1 for _ in stream_windows(blocks, audio.window_samples))
        except AudioError:
            continue
        tracks, read, windows = tracks + 1, read + path.stat().st_size, windows + count
        sound += count * audio.window_seconds
        if (stopped := time.process_time() - began) > arguments.seconds:
            break
    decoding = stopped

    embedder = model.audio_embedder()
    generator = np.random.default_rng(0)
    chunk = [
        0.1 * generator.standard_normal(audio.window_samples, np.float32)
        for _ in range(embedder.chunk)
    ]
    embedder(chunk)
    heard, began = 0, time.process_time()
    while (listening := time.process_time() - began) < arguments.seconds:
        embedder(chunk)
        heard += len(chunk)

    rows = [(0.0, audio.window_seconds, vector) for vector in embedder(chunk)] * 6
    held = windows_table([Track({"key": "0" * 40}, rows)], model.config.dim)
    assert held.schema == windows_schema(model.config.dim)
    for name, value in (
        (f"windows of {audio.window_seconds:g} s a track", windows / tracks),
        ("minutes of sound a track", sound / tracks / 60),
        ("MB a file", read / tracks / 1e6),
        ("decoding, times real time", sound / decoding),
        ("decoding, tracks/s", tracks / decoding),
        ("model, windows/s", heard / listening),
        ("model, tracks/s", heard / listening * tracks / windows),
        ("both, tracks/s", 1 / (decoding / tracks + listening / heard * windows / tracks)),
        ("bytes a window", held.nbytes / len(rows)),
    ):
        print(f"| {name} | {value:,.4g} |")


if __name__ == "__main__":
    main()
