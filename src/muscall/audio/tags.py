"""What a sound file says about itself, the same whatever its container.

Mutagen reads ID3, Vorbis comments, MP4, ASF and APEv2 with every value they hold; FFmpeg reads what
is left: RIFF INFO, Matroska, CAF, ID3 before ADTS. One table says which names mean the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, POPM, TCON, UFID, TextFrame

from muscall.audio.decode import open_file
from muscall.audio.decoders import open_stream

# In lower case and letters alone; the first name that a file gives a value for wins.
_NAMES = {
    "title": ("title", "tit2", "nam"),
    "artist": ("artists", "wmartists", "artist", "tpe1", "art", "author", "performer"),
    "album": ("album", "talb", "alb", "wmalbumtitle"),
    "albumartist": ("albumartist", "tpe2", "aart", "wmalbumartist", "ensemble"),
    "composer": ("composer", "tcom", "wrt", "wmcomposer"),
    "genre": ("genre", "tcon", "gen", "wmgenre"),
    "year": (
        *("date", "tdrc", "day", "year", "wmyear", "tyer", "releasedate", "releaseyear", "tdrl"),
        *("datereleased", "recordingdate", "daterecorded", "creationdate"),
    ),
    "original_year": (
        *("originaldate", "originalyear", "tdor", "tory", "origyear", "originalreleasedate"),
        *("wmoriginalreleaseyear", "wmoriginalreleasetime"),
    ),
    "recording": ("musicbrainztrackid",),
    "bpm": ("bpm", "tbpm", "tmpo", "tempo", "wmbeatsperminute", "beatsperminute"),
    "rating": ("rating", "rate", "ratingwmp"),
    "share": ("fmpsrating",),
}
_FIELD_OF = {name: field for field, names in _NAMES.items() for name in names}
_MUSICBRAINZ = "http://musicbrainz.org"  # who gave an id, in ID3
_USUAL = frozenset({"title", "artist", "album", "genre", "year"})

_YEAR = re.compile(r"(?<!\d)([12]\d{3})(?!\d)|(?<!\d)([12]\d{3})[01]\d[0-3]\d(?!\d)")
_NUMBER = re.compile(r"\d{1,6}(?:[.,]\d{1,6})?")
# A stroke with a letter or two beside it is part of a name: AC/DC.
_ARTISTS = re.compile(
    r"\s*[;\0]\s*|\s+[/|]\s+|(?<=[^\s/]{3})/(?=[^\s/]{3})|\s+\(?(?:feat\.?|ft\.|featuring)\s+",
    re.IGNORECASE,
)
_GENRES = re.compile(r"\s*[;/|\\,\0]\s*(?:&\s+)?")
_CREDITS = re.compile(r"\s*[;\0]\s*")


@dataclass(frozen=True)
class Chapter:
    """A song that begins `start` seconds into a file."""

    start: float
    title: str
    """Behind its artist, where the sheet names one: "Ann - Second Song"."""


@dataclass(frozen=True)
class Tags:
    """Empty, or None, where the file says nothing."""

    title: str = ""
    artist: tuple[str, ...] = ()
    album: str = ""
    genre: tuple[str, ...] = ()
    year: int | None = None
    """Of this release; the first number of four digits in its date."""
    bpm: float | None = None
    albumartist: tuple[str, ...] = ()
    composer: tuple[str, ...] = ()
    original_year: int | None = None
    """Of the first release."""
    recording: str = ""
    """Its id in MusicBrainz."""
    chapters: tuple[Chapter, ...] = ()
    """The songs in it, of `chapters.read_chapters`."""
    rating: float | None = None
    """In stars, to 5; None where nobody gave any."""


def read_tags(path: str | Path) -> Tags:
    """The tags of a file, whatever their format; none if it has none or cannot be read.

    Values are in Unicode's NFC. Several values of a genre, an artist or a composer are several
    whether the file has several tags or one with `;` between them; for genres also `/`, `,` and
    `|`, for artists also `/` and "feat.". No value holds a semicolon, but titles and albums may.

    A file whose tags are damaged may still play, so nothing is raised: who decodes it will say
    what is wrong with it.

    Example:
        >>> read_tags("song.flac").genre  # doctest: +SKIP
        ('Jazz', 'Funk')
    """
    found: list[dict[str, list[str]]] = []
    for source in (_by_mutagen, _by_ape, _by_ffmpeg):
        try:
            found.append(source(Path(path)))
        # Beside its own errors mutagen lets through what it trips over in damaged files.
        except Exception:
            continue
        if {_FIELD_OF[name] for given in found for name in given} >= _USUAL:
            break

    def first(field: str, parse: Callable[[list[str]], Any]) -> Any:
        parsed = (parse(given[name]) for given in found for name in _NAMES[field] if name in given)
        return next(filter(None, parsed), None)

    return Tags(
        title=first("title", "; ".join) or "",
        artist=first("artist", _split_by(_ARTISTS)) or (),
        album=first("album", "; ".join) or "",
        genre=first("genre", _genres) or (),
        year=first("year", _year),
        bpm=first("bpm", _number),
        rating=first("share", _share) or first("rating", _stars),
        albumartist=first("albumartist", _split_by(_ARTISTS)) or (),
        composer=first("composer", _split_by(_CREDITS)) or (),
        original_year=first("original_year", _year),
        recording=first("recording", " ".join) or "",
    )


def _by_mutagen(path: Path) -> dict[str, list[str]]:
    file = mutagen.File(path)
    return {} if file is None or not file.tags else _known(_pairs(file.tags))


def _by_ape(path: Path) -> dict[str, list[str]]:
    """Beside ID3, or in place of it: mutagen opens an MP3 for its ID3 alone."""
    return _known(APEv2(path).items())


def _by_ffmpeg(path: Path) -> dict[str, list[str]]:
    with open_file(path) as file:
        container, stream = open_stream(file)
        with closing(container):
            pairs = [*container.metadata.items(), *stream.metadata.items()]
            return _known((name, _from_bytes(value)) for name, value in pairs)


def _from_bytes(text: str) -> str:
    """Text in which bytes that are no UTF-8 are lone surrogates, as RIFF INFO may have."""
    raw = text.encode("utf-8", "surrogateescape")
    return text if text.isprintable() else repaired(raw.decode("latin-1"))


def _pairs(tags: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(tags, ID3):
        yield from tags.items()
        return
    for frame in tags.values():
        if isinstance(frame, UFID) and frame.owner == _MUSICBRAINZ:
            yield "musicbrainztrackid", frame.data
        if isinstance(frame, POPM):  # 1, 64, 128, 196 and 255 are one star to five
            yield "rating", str(sum(frame.rating >= least for least in (1, 32, 96, 160, 224)))
        if isinstance(frame, TextFrame):
            texts = list(map(str, frame.text))
            latin = frame.encoding == 0
            name = getattr(frame, "desc", None) or frame.FrameID
            yield name, [repaired(text) for text in texts] if latin else texts


def _known(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[str]]:
    """Of tags as a library gives them, those that `_NAMES` has, each with its values as text."""
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        # In MP4, the names that others made up stand behind "----:com.apple.iTunes:".
        name = "".join(filter(str.isalnum, key.rsplit(":", 1)[-1])).lower()
        if name not in _FIELD_OF:
            continue
        several = value if isinstance(value, list | tuple) else [value]
        texts = [_text(part) for one in several for part in _parts(one)]
        if texts := list(dict.fromkeys(filter(None, texts))):
            found.setdefault(name, []).extend(texts)
    return found


def _parts(value: Any) -> Sequence[str]:
    if isinstance(value, bytes):
        return [value.decode("utf-8", "replace")]
    return str(value).split("\0")  # as APEv2 and some ID3 part the values of one tag


def _text(value: str) -> str:
    text = unicodedata.normalize("NFC", " ".join(value.split()))
    return text.encode("utf-8", "replace").decode()  # without lone surrogates


def _split_by(pattern: re.Pattern[str]) -> Callable[[list[str]], tuple[str, ...]]:
    def split(values: list[str]) -> tuple[str, ...]:
        parts: list[str] = []
        for value in values:
            first, *others = pattern.split(value)
            parts += [first, *(_unbracketed(other) for other in others)]
        return tuple(dict.fromkeys(filter(None, map(str.strip, parts))))

    return split


def _unbracketed(part: str) -> str:
    """Without the bracket that ends "(feat. ...)"."""
    return part[:-1] if part.endswith(")") and "(" not in part else part


def _genres(values: list[str]) -> tuple[str, ...]:
    # Everywhere, because numbers of ID3 have got into other containers.
    return _split_by(_GENRES)(TCON(encoding=3, text=values).genres)


def _year(values: list[str]) -> int | None:
    found = _YEAR.search(" ".join(values))
    return int(found[1] or found[2]) if found else None


def _number(values: list[str]) -> float | None:
    found = _NUMBER.search(" ".join(values))
    return (float(found[0].replace(",", ".")) or None) if found else None


def _stars(values: list[str]) -> float | None:
    """Of a number of stars, or of 100 points."""
    found = _number(values) or 0.0
    stars = found if found <= 5 else found / 20
    return stars if 0 < stars <= 5 else None


def _share(values: list[str]) -> float | None:
    """Stars of a share of all, 0..1."""
    share = _number(values) or 0.0
    return 5 * share if 0 < share <= 1 else None


def repaired(text: str) -> str:
    """`text` that is said to be Latin-1, in the encoding that it is likely in.

    Words of which most letters are beyond ASCII are no Western text. What does not become plain
    words in UTF-8, Cyrillic, Japanese or Chinese either stays as it is.
    """
    letters = sum(map(str.isalpha, filter(str.isascii, text)))
    high = sum(character > "\x7f" for character in text)
    for encoding, plain in _ENCODINGS.items():
        if high and (encoding == "utf-8" or high >= max(4, letters)):
            with suppress(UnicodeError):
                decoded = text.encode("latin-1").decode(encoding)
                if plain.fullmatch("".join(one for one in decoded if one > "\x7f")):
                    return decoded
    return text


# What text in them holds beyond ASCII; in Cyrillic no capitals follow small letters.
_ENCODINGS = {
    "utf-8": re.compile(r".+"),
    "cp1251": re.compile(r"(?!.*[а-яё]{2}[А-ЯЁ]{2})[А-Яа-яЁё«»№\u2013\u2014]+"),  # noqa: RUF001
    "shift_jis": re.compile(r"[\u3000-\u30ff\u4e00-\u9fff]*[\u3040-\u30ff][\u3000-\u9fff]*"),
    "gbk": re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+"),
}
