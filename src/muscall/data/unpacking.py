"""Decoding files to WAV, once, for sound that is read many times."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import soundfile

from muscall.audio.decode import read
from muscall.audio.inside import Sound
from muscall.audio.windows import Samples
from muscall.errors import AudioError
from muscall.processes import end_with_parent

Change = Callable[[str, Samples], Samples]
"""Stem of the target and its sound -> the changed sound. It has to be deterministic."""


def unpack(
    sources: Mapping[Path, Sound],
    *,
    sample_rate: int = 16000,
    change: Change | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[AudioError]:
    """Decode each file into 16-bit mono WAV, in a process for each core, unless the WAV is there.

    Args:
        sources: targets, in a folder that exists, to the files to decode.
        change: applied to each sound after decoding.
        progress: called with the number of files done and of all files.

    Returns:
        The error of each file that could not be decoded. Such a file has no target.
    """
    missing = [(source, target) for target, source in sources.items() if not target.exists()]
    failures: list[AudioError] = []
    if not missing:
        return failures
    decode = partial(_decode, sample_rate=sample_rate, change=change)
    with ProcessPoolExecutor(os.cpu_count(), initializer=end_with_parent) as pool:
        for done, failure in enumerate(pool.map(decode, missing, chunksize=16), 1):
            if failure is not None:
                failures.append(failure)
            if progress is not None:
                progress(done, len(missing))
    return failures


def _decode(
    job: tuple[Sound, Path], *, sample_rate: int, change: Change | None
) -> AudioError | None:
    source, target = job
    try:
        sound = read(source, sample_rate=sample_rate)
    except AudioError as error:
        return error
    if change is not None:
        sound = change(target.stem, sound)
    aside = target.with_suffix(f".{os.getpid()}")  # another process may decode the same file
    soundfile.write(aside, sound, sample_rate, format="WAV", subtype="PCM_16")
    aside.rename(target)
    return None
