"""Table 3: sentences whose track did not come first, to be listened to."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from muscall.audio.decode import read
from muscall.audio.mel_config import MelConfig
from muscall.audio.windows import centre_start
from muscall.data.manifest import Row, read_manifest
from muscall.evaluation.retrieval import right_items
from muscall.evaluation.score import Score, markdown, mean
from muscall.reproduce.pages import Claim
from muscall.reproduce.paper import T2A
from muscall.reproduce.results import StudyResults

SHOWN = 12
SECONDS = 10.0
"""Of a track's centre that one can listen to."""
_SMALL = """
a an and at by for from in is it no of on or the this to with without music piece song track tune
"""
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid #8886; padding: 1rem 0; display: grid; gap: 0 2rem;
          grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); }
h2, p.shared { grid-column: 1 / -1; margin: 0.3rem 0; font-size: 1.1rem; }
p.shared { font-size: 1rem; } mark { background: #cf3d2233; color: inherit; }
audio { width: 100%; }
"""


@dataclass(frozen=True)
class Failure:
    """A query, the row that came first instead of its own, its own row's rank, and the words
    that the captions of both have in common.
    """

    query: str
    first: Row
    right: Row
    rank: int
    shared: tuple[str, ...]


def words(caption: str) -> set[str]:
    """The words of a caption that say something."""
    return set(re.findall(r"[a-z0-9']+", caption.lower())) - set(_SMALL.split())


def failures(rows: Sequence[Row], similarity: np.ndarray, ranks: np.ndarray) -> list[Failure]:
    """Every query whose right row did not come first.

    Args:
        similarity: (n, n) of each row's first caption to each row's audio.
        ranks: (n,) of the right rows.
    """
    found = []
    alike, _ = right_items([row.captions[:1] for row in rows])
    for index in np.flatnonzero(ranks > 1).tolist():
        # A tie counts as a miss, so the first may otherwise be a right one.
        others = np.where(alike[index], -np.inf, similarity[index])
        right, first = rows[index], rows[int(others.argmax())]
        query = right.captions[0]
        shared = tuple(sorted(words(query) & words(first.captions[0])))
        found.append(Failure(query, first, right, int(ranks[index]), shared))
    return found


def page(results: StudyResults, stem: Path, claims: Sequence[Claim]) -> str:  # noqa: ARG001
    """What failures have in common, and some of them; in a folder of its own a page that plays
    these. It is not linked to: sound is not always free to be passed on with results.
    """
    (variant,) = results.variants
    scores = results.scores[variant.name][0]
    by_id = {row.id: row for row in read_manifest(results.held.test)}
    rows = [by_id[name] for name in scores["ids"]]
    audio, text = results.embeddings(variant.name)
    every = failures(rows, text @ audio.T, np.array(scores["ranks"][T2A]))
    if not every:
        return "Every sentence found its track first."
    generator = np.random.default_rng(0)
    some = generator.permutation(len(every))[:SHOWN]
    shown = [every[index] for index in np.sort(some)]
    heard = _write_page(shown, stem)
    anyone = [rows[index] for index in generator.integers(len(rows), size=len(every))]
    pairs = list(zip(every, anyone, strict=True))
    shares = {
        "what came first": [_share(f.query, f.first) for f in every],
        "a track drawn at random": [_share(f.query, row) for f, row in pairs],
    }
    column = "words of the query in its caption, %"
    common = {name: {column: mean(100 * np.array(values))} for name, values in shares.items()}
    lines = ["| query | what came first | its own rank | shared |", "|---|---|---:|---|"]
    lines += [
        f"| {_cell(f.query)} | {_cell(f.first.captions[0])} | {f.rank} | {', '.join(f.shared)} |"
        for f in shown
    ]
    return "\n\n".join(
        [
            f"{len(every):,} of {len(rows):,} sentences did not find their track first. "
            f"These {len(shown)} are drawn at random; `{stem.name}/{heard.name}`, which the "
            "command writes beside this page, plays them.",
            markdown({name: dict[str, Score](row) for name, row in common.items()}),
            "\n".join(lines),
            "The paper's examples: “An atmospheric and introspective orchestral track featuring "
            "strings, piano, and synth.” found “An inspirational and moody orchestral track "
            "featuring strings and choir.” first.",
        ]
    )


def _share(query: str, row: Row) -> float:
    asked = words(query)
    return len(asked & words(row.captions[0])) / max(1, len(asked))


def _write_page(shown: Sequence[Failure], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.ogg"):
        old.unlink()
    parts = []
    for number, failure in enumerate(shown, 1):
        for kind, row in (("first", failure.first), ("right", failure.right)):
            _write_clip(row, folder / f"{number:02}-{kind}.ogg")
        parts.append(_article(failure, f"{number:02}"))
    title = "Sentences whose track did not come first"
    text = (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n" + "\n".join(parts) + "\n</html>\n"
    )
    page = folder / "index.html"
    page.write_text(text, "utf-8")
    return page


def _article(failure: Failure, clip: str) -> str:
    shared = ", ".join(failure.shared) or "no word"
    sides = (
        ("Came first", failure.first, "first"),
        (f"The right one, at place {failure.rank}", failure.right, "right"),
    )
    columns = "".join(
        f"<div><p><strong>{told}</strong><br>{_marked(row.captions[0], failure.shared)}</p>"
        f'<audio controls preload="none" src="{html.escape(clip)}-{kind}.ogg"></audio></div>'
        for told, row, kind in sides
    )
    query = _marked(failure.query, failure.shared)
    return (
        f"<article><h2>“{query}”</h2>{columns}"
        f'<p class="shared">In common: {html.escape(shared)}</p></article>'
    )


def _marked(caption: str, shared: Sequence[str]) -> str:
    pieces = re.split(r"([A-Za-z0-9']+)", caption)
    return "".join(
        f"<mark>{html.escape(piece)}</mark>" if piece.lower() in shared else html.escape(piece)
        for piece in pieces
    )


def _write_clip(row: Row, path: Path) -> None:
    rate = MelConfig().sample_rate
    sound = read(row.audio, start=row.start, duration=row.duration, sample_rate=rate)
    first = round(centre_start(len(sound) / rate, SECONDS) * rate)
    clip = sound[first : first + round(SECONDS * rate)]
    soundfile.write(path, clip, rate, format="OGG", subtype="OPUS")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
