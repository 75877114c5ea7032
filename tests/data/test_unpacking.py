"""Sound decoded once."""

import numpy as np
import soundfile

from muscall.data.unpacking import unpack


def _halved(name, sound):
    return sound / 2 if name == "quiet" else sound


def test_sound_is_decoded_once_and_bad_files_are_told(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, 16000)
    soundfile.write(tmp_path / "one.flac", noise, 16000)
    (tmp_path / "bad.ogg").write_bytes(b"no sound")
    out = tmp_path / "out"
    out.mkdir()
    sources = {
        out / "loud.wav": tmp_path / "one.flac",
        out / "quiet.wav": tmp_path / "one.flac",
        out / "bad.wav": tmp_path / "bad.ogg",
    }
    told = []
    (failure,) = unpack(sources, change=_halved, progress=lambda *done: told.append(done))
    assert failure.path == tmp_path / "bad.ogg"
    assert told[-1] == (3, 3)
    assert sorted(path.name for path in out.iterdir()) == ["loud.wav", "quiet.wav"]
    for name, factor in (("loud", 1), ("quiet", 0.5)):
        sound, rate = soundfile.read(out / f"{name}.wav")
        assert rate == 16000
        np.testing.assert_allclose(sound, factor * noise, atol=1e-4)
    written = (out / "loud.wav").stat().st_mtime_ns
    assert len(unpack(sources)) == 1
    assert (out / "loud.wav").stat().st_mtime_ns == written
