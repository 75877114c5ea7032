"""The grooves of Debian's `mma` package: what they are called, how long, and in which metre."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from recipes.corpus.grooves.mma import Mma
from recipes.corpus.rows import ClipError

STYLES = Path(__file__).with_name("styles.yaml")

_PART_NAME = re.compile(r"Intro|Ending|End|Fill|Break|Metronome")
_PART_WORDS = re.compile(
    r"\b(intro|introdu?c?tion|ending|fill|fill-in|finis|break|transition|ends?)\b", re.IGNORECASE
)
# A file that sets only its beats inherits mma's 4/4; this is what it then means.
_INHERITED = {(3, "4/4"): "3/4", (6, "4/4"): "6/8"}
_ENDING_NAME = re.compile(r"End(ing)?[A-D]?$")
_DOC = re.compile(r"^\s*begin\s+doc\b(.*?)^\s*end\b", re.IGNORECASE | re.DOTALL | re.MULTILINE)
_AUTHOR = re.compile(r"^\s*author\s+(.+)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Family:
    """Style files that are near-copies of one style; `tempo` in notated beats a minute.

    Families of the same `kin` are variations of one another and share a split.
    """

    name: str
    kin: str
    words: tuple[str, ...]
    tempo: tuple[float, float]
    felt: int
    chords: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True)
class Groove:
    """One groove to render; `beats` are notated beats in a bar, `size` its length in bars."""

    style: str
    name: str
    family: str
    description: str
    doc: str
    author: str | None
    size: int
    beats: int
    metre: str
    drums_only: bool
    ending: str | None
    ending_size: int

    @property
    def key(self) -> str:
        return f"{self.style}:{self.name}"


def families(path: Path = STYLES) -> dict[str, Family]:
    """The table of style families, by name."""
    table = yaml.safe_load(path.read_text())
    return {
        name: Family(
            name=name,
            kin=entry.get("kin", name),
            words=tuple(entry["words"]),
            tempo=(float(entry["tempo"][0]), float(entry["tempo"][1])),
            felt=entry.get("felt", 1),
            chords=tuple(entry["chords"]),
            files=tuple(entry["files"]),
        )
        for name, entry in table.items()
    }


def is_part(name: str, description: str) -> bool:
    """Whether a groove is an introduction, fill or ending, which nobody plays for 20 seconds."""
    return bool(_PART_NAME.search(name) or _PART_WORDS.search(description))


def style_doc(text: str) -> str:
    """The author's description of a whole style file, as one line."""
    match = _DOC.search(text)
    return " ".join(match.group(1).split()) if match else ""


def style_author(text: str) -> str | None:
    """Who wrote a style file, where the file says so."""
    match = _AUTHOR.search(text)
    if not match or "YOUR NAME" in match.group(1):
        return None
    return " ".join(match.group(1).replace("&&", "&").split())


def _shared(a: str, b: str) -> int:
    count = 0
    for left, right in zip(a.lower(), b.lower(), strict=False):
        if left != right:
            break
        count += 1
    return count


def _described(mma: Mma, style: str) -> list[dict[str, Any]]:
    said = mma.run("-Djs", str(mma.library / f"{style}.mma"))
    # mma talks before the JSON, in lines that may themselves hold brackets.
    listed: list[dict[str, Any]] = json.loads(said[said.index("\n[") :])
    return listed


def _metres(mma: Mma, style: str, names: list[str]) -> dict[str, tuple[int, str]]:
    lines = [f"Groove {style}:{name}\nPrint @@ {name} $_Time $_TimeSig" for name in names]
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder, "probe.mma")
        song.write_text("\n".join(lines) + "\n")
        said = mma.run("-n", str(song))
    metres = {}
    for name, written, metre in re.findall(r"@@ (\S+) (\S+) (\S+)", said):
        beats = round(float(written))
        metres[name] = (beats, _INHERITED.get((beats, metre), metre))
    return metres


def _of_style(mma: Mma, style: str, family: str) -> Iterator[Groove]:
    listed = {g["groove"].lower(): g for g in _described(mma, style)}
    mains = [g for g in listed.values() if not is_part(g["groove"], g["description"])]
    # Some files only name parts; the longest of them still is the style playing.
    mains = mains or [g for g in listed.values() if int(g["size"]) >= 4]
    endings = [g for g in listed.values() if _ENDING_NAME.search(g["groove"])]
    text = (mma.library / f"{style}.mma").read_text("latin-1")
    metres = _metres(mma, style, [g["groove"] for g in mains])
    for entry in mains:
        name = entry["groove"]
        beats, metre = metres[name]
        close = max(endings, key=lambda g: _shared(g["groove"], name), default=None)
        yield Groove(
            style=style,
            name=name,
            family=family,
            description=" ".join(entry["description"].split()),
            doc=style_doc(text),
            author=style_author(text),
            size=int(entry["size"]),
            beats=beats,
            metre=metre,
            drums_only=all(t["track"].startswith("DRUM") for t in entry["tracks"]),
            ending=close["groove"] if close else None,
            ending_size=int(close["size"]) if close else 0,
        )


def discover(mma: Mma, table: dict[str, Family], cache: Path) -> list[Groove]:
    """Every usable groove of the listed style files, asked of mma once and kept in `cache`."""
    known = cache / f"grooves_{mma.version}.json"
    if known.exists():
        return [Groove(**entry) for entry in json.loads(known.read_text())]
    found: list[Groove] = []
    for family in table.values():
        for style in family.files:
            try:
                found.extend(_of_style(mma, style, family.name))
            except (ClipError, ValueError, KeyError, OSError) as error:
                print(f"style {style} skipped: {error}", file=sys.stderr, flush=True)
    aside = known.with_suffix(".part")
    aside.write_text(json.dumps([asdict(groove) for groove in found], indent=0))
    aside.rename(known)
    return found
