"""Names are compared in one way, whoever writes them however."""

from __future__ import annotations

import unicodedata

import lancedb
import pyarrow as pa
import pytest

from muscall.library.names import folded, sql_folded, without_common, words_of

# ruff: noqa: RUF001
NAMES = [
    *(
        "Beyoncé",
        "BJÖRK",
        "Straße",
        "Sigur Rós",
        "Motörhead – Überkill",
        "ÆTHER",
        "Łódź",
        "Ａｂｃ１",
    ),
    *("Юрий Лоза", "فيروز", "夜曲", "ガラスの部屋", "Ἀθήνα", 'don\'t \\ %_ "quoted"', "ħøđ þorn"),
]


@pytest.mark.parametrize(
    ("written", "plain"),
    [("Beyoncé", "beyonce"), ("Straße", "strasse"), ("ÆTHER", "aether"), ("Łódź", "lodz"),
     ("Ａｂｃ１", "abc1"), ("Sigur Rós", "sigur ros"), ("Ἀθήνα", "αθηνα")],
)  # fmt: skip
def test_case_and_accents_make_no_difference(written: str, plain: str) -> None:
    assert folded(written) == plain
    assert folded(unicodedata.normalize("NFD", written)) == plain
    assert folded(plain.upper()) == plain


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_store_folds_as_we_do(form: str) -> None:
    texts = [unicodedata.normalize(form, name) for name in NAMES]
    table = lancedb.connect("memory://").create_table("names", pa.table({"name": texts}))
    for n, text in enumerate(texts):
        quoted = folded(text).replace("'", "''")
        found = table.search().where(f"{sql_folded('name')} = '{quoted}'").to_list()
        assert [row["name"] for row in found] == [texts[n]]


def test_what_is_written_without_spaces_is_found_by_its_parts() -> None:
    title = words_of(["月の光の夜曲 op. 9"])
    assert set(words_of(["夜曲"])) < set(title)
    assert {"op", "9"} < set(title)
    assert not set(words_of(["曲夜"])) & set(title)
    assert words_of(["夜"]) == ["夜"]


def test_a_name_of_a_file_is_told_apart_at_underscores() -> None:
    assert words_of(["battle_over-the_Junk City"]) == ["battle", "over", "the", "junk", "city"]


def test_words_of_every_sentence_are_names_only_by_themselves() -> None:
    def names(sentence: str) -> str:
        return " ".join(without_common(words_of([sentence])))

    assert names("music like a spy movie") == "spy movie"
    assert names("songs by The The") == "songs by the the"
    assert names("something by Drascula") == "drascula"
