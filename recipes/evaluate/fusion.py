"""What the words of tags add to the sound, and what the sound adds to the words, in a library.

    PYTHONPATH=recipes/open-corpus python recipes/evaluate/fusion.py [--model MODEL]

The library: the real tracks of the development set, as files with the tags that a person's would
have (title, artist, and the game as album). It is asked for names alone, for sounds alone, and for
both in one sentence ("fast busy music by Jordan Trudgett"). Prints a Markdown table of the mean
average precision with sound alone, words alone, and both at several weights.
"""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from pathlib import Path

import mutagen
import numpy as np
from dev import rulers

from muscall import Library
from muscall.evaluation.ranking import average_precision
from muscall.library import finder
from muscall.library.finder import Request

OUT = Path("runs/fusion")
LEAST = 3  # tracks of one artist or game, for it to be asked for
SOUND_ALONE, WORDS_ALONE = 0.0, 1e6  # weights of the words
WEIGHTS = {"sound alone": SOUND_ALONE, "words alone": WORDS_ALONE}
WEIGHTS |= {f"both, words at {weight:g}": weight for weight in (1.0, 2.0, 3.0, 5.0, 10.0)}

Query = tuple[str, np.ndarray]


def tagged(dev: rulers.DevelopmentSet, folder: Path) -> list[Path]:
    """Copies of the tracks with tags; what is there stays."""
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for row in dev.tracks:
        source = dev.folder / row["audio"]
        copy = folder / f"{row['id']}{source.suffix}"
        copies.append(copy)
        if copy.exists():
            continue
        aside = copy.with_suffix(".part")
        shutil.copyfile(source, aside)
        file = mutagen.File(aside, easy=True)
        if file.tags is None:
            file.add_tags()
        for name, field in (("title", "title"), ("artist", "composer"), ("album", "game")):
            if row.get(field):
                _set(file, name, row[field])
        file.save()
        aside.rename(copy)
    return copies


def _set(file: mutagen.FileType, name: str, value: str) -> None:
    try:
        file[name] = value
    except TypeError:  # WAV has ID3 frames, which have no easy names
        frame = {"title": "TIT2", "artist": "TPE1", "album": "TALB"}[name]
        file.tags.add(getattr(mutagen.id3, frame)(encoding=3, text=[value]))


def names(dev: rulers.DevelopmentSet) -> list[Query]:
    """Titles, and artists and games with LEAST tracks."""
    found = []
    for field, least in (("title", 1), ("composer", LEAST), ("game", LEAST)):
        counts = Counter(row.get(field, "") for row in dev.tracks)
        for name in sorted(name for name, n in counts.items() if name and n >= least):
            found.append((name, np.array([row.get(field) == name for row in dev.tracks])))
    return found


def sounds(dev: rulers.DevelopmentSet) -> list[Query]:
    """What is measured of the sound."""
    rows = zip(dev.sentences, dev.files, dev.relevant, strict=True)
    return [(sentence, relevant) for sentence, file, relevant in rows if file == "measured"]


def both(dev: rulers.DevelopmentSet) -> list[Query]:
    """A sound of an artist or of a game, where some of its tracks have it and some have not."""
    found = []
    for name, own in names(dev):
        if own.sum() < LEAST:
            continue
        for sentence, relevant in sounds(dev):
            wanted = own & relevant
            if 0 < wanted.sum() < own.sum():
                found.append((f"{sentence} by {name}", wanted))
    return found


def precision(music: Library, tracks: list[Path], queries: list[Query]) -> float:
    """Mean average precision in percent; what is not found comes last."""
    places = {path.resolve(): place for place, path in enumerate(tracks)}
    searcher = finder.Finder(music.store, music.pipeline, music.model)
    precisions = []
    for text, relevant in queries:
        scores = np.full(len(tracks), -1.0)
        for hit in searcher.find(Request(text=text, n=len(tracks))):
            for track in (hit, *hit.versions):
                scores[places[track.path.resolve()]] = 1 / hit.rank
        precisions.append(average_precision(scores, relevant))
    return 100 * float(np.mean(precisions))


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Sound and words together, measured.")
    parser.add_argument("--model", default="default")
    options = parser.parse_args()
    dev = rulers.read(rulers.TRACKS, rulers.SENTENCES)
    tracks = tagged(dev, OUT / "music")
    music = Library(OUT / "library", options.model)
    music.index([OUT / "music"])
    kinds = {"names": names(dev), "sounds": sounds(dev), "sounds of names": both(dev)}
    print("| | " + " | ".join(f"{kind} ({len(found)})" for kind, found in kinds.items()) + " |")
    print("|---|" + "---:|" * len(kinds))
    for name, weight in WEIGHTS.items():
        finder.WORDS = weight
        cells = [f"{precision(music, tracks, found):.1f}" for found in kinds.values()]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
