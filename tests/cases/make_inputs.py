# ruff: noqa
# fmt: off
"""Makes the odd files that docs/cases.md tells of: .venv/bin/python make_inputs.py OUT

PyAV, soundfile and mutagen of the project's environment alone; a few seconds, about 25 MB.
"""
import base64, os, struct, sys, unicodedata
from pathlib import Path
import av, mutagen, numpy as np, soundfile
from mutagen.apev2 import APEv2, APEBinaryValue
from mutagen.id3 import APIC, ID3, TBPM, TCOM, TCON, TDOR, TDRC, TIT2, TPE1, TPE2

OUT = Path(sys.argv[1]); count = 0

def wave(seconds=4.0, rate=22050, hz=None):
    global count
    count += 1  # every file sounds its own way, so that none is a copy
    t = np.arange(int(seconds * rate)) / rate
    hz = hz or 200 + 37 * count
    return (0.3 * np.sin(2 * np.pi * hz * t) + 0.02 * np.random.default_rng(count).normal(size=len(t))).astype(np.float32)

def at(name):
    path = OUT / name; path.parent.mkdir(parents=True, exist_ok=True); return path

def sound(name, **kind):  # wav, aiff, flac, ogg by the suffix
    soundfile.write(at(name), wave(), 22050, **kind); return at(name)

def encode(name, codec, fmt, rate=44100, seconds=4, layout="stereo", frame=None, bit_rate=None, options=None, hz=None):
    with av.open(str(at(name)), "w", format=fmt, options=options or {}) as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        if bit_rate: stream.bit_rate = bit_rate
        x = wave(seconds, rate, hz); n = 1 if layout == "mono" else 2
        piece = av.AudioFrame.from_ndarray(np.stack([x] * n), format="fltp", layout=layout); piece.sample_rate = rate
        again = av.AudioResampler(stream.format or "fltp", layout, rate, frame or stream.frame_size or None)
        for ready in [*again.resample(piece), *again.resample(None)]:
            for packet in stream.encode(ready): out.mux(packet)
        for packet in stream.encode(None): out.mux(packet)
    return at(name)

def tagged(name, **tags):  # a FLAC with these Vorbis comments
    file = mutagen.File(sound(name)); file.update({k: v if isinstance(v, list) else [v] for k, v in tags.items()}); file.save(); return at(name)

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

# 1 tags in formats that mutagen's easy mode does not know
for name in ("tags/id3.wav", "tags/id3.aiff"):
    file = mutagen.File(sound(name)); file.add_tags() if file.tags is None else None
    for one in (TIT2(3, ["Wave Title"]), TPE1(3, ["Wave Artist"]), TCON(3, ["Jazz"]), TDRC(3, ["1999"]), TBPM(3, ["120"])): file.tags.add(one)
    file.save()
file = mutagen.File(encode("tags/asf.wma", "wmav2", "asf", frame=2048, bit_rate=128000)); file.add_tags() if file.tags is None else None
file.tags.update({"Title": ["Wma Title"], "Author": ["Wma Artist"], "WM/AlbumTitle": ["Wma Album"], "WM/Genre": ["Jazz"], "WM/Year": ["1999"]}); file.save()
file = mutagen.File(encode("tags/ape.wv", "wavpack", "wv")); file.add_tags() if file.tags is None else None
file.tags.update({"Title": "Wv Title", "Artist": "Wv Artist", "Year": "1999"}); file.tags["Cover Art (Front)"] = APEBinaryValue(b"cover.png\0" + PNG); file.save()
ape = APEv2(); ape.update({"Title": "Ape Title", "Artist": "Ape Artist", "Year": "1999"}); ape.save(str(encode("tags/ape-only.mp3", "libmp3lame", "mp3", options={"id3v2_version": "0"})))
tagged("tags/year.flac", title="Year Title", year="1999", tempo="120")
# 2 dates, tempi, genres
for i, date in enumerate(("05/01/1999", "01-05-1999", "c1999", "(1999)", "Sept 1999", "1999-00-00", "1999")): tagged(f"dates/d{i}.flac", title=f"date {i}", date=date)
for i, bpm in enumerate(("128,5", "128 BPM", ["128", "128"], "128.00")): tagged(f"bpm/b{i}.flac", title=f"tempo {i}", bpm=bpm)
tagged("genres/list.flac", title="list", genre=["Jazz", "Funk"]); tagged("genres/semicolon.flac", title="semicolon", genre="Jazz; Funk")
tagged("genres/slash.flac", title="slash", genre="Jazz/Funk"); tagged("genres/one.flac", title="one", genre="Jazz"); tagged("genres/none.flac", title="other", genre="Polka")
# 3 words
nfd = lambda text: unicodedata.normalize("NFD", text)
for i, (title, artist) in enumerate((("Joga", nfd("Björk")), ("Halo", "Beyoncé"), 
        ("Drums of Love", "Percussion Club"), ("Calm Piano", "Ann"), ("Thunderstruck", "AC/DC"), ("Straße", "Kraft"))): tagged(f"words/w{i:02}.flac", title=title, artist=artist)
sound("words/" + nfd("Motörhead – Überkill") + ".flac")
sound("untagged/Nina Simone/Pastel Blues (1965)/01 Sinnerman.flac")
tagged("classical/suite.flac", title="Suite No. 1 in G: Prelude", artist="Yo-Yo Ma", albumartist="Various Composers", composer="Johann Sebastian Bach")
path = encode("mojibake/cp1251.mp3", "libmp3lame", "mp3", options={"id3v2_version": "0"}); tags = ID3()
for one in (TIT2(0, ["Сто часов".encode("cp1251").decode("latin-1")]), TPE1(0, ["Юрий Лоза".encode("cp1251").decode("latin-1")])): tags.add(one)
tags.save(path)
# 4 names and folders
for name in ("...And Justice for All/01 Blackened", ".5 The Gray Chapter/02 Sarcastrophe", "Britney/...Baby One More Time", "$RECYCLE.BIN/S-1-5-21/$RAB12CD", "#recycle/Old", "@Recycle/Old", "@Recently-Snapshot/GMT/Song",
        "System Volume Information/x", "lost+found/y", "Album/01 Kept"): sound(f"names/{name}.flac")
at("names/Album/._01 Kept.flac").write_bytes(b"\0\5\x16\7\0\2\0\0" + bytes(100)); at("names/@eaDir/01 Kept.flac/SYNOAUDIO_01APIC_03.jpg").write_bytes(PNG)
first = sound("links/real/song.flac"); (OUT / "links/linked.flac").symlink_to(first.resolve()); os.link(first, OUT / "links/hard.flac"); (OUT / "links-2").symlink_to((OUT / "links/real").resolve())
# 5 sound
def dsf(name, rate, seconds=1, channels=2, block=4096):
    t = np.arange(-(-rate * seconds // 8 // block) * block) * 8 / rate
    bits = np.random.default_rng(0).random((len(t), 8)) < (0.5 + 0.3 * np.sin(2 * np.pi * 440 * t))[:, None]
    data = np.packbits(bits, axis=1, bitorder="little")[:, 0].tobytes()
    data = b"".join(data[i : i + block] * channels for i in range(0, len(data), block))
    head = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 2, channels, rate, 1, rate * seconds, block, 0)
    body = b"data" + struct.pack("<Q", 12 + len(data)) + data
    at(name).write_bytes(b"DSD " + struct.pack("<QQQ", 28, 28 + len(head) + len(body), 0) + head + body)
dsf("sound/dsd64.dsf", 2_822_400); dsf("sound/dsd256.dsf", 11_289_600)
def dff(name, rate=2_822_400, seconds=1):  # DSDIFF, uncompressed
    chunk = lambda tag, data: tag + struct.pack(">Q", len(data)) + data + bytes(len(data) % 2)
    t = np.arange(rate * seconds // 8) * 8 / rate
    bits = np.random.default_rng(0).random((len(t), 8)) < (0.5 + 0.3 * np.sin(2 * np.pi * 440 * t))[:, None]
    data = np.repeat(np.packbits(bits, axis=1)[:, 0], 2).tobytes()
    prop = b"SND " + chunk(b"FS  ", struct.pack(">I", rate)) + chunk(b"CHNL", struct.pack(">H", 2) + b"SLFTSRGT") + chunk(b"CMPR", b"DSD \x0enot compressed")
    at(name).write_bytes(chunk(b"FRM8", b"DSD " + chunk(b"FVER", struct.pack(">I", 0x01050000)) + chunk(b"PROP", prop) + chunk(b"DSD ", data)))
dff("sound/dsd64.dff")
burst = encode("sound/burst.spdif", "ac3", "spdif", rate=48000, seconds=6, frame=1536, bit_rate=448000, hz=440).read_bytes()
soundfile.write(at("sound/ac3-as-pcm.wav"), np.frombuffer(burst[: len(burst) // 4 * 4], "<i2").reshape(-1, 2), 48000, subtype="PCM_16")
plain = {"id3v2_version": "0", "write_xing": "0"}
parts = [encode(f"sound/part{rate}.mp3", "libmp3lame", "mp3", rate=rate, seconds=10, layout="mono", options=plain).read_bytes() for rate in (44100, 22050)]
at("sound/rate-changes.mp3").write_bytes(parts[0] + parts[1])
def ogg(name, hz, seconds, rate): soundfile.write(at(name), wave(seconds, rate, hz), rate, format="OGG", subtype="VORBIS"); return at(name).read_bytes()
a, b, c = ogg("sound/a.ogg", 440, 5, 44100), ogg("sound/b.ogg", 880, 7, 44100), ogg("sound/c.ogg", 660, 4, 48000)
at("sound/chained.ogg").write_bytes(a + b); at("sound/chained-other-rate.ogg").write_bytes(a + c)
x = wave(8); soundfile.write(at("sound/out-of-phase.wav"), np.stack([x, -x], 1), 22050)
# 6 whole albums
soundfile.write(at("cue/album.flac"), np.concatenate([wave(20), wave(20)]), 22050)
at("cue/album.cue").write_text('PERFORMER "Ann"\nTITLE "Album"\nFILE "album.flac" WAVE\n  TRACK 01 AUDIO\n    TITLE "First Song"\n    INDEX 01 00:00:00\n  TRACK 02 AUDIO\n    TITLE "Second Song"\n    INDEX 01 00:20:00\n')
path = encode("id3v23/old.mp3", "libmp3lame", "mp3", options={"id3v2_version": "0"}); tags = ID3()
for one in (TIT2(1, ["Old"]), TPE1(1, ["Ann"]), TDRC(1, ["1999-05-01"])): tags.add(one)
tags.update_to_v23(); tags.save(path, v2_version=3)
# 7 manifests
for i in range(12): sound(f"rows/songs/{i}.wav")
rows = [(f"songs/{i}.wav", f"slow strings, number {i}") for i in range(12)]
put = lambda name, data: at("rows/" + name).write_bytes(data)
put("semicolon.csv", "".join(f"{a};{c}\r\n" for a, c in [("audio", "caption"), *rows]).encode())
put("utf16.csv", "".join(f'{a}\t"{c}"\r\n' for a, c in [("audio", "caption"), *rows]).encode("utf-16"))
put("capitals.csv", "".join(f'{a},"{c}"\r\n' for a, c in [("Audio", "Caption"), *rows]).encode())
put("space.csv", "".join(f'{a}, {c.replace(",", "")}\n' for a, c in [("audio", "caption"), *rows]).encode())
put("backslash.csv", "".join(f'{a},"{c}"\n' for a, c in [("audio", "caption"), *[(a.replace("/", chr(92)), c) for a, c in rows]]).encode())
put("quotes.tsv", 'audio\tcaption\nsongs/0.wav\t"Happy" tune with a 12" feel\n'.encode() + "".join(f"{a}\t{c}\n" for a, c in rows[1:]).encode())
import json
put("plain.jsonl", "".join(json.dumps({"audio": a, "caption": c}) + "\n" for a, c in rows).encode())
put("long.jsonl", "".join(json.dumps({"audio": a, "caption": "slow strings and a solo oboe over " * 40 + f"then drums {i}"}) + "\n" for i, (a, _) in enumerate(rows)).encode())
put("same.jsonl", "".join(json.dumps({"audio": a, "caption": "rock music" if i < 9 else c}) + "\n" for i, (a, c) in enumerate(rows)).encode())
put("passages.jsonl", "".join(json.dumps({"audio": f"songs/{i // 4}.wav", "start": i % 4, "duration": 1, "caption": f"passage {i}"}) + "\n" for i in range(48)).encode())
print(sum(path.is_file() for path in OUT.rglob("*")), "files in", OUT)
