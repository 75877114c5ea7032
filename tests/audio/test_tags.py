"""Tags of real files in several formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, TIT2

from muscall.audio.tags import Tags, read_tags

FULL = Tags(
    "Nocturne", ("Ann", "Bob"), "Nights", ("Jazz", "Soul"), 1999, 128.5, ("Cid",), ("Dee",), 1987
)
ID3_FRAMES = {
    "TIT2": ["Nocturne"], "TPE1": ["Ann", "Bob"], "TALB": ["Nights"], "TCON": ["(8)", "Soul"],
    "TDRC": ["1999-05-01"], "TBPM": ["128,5"], "TPE2": ["Cid"], "TCOM": ["Dee"], "TDOR": ["1987"],
}  # fmt: skip
VORBIS = {
    "TITLE": "Nocturne", "ARTIST": ["Ann", "Bob"], "ALBUM": "Nights", "GENRE": ["Jazz", "Soul"],
    "YEAR": "1999", "TEMPO": "128.5 BPM", "ALBUM ARTIST": "Cid", "COMPOSER": "Dee",
    "ORIGINALYEAR": "1987",
}  # fmt: skip
APE = {**VORBIS, "Year": "1999"}
MP4 = {
    "\xa9nam": "Nocturne", "\xa9ART": ["Ann", "Bob"], "\xa9alb": "Nights", "\xa9gen": "Jazz/Soul",
    "\xa9day": "1999-05-01T07:00:00Z", "aART": "Cid", "\xa9wrt": "Dee",
    "----:com.apple.iTunes:BPM": b"128.5", "----:com.apple.iTunes:ORIGINALDATE": b"1987-02-01",
}  # fmt: skip
ASF = {
    "Title": "Nocturne", "Author": ["Ann", "Bob"], "WM/AlbumTitle": "Nights",
    "WM/Genre": ["Jazz", "Soul"], "WM/Year": "1999", "WM/BeatsPerMinute": "128.5",
    "WM/AlbumArtist": "Cid", "WM/Composer": "Dee", "WM/OriginalReleaseYear": "1987",
}  # fmt: skip
KINDS = {
    "mp3": ("libmp3lame", ID3_FRAMES), "wav": ("pcm_s16le", ID3_FRAMES),
    "aiff": ("pcm_s16be", ID3_FRAMES), "flac": (None, VORBIS), "ogg": (None, VORBIS),
    "opus": ("libopus", VORBIS), "wv": ("wavpack", APE), "m4a": ("aac", MP4),
    "wma": ("wmav2", ASF),
}  # fmt: skip
FORMATS = {"flac": None, "ogg": None, "opus": "libopus", "mp3": "libmp3lame", "m4a": "aac"}


def encode(path: Path, codec: str | None) -> None:
    if codec is None:
        soundfile.write(path, np.zeros(48000), 48000)
        return
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=48000, layout="mono", bit_rate=128_000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), "fltp", "mono")
        sound.sample_rate = 48000
        size = 2048 if codec == "wmav2" else stream.frame_size
        resampler = av.AudioResampler(stream.format, "mono", 48000, size or None)
        for frame in [*resampler.resample(sound), *resampler.resample(None)]:
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


@pytest.mark.parametrize(("suffix", "codec"), FORMATS.items())
def test_reads_what_is_written_in_every_format(
    tmp_path: Path, suffix: str, codec: str | None
) -> None:
    path = tmp_path / f"song.{suffix}"
    encode(path, codec)
    assert read_tags(path) == Tags()
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file["title"], file["artist"], file["album"] = "Nocturne", "Ann", "Nights"
    file["genre"], file["date"] = ["Jazz", "Soul"], "1999-05-01"
    file.save()
    assert read_tags(path) == Tags("Nocturne", ("Ann",), "Nights", ("Jazz", "Soul"), 1999)


@pytest.mark.parametrize("suffix", KINDS)
def test_every_field_and_all_values_of_every_kind_of_tags(tmp_path: Path, suffix: str) -> None:
    codec, tags = KINDS[suffix]
    path = tmp_path / f"song.{suffix}"
    encode(path, codec)
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    for name, value in tags.items():
        if tags is ID3_FRAMES:
            file.tags.add(getattr(mutagen.id3, name)(3, value))
        else:
            file.tags[name] = value
    file.save()
    assert read_tags(path) == FULL


@pytest.mark.parametrize("suffix", ["flac", "mp3", "m4a", "opus"])
def test_the_id_of_a_recording(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"song.{suffix}"
    encode(path, KINDS[suffix][0])
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file["musicbrainz_trackid"] = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
    file.save()
    assert read_tags(path) == Tags(recording="b1a9c0e9-d987-4042-ae91-78d6a3267d69")


@pytest.mark.parametrize(
    ("suffix", "name", "value", "stars"),
    [
        ("flac", "rating", "4", 4), ("flac", "RATING", "80", 4), ("ogg", "rating", "3.5", 3.5),
        ("flac", "FMPS_RATING", "0.7", 3.5), ("flac", "rating", "0", None),
        ("flac", "rating", "good", None), ("flac", "rating", "700", None),
        ("m4a", "----:com.apple.iTunes:RATING", b"100", 5), ("wv", "Rating", "2", 2),
        *(("mp3", "POPM", points, stars) for points, stars in
          ((0, None), (1, 1), (64, 2), (128, 3), (196, 4), (255, 5))),
    ],
)  # fmt: skip
def test_ratings_are_stars(
    tmp_path: Path, suffix: str, name: str, value: object, stars: float | None
) -> None:
    path = tmp_path / f"song.{suffix}"
    encode(path, KINDS[suffix][0])
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    if name == "POPM":
        file.tags.add(mutagen.id3.POPM("ann@example.org", value, 3))
    else:
        file.tags[name] = value
    file.save()
    assert read_tags(path).rating == stars


def test_what_mutagen_does_not_open(tmp_path: Path) -> None:
    """Matroska, RIFF INFO in an encoding of its own, APEv2 alone and beside ID3 in an MP3."""
    path = tmp_path / "song.mka"
    with av.open(str(path), "w") as out:
        out.metadata.update(TITLE="Nocturne", ARTIST="Ann;Bob", GENRE="Jazz", DATE_RELEASED="1999")
        stream = out.add_stream("flac", rate=48000, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), "s16", "mono")
        frame.sample_rate = 48000
        out.mux([*stream.encode(frame), *stream.encode(None)])
    assert read_tags(path) == Tags("Nocturne", ("Ann", "Bob"), genre=("Jazz",), year=1999)

    path = tmp_path / "info.wav"
    encode(path, "pcm_s16le")
    fields = {"INAM": "Héros", "IART": "Кино", "IGNR": "Rock", "ICRD": "05/01/1999"}
    chunks = b""
    for name, value in fields.items():
        data = value.encode("cp1251" if name == "IART" else "latin-1")
        data += bytes(2 - len(data) % 2)
        chunks += name.encode() + len(data).to_bytes(4, "little") + data
    chunks = b"LIST" + (len(chunks) + 4).to_bytes(4, "little") + b"INFO" + chunks
    content = path.read_bytes() + chunks
    path.write_bytes(content[:4] + (len(content) - 8).to_bytes(4, "little") + content[8:])
    assert read_tags(path) == Tags("Héros", ("Кино",), genre=("Rock",), year=1999)

    path = tmp_path / "ape.mp3"
    encode(path, "libmp3lame")
    ape = APEv2()
    ape.update({"Title": "Nocturne", "Artist": ["Ann", "Bob"], "Year": "1999"})
    ape.save(path)
    assert read_tags(path) == Tags("Nocturne", ("Ann", "Bob"), year=1999)
    id3 = ID3()
    id3.add(TIT2(3, ["Another"]))
    id3.save(path)
    assert read_tags(path) == Tags("Another", ("Ann", "Bob"), year=1999)


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        *(
            ("date", date, {"year": year})
            for date, year in {
                "05/01/1999": 1999, "01-05-1999": 1999, "c1999": 1999, "(1999)": 1999,
                "Sept 1999": 1999, "1999-00-00": 1999, "19990501": 1999, "1999.5.1": 1999,
                "1999年5月": 1999, "0000": None, "?": None, "12345678": None, "99": None,
            }.items()
        ),
        *(
            ("bpm", bpm, {"bpm": value})
            for bpm, value in {
                "128,5": 128.5, "128 BPM": 128, ("128", "128"): 128, "128.00": 128, "~ 90": 90,
                "0": None, "fast": None,
            }.items()
        ),
        *(
            ("genre", genre, {"genre": values})
            for genre, values in {
                ("Jazz", "Funk"): ("Jazz", "Funk"), "Jazz; Funk": ("Jazz", "Funk"),
                "Jazz/Funk": ("Jazz", "Funk"), "Jazz, Jazz": ("Jazz",), "(8)(5)": ("Jazz", "Funk"),
                "Folk, World, & Country": ("Folk", "World", "Country"), "R&B": ("R&B",), "; ": (),
                "Drum & Bass": ("Drum & Bass",),
            }.items()
        ),
        *(
            ("artist", artist, {"artist": values})
            for artist, values in {
                "Ann; Bob": ("Ann", "Bob"), "Ann (feat. Bob)": ("Ann", "Bob"), "AC/DC": ("AC/DC",),
                "Simon/Garfunkel": ("Simon", "Garfunkel"), "Ann ft. Bob": ("Ann", "Bob"),
                "Sunn O)))": ("Sunn O)))",), "Earth, Wind & Fire": ("Earth, Wind & Fire",),
                "Bjo\u0308rk": ("Björk",),
            }.items()
        ),
    ],
)  # fmt: skip
def test_however_it_is_written(
    tmp_path: Path, name: str, written: str | tuple[str, ...], expected: dict[str, Any]
) -> None:
    path = tmp_path / "song.flac"
    encode(path, None)
    file = mutagen.File(path)
    file[name] = [written] if isinstance(written, str) else list(written)
    file.save()
    assert read_tags(path) == Tags(**expected)


@pytest.mark.parametrize(
    ("text", "really"),
    [
        ("Сто часов", "cp1251"), ("КИНО", "cp1251"), ("周杰伦", "gbk"), ("青花瓷", "gbk"),
        ("さくら", "shift_jis"), ("宇多田ヒカル", "shift_jis"), ("Beyoncé", "utf-8"),
        ("Beyoncé", "latin-1"), ("Mötley Crüe", "latin-1"), ("Þórr", "latin-1"),
        ("été", "latin-1"), ("ÅÄÖ", "latin-1"), ("Ágætis byrjun", "latin-1"),
    ],
)  # fmt: skip
def test_what_says_latin_1_may_be_something_else(text: str, really: str, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    encode(path, "libmp3lame")
    id3 = ID3()
    id3.add(TIT2(0, [text.encode(really).decode("latin-1")]))
    id3.save(path)
    assert read_tags(path).title == text


def test_what_cannot_be_read_has_no_tags(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"ID3\x04\x00\x00\x00\x00\x7f\x7f broken")
    for path in (broken, tmp_path / "missing.flac", tmp_path):
        assert read_tags(path) == Tags()
