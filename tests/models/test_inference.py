import copy
import doctest
import sys

import numpy as np
import pytest
import soundfile
import torch

from muscall.errors import AudioError
from muscall.models.inference import Segment, track_windows
from muscall.models.muscall import MusCALL

RATE = 16000
PRECISIONS = [torch.float32, torch.bfloat16]


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """Files of 0.3 to 11 seconds; windows of the tiny model are 2 s."""
    folder = tmp_path_factory.mktemp("tracks")
    generator = np.random.default_rng(1)
    paths = []
    for number, seconds in enumerate([3, 0.3, 11, 2, 7.9, 5]):
        time = np.arange(round(seconds * RATE)) / RATE
        tone = 0.3 * np.sin(2 * np.pi * 220 * (number + 1) * time * (1 + 0.02 * time))
        paths.append(folder / f"{number}.flac")
        soundfile.write(paths[-1], tone + 0.05 * generator.normal(size=len(time)), RATE)
    return paths


def test_embeddings_have_unit_norm_and_the_right_shape(tiny_model, tracks):
    embeddings = tiny_model.encode_audio(tracks)
    assert embeddings.shape == (6, 16)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("windows", ["all", "centre"])
def test_the_same_file_has_the_same_embedding_whatever_stands_beside_it(
    tiny_model, tracks, windows, precision
):
    model = copy.deepcopy(tiny_model)
    model.precision = precision
    together = model.encode_audio(tracks, windows=windows)
    backwards = model.encode_audio(tracks[::-1], windows=windows)[::-1]
    alone = np.concatenate([model.encode_audio([t], windows=windows) for t in tracks])
    np.testing.assert_array_equal(together, backwards)
    np.testing.assert_array_equal(together, alone)


def test_threads_and_chunks_do_not_change_an_embedding(tiny_model, tracks):
    model = copy.deepcopy(tiny_model)
    expected = model.encode_audio(tracks)
    model.audio_embedder().chunk = 7
    np.testing.assert_allclose(model.encode_audio(tracks), expected, atol=2e-3)
    model.precision = torch.float32
    exact = model.encode_audio(tracks)
    model.audio_embedder().chunk = 3
    np.testing.assert_allclose(model.encode_audio(tracks), exact, atol=1e-5)


def test_bfloat16_is_close_to_float32(tiny_model, tracks):
    embeddings = []
    for precision in PRECISIONS:
        model = copy.deepcopy(tiny_model)
        model.precision = precision
        embeddings.append((model.encode_audio(tracks), model.encode_text(["slow jazz", "a waltz"])))
    for one, other in zip(*embeddings, strict=True):
        similarity = (one * other).sum(axis=1)
        assert 0.999 < similarity.min() < 1


def test_the_fast_path_equals_the_plain_one(tiny_model, tracks):
    model = copy.deepcopy(tiny_model)
    model.precision = torch.float32
    windows = np.stack(list(track_windows(tracks[2], 2 * RATE, RATE, "all")))
    assert len(windows) == 6
    with torch.no_grad():
        plain = model.embed_audio(torch.from_numpy(windows)).mean(dim=0)
    expected = torch.nn.functional.normalize(plain, dim=-1).numpy()
    np.testing.assert_allclose(model.encode_audio([tracks[2]])[0], expected, atol=2e-5)


def test_new_weights_give_new_embeddings(tiny_model, tracks):
    model = copy.deepcopy(tiny_model)
    before = model.encode_audio(tracks[:1])
    with torch.no_grad():
        model.audio_projection.weight.mul_(torch.randn(16, 16))
    assert np.abs(model.encode_audio(tracks[:1]) - before).max() > 1e-3


def test_samples_in_memory_equal_the_file(tiny_model, tracks):
    samples, rate = soundfile.read(tracks[4], dtype="float32")
    from_memory = tiny_model.encode_audio([(samples, rate), (np.stack([samples, samples]), rate)])
    expected = tiny_model.encode_audio([tracks[4]])
    np.testing.assert_allclose(from_memory, np.repeat(expected, 2, axis=0), atol=1e-6)


def test_a_segment_equals_its_own_file(tiny_model, tracks, tmp_path):
    samples, rate = soundfile.read(tracks[2], dtype="int16")
    soundfile.write(tmp_path / "cut.flac", samples[3 * rate : 7 * rate], rate)
    np.testing.assert_allclose(
        tiny_model.encode_audio([Segment(tracks[2], 3, 4)]),
        tiny_model.encode_audio([tmp_path / "cut.flac"]),
        atol=1e-6,
    )


@pytest.mark.parametrize("samples", [np.zeros(5 * RATE), np.zeros(10), np.zeros((2, RATE))])
def test_silence_is_finite(tiny_model, samples):
    assert np.isfinite(tiny_model.encode_audio([(samples, RATE)])).all()


@pytest.mark.parametrize(
    "samples", [np.zeros(0), np.full(RATE, np.nan), np.zeros((1, 2, 3)), np.zeros((0, RATE))]
)
def test_unusable_samples_are_refused(tiny_model, samples):
    with pytest.raises(AudioError):
        tiny_model.encode_audio([(samples, RATE)])


def test_a_bad_file_is_reported_in_its_place_and_the_rest_goes_on(tiny_model, tracks, tmp_path):
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(b"this is not music")
    inputs = [tracks[0], bad, tracks[1], tmp_path / "missing.wav", tracks[2]]
    results = dict(tiny_model.encode_each(inputs))
    assert list(results) == [0, 1, 2, 3, 4]
    assert [isinstance(result, AudioError) for result in results.values()] == [0, 1, 0, 1, 0]
    np.testing.assert_array_equal(results[4], tiny_model.encode_audio([tracks[2]])[0])
    with pytest.raises(AudioError, match=r"bad\.mp3"):
        tiny_model.encode_audio(inputs)


def test_an_abandoned_run_leaves_no_threads_behind(tiny_model, tracks):
    import threading

    results = tiny_model.encode_each(tracks * 20)
    next(results)
    results.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("decode")]


def test_text_embeddings_do_not_depend_on_their_neighbours(tiny_model):
    sentences = ["slow jazz", "a very long sentence about " + "piano " * 200, "", "techno", "🎸"]
    together = tiny_model.encode_text(sentences)
    alone = np.concatenate([tiny_model.encode_text([sentence]) for sentence in sentences])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)


def test_one_track_or_sentence_needs_no_list(tiny_model, tracks):
    samples, rate = soundfile.read(tracks[4], dtype="float32")
    for one in (tracks[4], str(tracks[4]), Segment(tracks[4], 1, 2), (samples, rate)):
        alone = tiny_model.encode_audio(one)
        np.testing.assert_array_equal(alone, tiny_model.encode_audio([one]))
        np.testing.assert_array_equal(alone, [found for _, found in tiny_model.encode_each(one)])
    jazz = tiny_model.encode_text("slow jazz")
    np.testing.assert_array_equal(jazz, tiny_model.encode_text(["slow jazz"]))


def test_nothing_gives_nothing(tiny_model):
    assert tiny_model.encode_audio([]).shape == (0, 16)
    assert tiny_model.encode_text([]).shape == (0, 16)


def test_forward_embeds_pairs_and_runs_the_heads_that_there_are(tiny_config):
    torch.manual_seed(0)
    heads = {"ssl_dim": 8, "teacher_dim": 5}
    model = MusCALL(tiny_config.model_copy(update=heads)).eval()
    views, tokens = 0.1 * torch.randn(2, 3, 16000), model.text.tokenize(["jazz", "a waltz", "rock"])
    outputs = model(views, tokens)
    torch.testing.assert_close(outputs.audio, model.embed_audio(views[0]))
    torch.testing.assert_close(outputs.text, model.embed_text(tokens))
    assert outputs.first_view.shape == outputs.second_view.shape == (3, 8)
    assert not torch.allclose(outputs.first_view, outputs.second_view)
    assert outputs.teacher.shape == (3, 5)
    # One view has nothing to be compared with; features of the text need no encoder.
    alone = model(views[:1], model.text(tokens))
    torch.testing.assert_close(alone.text, outputs.text)
    assert alone.present().keys() == {"audio", "text", "teacher"}
    without = MusCALL(tiny_config)(views, tokens)
    assert without.present().keys() == {"audio", "text"}


def test_the_examples_of_the_docstrings_are_right():
    result = doctest.testmod(sys.modules["muscall.models.muscall"])
    assert result.attempted >= 10
    assert not result.failed
