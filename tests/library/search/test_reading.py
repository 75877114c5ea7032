"""What a sentence is understood to ask for."""

import pytest

from muscall.library.search.reading import Reading, read_sentence, without_part

TRACKS = [
    ("Sinnerman", "Nina Simone", "Pastel Blues"),
    ("Rain", "Kenta Cho", "Noiz2sa"),
    ("Title", "Kenta Cho; Ann", "Gunroar"),
    ("Calm Piano", 'Simon "Si" O\'Neil', "Blue"),
    ("夜曲", "فيروز", "Blue"),
]
ROWS = [
    {
        "title": title, "artist": artist, "album": album, "albumartist": None,
        "composer": "J. S. Bach", "path": "/music/a/b/c.flac",
    }
    for title, artist, album in TRACKS
] + [{"title": None, "artist": None, "album": None, "albumartist": None, "composer": None,
      "path": "/music/Spy Movies/Volume One/c.flac"}]  # fmt: skip
PLAIN = {"calm", "songs", "the", "sea", "rain", "movie", "spy", "blue", "piano", "like"}


def read(sentence: str) -> Reading:
    return read_sentence(sentence, (), lambda _: ROWS, PLAIN.__contains__)


@pytest.mark.parametrize(
    ("sentence", "understood"),
    [
        ("calm piano for reading", ["sound: calm piano for reading", "title: Calm Piano"]),
        ("calm songs by Nina Simone", ["sound: calm songs", "artist: Nina Simone"]),
        ("songs by nina simone", ["artist: Nina Simone"]),
        ("by simone", ["artist: Nina Simone"]),
        ("by Nina Simonne, no drums", ["artist: Nina Simone", "without: drums"]),
        ("by Kenta Cho but not from Gunroar", ["artist: Kenta Cho", "without: Gunroar"]),
        ("by Ann", ["artist: Ann"]),
        ("calm, from Pastel Blues", ["sound: calm", "album: Pastel Blues"]),
        ("by bach", ["artist: J. S. Bach"]),
        ("music by فيروز", ["artist: فيروز"]),
        ("夜曲", ["sound: 夜曲", "title: 夜曲"]),
        ("something like Sinnerman", ["sound: something like Sinnerman", "like: Sinnerman"]),
        ("music similar to Nina Simone", ["like: Nina Simone"]),
        ("songs from Spy Movies", ["folder: Spy Movies"]),
        ("calm piano by the sea", ["sound: calm piano by the sea", "title: Calm Piano"]),
        ("piano from the 60s", ["sound: piano", "year: 1960 to 1969"]),
        ("songs from 1965", ["year: 1965"]),
        ("calm, no drums", ["sound: calm", "without: drums"]),
        ("music", ["sound: music"]),
        ("  ", []),
    ],
)
def test_a_sentence_is_understood(sentence: str, understood: list[str]) -> None:
    assert [str(part) for part in read(sentence).parts] == understood


def test_names_become_filters_that_hold_for_whoever_made_it() -> None:
    (part,) = read("by Kenta Cho").parts
    assert part.where == (
        '(artist = "Kenta Cho" or albumartist = "Kenta Cho" or composer = "Kenta Cho")'
    )
    assert "o'neil" not in read("by si o'neil").where[0]
    assert read("from Spy Movies").where == ['(path ~ "/Spy Movies/")']
    assert read("calm piano for reading").where == []  # what may be a name is a sound as well


@pytest.mark.parametrize(
    ("sentence", "kind", "rest"),
    [
        ("calm songs by Nina Simone", "artist", "calm songs"),
        ("calm, no drums", "without", "calm"),
        ("calm piano from the 60s, no drums", "year", "calm piano, no drums"),
        ("calm piano from the 60s, no drums", "without", "calm piano from the 60s"),
        ("songs from 1965", "year", "songs"),
    ],
)
def test_a_part_can_be_left_out(sentence: str, kind: str, rest: str) -> None:
    (part,) = (part for part in read(sentence).parts if part.kind == kind)
    assert without_part(sentence, part) == rest
