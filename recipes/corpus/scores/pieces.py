"""The pieces of the music21 corpus that are used, and which of them are kin."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache as once
from pathlib import Path
from typing import Any

import yaml

from recipes.corpus.rows import slug

_DANCES = (
    "slip jig", "highland fling", "set dance", "country dance", "reel", "hornpipe", "strathspey",
    "jig", "clog", "waltz", "march", "quickstep", "minuet", "polka", "gavotte", "walkaround",
    "slide", "fling", "air", "lullaby", "lament", "planxty", "rant", "cotillion",
)  # fmt: skip
_SPELT = {"slipjig": "slip jig", "double jig": "jig", "quick step": "quickstep", "walk around":
          "walkaround", "hop jig": "slip jig", "fling": "highland fling", "minuetto": "minuet",
          "single jig": "jig", "lamentation": "lament", "cotillon": "cotillion"}  # fmt: skip
# O'Neill's book is ordered by form; its numbers name the form where the transcriber did not.
_ONEILLS = (
    (1, 625, "air"), (676, 1115, "jig"), (1116, 1175, "slip jig"), (1176, 1555, "reel"),
    (1556, 1732, "hornpipe"), (1801, 1850, "march"),
)  # fmt: skip
# The metres that a form can have; a piece that says otherwise is called a tune.
_METRES = {
    "jig": {"6/8"}, "slip jig": {"9/8"}, "waltz": {"3/4"}, "minuet": {"3/4", "3/8"},
    "reel": {"4/4", "2/2", "2/4"}, "hornpipe": {"4/4", "2/2", "2/4"}, "march": {"4/4", "2/2",
    "2/4", "6/8"}, "strathspey": {"4/4", "2/2"}, "polka": {"2/4"},
}  # fmt: skip
_DULL = {"", "untitled", "reel", "jig", "march", "minuet", "quickstep", "the", "air", "song",
         "gavotte", "hornpipe", "allegro", "slow", "waltz", "none", "unknown"}  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """One piece: `text` is its ABC, or None where `path` holds one piece in another notation."""

    id: str
    collection: str
    path: str
    text: str | None
    titles: tuple[str, ...]
    form: str | None
    mark: str | None
    group: str


@once
def collections() -> dict[str, dict[str, Any]]:
    """The collections, from `collections.yaml`."""
    table: dict[str, dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("collections.yaml").read_text()
    )
    return table


def pieces(corpus: Path) -> list[Piece]:
    """Every usable piece under music21's `corpus` folder, with kin in one group."""
    found: list[Piece] = []
    claimed: set[Path] = set()
    for name, entry in collections().items():
        paths = []
        for path in sorted(corpus.glob(entry["files"])):
            # The same piece may be there in two formats, or be of two collections.
            if path.with_suffix("") not in claimed:
                claimed.add(path.with_suffix(""))
                paths.append(path)
        if entry["kind"] == "tunes":
            tunes = [tune for path in paths for tune in _tunes(name, path)]
            # A collection much larger than the others gives pieces from all over it.
            most = min(len(tunes), entry.get("most", len(tunes)))
            found += [tunes[n * len(tunes) // most] for n in range(most)]
        else:
            found += [_work(name, entry, path, corpus) for path in paths]
    return _join_kin(found)


def _work(name: str, entry: dict[str, Any], path: Path, corpus: Path) -> Piece:
    group = f"scores/{slug(entry.get('by', name))}"
    text = path.read_text("utf-8", "replace") if path.suffix == ".abc" else None
    # Folders name a work and files its movements.
    own = slug(str(path.relative_to(corpus).with_suffix("")).partition("/")[2])
    return Piece(f"{name}-{own}", name, str(path), text, (), None, None, group)


def _tunes(name: str, path: Path) -> Iterator[Piece]:
    text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    for number, tune in enumerate(re.split(r"(?m)^(?=X:)", text)[1:]):
        fields: dict[str, list[str]] = defaultdict(list)
        for field, value in re.findall(r"(?m)^([A-Z]):(.*)$", tune):
            fields[field].append(value.strip(' "'))
        body = tune.partition("\nK:")[2].partition("\n")[2]
        # Several voices, or fewer than some eight bars, make no tune.
        if fields["V"] or not fields["K"] or len(re.findall(r"[A-Ga-g]", body)) < 30:
            continue
        titles = tuple(filter(None, map(_title, fields["T"])))
        yield Piece(
            id=f"{name}-{slug(path.stem)}-{number + 1:03d}",
            collection=name,
            path=str(path),
            text=tune,
            titles=titles[:1] if name.startswith("essen") else titles,
            form=_form(name, fields),
            mark=next((n.split('"')[0].strip(" .") for n in fields["N"] if _MARK.match(n)), None),
            group="",
        )


_MARK = re.compile(
    r"(?:Very )?(?:Slow|Moderate|Spirited|With spirit|Lively|Animated|Gaily|Tender|With feeling|"
    r"With expression|Plaintive|Playful|Gay|Cheerful|Quick|Bold|Joyful|Mournful)",
)


def _title(text: str) -> str:
    """A title as people write it: "The Bag of Meal", without the name of its dance."""
    text = re.sub(r"\s*\[.*?\]|\s*\(.*?\)|\\.|, S\. \d+$", "", text).strip(" .,\"'")
    text = re.split(r"\s+--?\s+|\s*/\s*", text)[0]
    text = re.sub(r"^(.*), (The|A|An)$", r"\2 \1", text, flags=re.IGNORECASE)
    if text.isupper():
        text = re.sub(r"\b(Of|The|And|To|In|A|For|With|On)\b", lambda m: m[0].lower(), text.title())
        text = (text[:1].upper() + text[1:]).replace("'S", "'s")
    # "Ditto", and what says how to play it, are no titles.
    readable = re.fullmatch(r"(?!A Do|Do\.|For |By )[A-Z][A-Za-z0-9' .,!&-]{2,45}", text)
    return text if readable and _same(text) not in _DULL else ""


def _form(name: str, fields: dict[str, list[str]]) -> str | None:
    stated = (fields["M"] or [""])[0]
    metre = {"C": "4/4", "C|": "2/2"}.get(stated, stated)
    said = " ".join(fields["R"] + fields["T"] if not name.startswith("essen") else []).lower()
    for spelt, plain in _SPELT.items():
        said = re.sub(rf"\b{spelt}\b", plain, said)
    form = next((dance for dance in _DANCES if re.search(rf"\b{dance}\b", said)), None)
    number = re.search(r"\d+", (fields["X"] or [""])[0])
    if form is None and name == "oneills" and number:
        form = next((f for low, high, f in _ONEILLS if low <= int(number[0]) <= high), None)
    return form if form is None or metre in _METRES.get(form, {metre}) else None


def _same(title: str) -> str:
    """What is left of a title once spelling, articles and numbers are taken away."""
    plain = re.sub(r"\b(the|a|an|no|number|version|setting|set|\d+\w*|first|second)\b", " ",
                   re.sub(r"[^\w ]", "", title.lower()))  # fmt: skip
    return re.sub(rf"\b({'|'.join(_DANCES)})$", "", " ".join(plain.split())).strip()


def _incipit(text: str) -> str:
    """The first sixteen steps of a tune, in degrees of the scale: the same in any key."""
    body = re.sub(r'(?m)^[A-Za-z]:.*$|%.*$|"[^"]*"|\{[^}]*\}|![^!]*!', "", text)
    places = [
        "CDEFGAB".index(letter.upper()) + 7 * letter.islower() + 7 * (up.count("'") - up.count(","))
        for letter, up in re.findall(r"([A-Ga-g])([',]*)", body)
    ]
    steps = [b - a for a, b in itertools.pairwise(places)]
    return ",".join(map(str, steps[:16]))


def _join_kin(found: list[Piece]) -> list[Piece]:
    """Tunes that share a title or a beginning get one group, also through others."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for piece in found:
        if not piece.group and piece.text is not None:
            names = {_same(title) for title in piece.titles} - _DULL
            for name in [*sorted(f"title {n}" for n in names), f"notes {_incipit(piece.text)}"]:
                parent[root(name)] = root(piece.id)
    return [p if p.group else replace(p, group=f"scores/{root(p.id)}") for p in found]
