"""MagnaTagATune: 25,863 clips, tagged by the players of a game (Law et al., 2009)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from muscall.data.manifest import Row
from muscall.data.sets.finding import FoundClips, find_clips, find_file, read_table
from muscall.errors import MuscallError

TABLE = "annotations_final.csv"
DAMAGED = (
    "norine_braun-now_and_zen-08-gently-117-146",
    "jacob_heringman-josquin_des_prez_lute_settings-19-gintzler__pater_noster-204-233",
    "american_baroque-dances_and_suites_of_rameau_and_couperin-25-le_petit_rien_xiveme_ordre_"
    "couperin-88-117",
)
"""Empty files in every published copy."""
# fmt: off
SYNONYMS = (
    ("beat", "beats"),
    ("chant", "chanting"),
    ("choir", "choral"),
    ("classical", "clasical", "classic"),
    ("drum", "drums"),
    ("electro", "electronic", "electronica", "electric"),
    ("fast", "fast beat", "quick"),
    ("female", "female singer", "female singing", "female vocals", "female vocal", "female voice",
     "woman", "woman singing", "women"),
    ("flute", "flutes"),
    ("guitar", "guitars"),
    ("hard", "hard rock"),
    ("harpsichord", "harpsicord"),
    ("heavy", "heavy metal", "metal"),
    ("horn", "horns"),
    ("india", "indian"),
    ("jazz", "jazzy"),
    ("male", "male singer", "male vocal", "male vocals", "male voice", "man", "man singing", "men"),
    ("no beat", "no drums"),
    ("no singer", "no singing", "no vocal", "no vocals", "no voice", "no voices", "instrumental"),
    ("opera", "operatic"),
    ("orchestra", "orchestral"),
    ("quiet", "silence"),
    ("singer", "singing"),
    ("space", "spacey"),
    ("string", "strings"),
    ("strange", "weird"),
    ("synth", "synthesizer"),
    ("violin", "violins"),
    ("vocal", "vocals", "voice", "voices"),
)
# fmt: on
"""Tags that are commonly merged into the first of each line before the most frequent are taken."""


def magnatagatune(
    folder: Path,
    audio: Path | None = None,
    *,
    tags: int = 50,
    merge_synonyms: bool = False,
    only_tagged: bool = False,
) -> FoundClips:
    """29 s clips with those of the most frequent tags that apply, and the usual split.

    The split is by the folder of a clip, as songs do not cross folders: 0 to b train, c val, d to f
    test (18,709, 1,825 and 5,329 clips).

    Args:
        audio: where the sound is, in its 16 folders or any other way; `folder` by default.
        tags: how many, counted over the whole table.
        merge_synonyms: count `SYNONYMS` as one tag.
        only_tagged: without the clips to which none of the tags applies, as some report it.

    Raises:
        MuscallError: there is no table, no clip, or something else in the table.
    """
    names = {name: line[0] for line in SYNONYMS for name in line} if merge_synonyms else {}
    rows = []
    table = find_file(folder, TABLE)
    for cells in read_table(table, ["clip_id", "mp3_path"], delimiter="\t"):
        path = Path(cells.pop("mp3_path"))
        del cells["clip_id"]
        said = dict.fromkeys(names.get(name, name) for name, cell in cells.items() if cell == "1")
        try:
            split = _split(path)
        except ValueError:
            raise MuscallError(f"{table}: {path} is in none of the folders 0 to f") from None
        rows.append(Row(path.stem, path, split=split, labels=tuple(said)))
    counts = Counter(label for row in rows for label in row.labels or ())
    most = {label for label, _ in counts.most_common(tags)}
    rows = [replace(row, labels=tuple(filter(most.__contains__, row.labels or ()))) for row in rows]
    rows = [row for row in rows if row.labels or not only_tagged]
    return find_clips(
        "MagnaTagATune", rows, audio or folder, lambda path: path.stem, damaged=DAMAGED
    )


def _split(path: Path) -> str:
    number = int(path.parent.name, 16)
    return "train" if number < 12 else "val" if number == 12 else "test"
