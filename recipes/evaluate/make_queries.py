"""Write the requests that the search is measured on, with what answers each: queries.jsonl.

    python -m recipes.evaluate.make_queries [--dev corpora/dev] [--music corpora/queries/music]

They are drawn (seed 0) from what is known of the 328 tracks of `recipes/corpus/dev/`: the tags of
their files and its sentences. A line has

- `kind` and `half`: of each kind one half is to choose by, and one to look at once, at the end;
- `query`, as a listener types it;
- `relevant`: the tracks that answer it, or `where`: columns with the least and most that they may
  have, for `exact` sets of tracks;
- `unwanted`: the tracks that it does not want.
"""

from __future__ import annotations

import argparse
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from muscall.audio.tags import read_tags
from recipes.evaluate.collection import collect, names_in_scripts

QUERIES = Path(__file__).with_name("queries.jsonl")
LEAST = 5  # letters of a name that a slip is made in, or that a part of it has
_DEV = Path(__file__).parent.parent / "corpus/dev"

Line = dict[str, Any]


def words(text: str) -> list[str]:
    """The words of a name, folded; not by the code that is measured with them."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return "".join(letter if letter.isalnum() else " " for letter in plain).split()


def with_a_slip(name: str, draw: np.random.Generator) -> str:
    """`name` with one letter left out, doubled or exchanged for its neighbour."""
    at = int(draw.integers(1, len(name) - 1))
    before, letter, after = name[:at], name[at], name[at + 1 :]
    return [before + after, before + 2 * letter + after, before + after[:1] + letter + after[1:]][
        int(draw.integers(3))
    ]


class Collection:
    """What is known of each track by its id: names, all words of them, and numbers."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.names: dict[str, dict[str, set[str]]] = {
            kind: defaultdict(set) for kind in ("artist", "album", "title")
        }
        self.words: dict[str, set[str]] = {}
        for path in paths:
            tags = read_tags(path)
            own = {"artist": [*tags.artist], "album": [tags.album], "title": [tags.title]}
            for kind, found in own.items():
                for name in filter(None, found):
                    self.names[kind][name].add(path.stem)
            said = [*own["artist"], tags.album, tags.title, *path.parts[-2:-1], path.stem]
            said += [*tags.albumartist, *tags.composer]
            self.words[path.stem] = {word for name in said for word in words(name or "")}

    def called(self, name: str) -> list[str]:
        """The tracks that have all words of a name."""
        its = set(words(name))
        return sorted(track for track, said in self.words.items() if its and its <= said)


def name_queries(known: Collection, draw: np.random.Generator) -> Iterator[Line]:
    """Names as they are, with a slip, in part, and as unwanted."""
    common = defaultdict(set)
    for track, said in known.words.items():
        for word in said:
            common[word].add(track)
    for kind, groups in known.names.items():
        names = sorted(name for name in groups if words(name))
        chosen = sorted(draw.permutation(names)[:60].tolist())
        for name in chosen:
            yield {"kind": f"{kind}, exact", "query": name, "relevant": known.called(name)}
            if len(name) >= LEAST:
                slip = with_a_slip(name, draw)
                yield {"kind": f"{kind}, misspelt", "query": slip, "relevant": known.called(name)}
            parts = [word for word in words(name) if len(word) >= LEAST]
            if len(words(name)) > 1 and parts:
                part = min(parts, key=lambda word: (len(common[word]), word))
                yield {"kind": f"{kind}, a word", "query": part, "relevant": known.called(part)}
        for name in chosen[:20]:
            unwanted = known.called(name)
            yield {"kind": "name, unwanted", "query": f"music, no {name}", "unwanted": unwanted}


def condition_queries(draw: np.random.Generator) -> Iterator[Line]:
    """Years, lengths and tempi, alone and beside a sound."""
    sounds = ["", "calm", "dark", "happy music", "orchestral", "electronic", "songs", "piano"]

    def asked(template: str, **where: tuple[float | None, float | None]) -> Line:
        sound = str(draw.choice(sounds))
        return {
            "kind": f"{next(iter(where))}, exactly",
            "query": f"{sound} {template}".strip(),
            "where": where,
        }

    for year in (2004, 2008, 2010, 2012, 2016):
        yield asked(f"from {year}", year=(year, year))
        yield asked(f"before {year}", year=(None, year - 1))
        yield asked(f"since {year}", year=(year, None))
    yield asked("from the 2000s", year=(2000, 2009))
    yield asked("between 2005 and 2010", year=(2005, 2010))
    yield asked("from the late 2000s", year=(2007, 2009))
    for minutes, spoken in ((1, "one minute"), (2, "2 minutes"), (3, "three min"), (5, "5:00")):
        yield asked(f"under {spoken}", duration=(None, 60 * minutes - 1e-4))
        yield asked(f"longer than {spoken}", duration=(60 * minutes + 1e-4, None))
        yield asked(f"at most {spoken}", duration=(None, 60 * minutes))
    yield asked("between 2 and 3 minutes", duration=(120, 180))
    yield asked("from 30 seconds to one minute", duration=(30, 60))
    yield asked("2-4 minutes long", duration=(120, 240))
    for tempo in (80, 100, 120, 128, 140, 174):
        yield asked(f"{tempo} bpm", bpm=(0.96 * tempo, 1.04 * tempo))
        yield asked(f"faster than {tempo} bpm", bpm=(tempo + 1e-4, None))
        yield asked(f"under {tempo} bpm", bpm=(None, tempo - 1e-4))
    yield asked("between 90 and 110 bpm", bpm=(90, 110))
    yield asked("80-100 bpm", bpm=(80, 100))
    yield asked("120 bpm under 3 minutes", bpm=(115.2, 124.8), duration=(None, 180 - 1e-4))
    yield asked("from 2016, over 2 minutes", year=(2016, 2016), duration=(120 + 1e-4, None))


def sound_queries(known: Collection) -> Iterator[Line]:
    """The sentences of the development set: alone, unwanted, and by who wrote what answers them."""
    tracks = yaml.safe_load((_DEV / "tracks.yaml").read_text())["packages"].values()
    part_of = {track: entry["part"] for entry in tracks for track in entry["tracks"]}
    for entry in yaml.safe_load((_DEV / "metadata.yaml").read_text()):
        sentence, relevant = entry["sentence"], sorted(entry["relevant"])
        half = entry["part"]
        among = sorted(track for track, part in part_of.items() if part == half)
        yield {
            "kind": "sound alone", "half": half, "query": sentence, "relevant": relevant,
            "among": among,
        }  # fmt: skip
        if entry["kind"] in ("genre", "instrument", "voice") and len(sentence.split()) <= 4:
            yield {
                "kind": "sound, unwanted", "half": half, "query": f"music, no {sentence}",
                "beside": sentence, "unwanted": relevant, "among": among,
            }  # fmt: skip
        for artist, own in sorted(known.names["artist"].items()):
            both = sorted(own.intersection(relevant))
            if both and len(both) < len(own):
                yield {
                    "kind": "sound and name", "half": half, "query": f"{sentence} by {artist}",
                    "relevant": both, "among": sorted(own),
                }  # fmt: skip
                break


def script_queries() -> Iterator[Line]:
    """Names in other scripts, as they are written and in Latin letters."""
    for track, (artist, typed) in names_in_scripts().items():
        yield {"kind": "other script, exact", "query": artist, "relevant": [track]}
        for name in typed:
            yield {"kind": "other script, in Latin", "query": name, "relevant": [track]}


def halved(lines: Iterable[Line], draw: np.random.Generator) -> list[Line]:
    """Lines with their `half`, by chance for each kind where they have none."""
    by_kind: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_kind[line["kind"]].append(line)
    for own in by_kind.values():
        for place, index in enumerate(draw.permutation(len(own)).tolist()):
            own[index].setdefault("half", "choosing" if place % 2 else "final")
    return [line for own in by_kind.values() for line in own]


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description="Write the requests that search is measured on.")
    parser.add_argument("--dev", type=Path, default=Path("corpora/dev"))
    parser.add_argument("--music", type=Path, default=Path("corpora/queries/music"))
    options = parser.parse_args()
    paths = [path for path in collect(options.dev, options.music) if path.parent.name != "Names"]
    known, draw = Collection(paths), np.random.default_rng(0)
    lines = halved(
        chain(
            name_queries(known, draw), condition_queries(draw), sound_queries(known),
            script_queries(),
        ),
        draw,
    )  # fmt: skip
    QUERIES.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    print(f"{len(lines)} requests in {QUERIES.name}")


if __name__ == "__main__":
    main()
