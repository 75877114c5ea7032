"""Compares the teacher with the original musicnn, on real audio.

    PYTHONPATH=recipes/open-corpus python -m teacher.verify cut CLIPS.wav FILES_OR_FOLDERS...
    PYTHONPATH=MUSICNN python3.9 recipes/open-corpus/teacher/verify.py original CLIPS.wav
    PYTHONPATH=recipes/open-corpus python -m teacher.verify compare CLIPS.wav

`cut` puts the central 12 s of each file, four patches, one after the other, as 16 kHz WAV: both
hear the same samples. `original` runs the package, unpacked in MUSICNN, in an environment of its
time: Python 3.9 with tensorflow-cpu 2.10.1, librosa 0.8.1, numpy 1.23.5, protobuf < 3.20.
`compare` prints the differences, and the speed of both where both ran on the same machine.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

NETWORKS = ("mtt", "msd")
PATCHES = 4
SAMPLES = PATCHES * 187 * 256  # of a clip


def cut(clips: Path, inputs: list[str]) -> None:
    """The centre of each file that is long enough, all in one."""
    import soundfile

    from muscall.audio import decode
    from muscall.audio.files import find_audio
    from muscall.audio.windows import centre_start

    clips.parent.mkdir(parents=True, exist_ok=True)
    seconds = SAMPLES / 16000
    with soundfile.SoundFile(clips, "w", 16000, 1, subtype="FLOAT") as file:
        for path in find_audio(inputs):
            length = decode.probe(path).duration
            if length > seconds + 1:
                start = centre_start(length, seconds)
                file.write(decode.read(path, start=start, duration=seconds))


def original(clips: Path) -> None:
    """What the package gives, and its seconds, beside `clips` as npz."""
    sys.path.pop(0)  # this folder, whose musicnn is not the package
    from musicnn import models
    from musicnn.extractor import extractor

    # The package repeats the first patch's penultimate features for all later patches, so they are
    # taken where it looks for the pooled means, of which it gives each patch its own.
    define = models.define_model

    def with_penultimate(*args: object) -> list[object]:
        outputs = list(define(*args))
        outputs[6] = outputs[8]
        return outputs

    models.define_model = with_penultimate
    heard = {}
    start = time.perf_counter(), time.process_time()
    for network in NETWORKS:
        taggram, _, layers = extractor(str(clips), model=f"{network.upper()}_musicnn")
        heard[f"{network}/probabilities"] = taggram
        heard[f"{network}/features"] = layers["mean_pool"]
    seconds = time.perf_counter() - start[0], time.process_time() - start[1]
    np.savez(clips.with_suffix(".npz"), seconds=np.array(seconds), **heard)


def compare(clips: Path) -> None:
    """Print the largest differences over all patches of all clips, and the speeds."""
    from teacher.musicnn import pretrained
    from teacher.tagging import taggram

    theirs = np.load(clips.with_suffix(".npz"))
    for network in NETWORKS:
        pretrained(network)
    start = time.perf_counter(), time.process_time()
    heard = taggram(clips)
    ours = time.perf_counter() - start[0], time.process_time() - start[1]
    for kind, both in zip(("probabilities", "features"), heard, strict=True):
        for network, found in zip(NETWORKS, np.split(both, 2, axis=1), strict=True):
            expected = theirs[f"{network}/{kind}"]
            apart = np.abs(found - expected)
            means = np.abs((found - expected).reshape(-1, PATCHES, apart.shape[1]).mean(axis=1))
            print(
                f"{network} {kind}: {len(means)} clips, {len(apart)} patches; largest difference"
                f" {apart.max():.1e}, of a clip's mean {means.max():.1e}, mean {apart.mean():.1e};"
                f" largest value {np.abs(expected).max():.2f}"
            )
    for what, one, other in zip(("wall clock", "processor"), ours, theirs["seconds"], strict=True):
        print(f"{what}: original {other:.1f} s, here {one:.1f} s, {other / one:.2f} times")


if __name__ == "__main__":
    command, path, *files = sys.argv[1:]
    if command == "cut":
        cut(Path(path), files)
    else:
        {"original": original, "compare": compare}[command](Path(path))
