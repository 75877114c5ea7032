"""Published CLAP models give the vectors that transformers gives, behind our own interface."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
from immich_memories_music import tracks_dir

import muscall
from muscall.audio import decode
from muscall.errors import CheckpointError
from muscall.library.embedding_version import embedding_version_of

transformers = pytest.importorskip("transformers")

RATE, WINDOW = 48000, 480_000
SENTENCES = ["calm solo piano", "loud", "rock drums, and after them a very calm piano on its own"]

MakeClap = Callable[..., Path]


@pytest.fixture(scope="module")
def sounds() -> list[np.ndarray]:
    """Ten seconds each of four tracks, one of which ends in silence."""
    paths = sorted(tracks_dir().rglob("*.opus"))[::7]
    heard = [decode.read(path, start=5, duration=10, sample_rate=RATE) for path in paths]
    assert {len(sound) for sound in heard} == {WINDOW}
    heard[1] = heard[1].copy()
    heard[1][WINDOW // 2 :] = 0
    return heard


@pytest.fixture(params=[False, True], ids=["unfused", "fused"])
def folder(request: pytest.FixtureRequest, make_clap: MakeClap) -> Path:
    return make_clap(fused=request.param)


@torch.no_grad()
def test_sound_has_the_vectors_of_transformers(folder: Path, sounds: list[np.ndarray]) -> None:
    theirs = transformers.ClapModel.from_pretrained(folder).eval()
    extractor = transformers.ClapFeatureExtractor.from_pretrained(folder)
    features = extractor(sounds, sampling_rate=RATE, return_tensors="pt")["input_features"]
    # The extractor says of one of them, drawn by chance, that it is longer than a window.
    none_longer = torch.zeros(len(sounds), 1, dtype=torch.bool)
    expected = theirs.get_audio_features(features.float(), is_longer=none_longer).pooler_output
    model = muscall.load(folder)
    assert (model.config.audio.sample_rate, model.config.audio.window_samples) == (RATE, WINDOW)
    found = model.encode_audio([(sound, RATE) for sound in sounds])
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)
    similar = found @ found.T
    assert similar[~np.eye(len(similar), dtype=bool)].max() < 0.9999


@torch.no_grad()
def test_sentences_have_the_vectors_of_transformers(folder: Path) -> None:
    theirs = transformers.ClapModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokens = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    expected = theirs.get_text_features(tokens["input_ids"], tokens["attention_mask"]).pooler_output
    model = muscall.load(folder)
    found = model.encode_text(SENTENCES)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)
    alone = np.concatenate([model.encode_text(sentence) for sentence in SENTENCES])
    np.testing.assert_allclose(alone, found, atol=1e-5)
    assert model.encode_text("calm " * 500).shape == (1, 16)  # of which the beginning is read


def test_neither_precision_nor_neighbours_change_a_vector(
    make_clap: MakeClap, sounds: list[np.ndarray], has_bf16: bool
) -> None:
    model = muscall.load(make_clap())
    tracks = [(sound, RATE) for sound in sounds]
    together = model.encode_audio(tracks)
    model.audio_embedder().chunk = 3
    np.testing.assert_allclose(model.encode_audio(tracks), together, atol=1e-5)
    long = (np.concatenate(sounds[:2]), RATE)
    mean = together[:2].sum(axis=0)
    expected = mean / np.linalg.norm(mean)
    np.testing.assert_allclose(model.encode_audio(long)[0], expected, atol=1e-5)
    model.precision = torch.float32
    np.testing.assert_allclose(model.encode_audio(tracks), together, atol=1e-4)
    assert has_bf16 in (True, False)


def test_it_is_saved_and_loaded_as_one_of_ours(folder: Path, tmp_path: Path) -> None:
    model = muscall.load(folder)
    model.save_pretrained(tmp_path / "ours")
    again = muscall.load(tmp_path / "ours")
    np.testing.assert_array_equal(again.encode_text(SENTENCES), model.encode_text(SENTENCES))
    assert embedding_version_of(again) == embedding_version_of(model)


def test_fusion_is_told_by_the_name_of_the_embedding_version(make_clap: MakeClap) -> None:
    assert embedding_version_of(muscall.load(make_clap())) != embedding_version_of(
        muscall.load(make_clap(fused=True))
    )


def _published(folder: Path, to: Path) -> Path:
    """`folder` as CLAP models lie on the hub: weights in torch's format, with derived tables."""
    shutil.copytree(folder, to)
    model = transformers.ClapModel.from_pretrained(folder)
    state = model.state_dict() | {"text_model.embeddings.position_ids": torch.arange(66)[None]}
    torch.save(state, to / "pytorch_model.bin")
    (to / "model.safetensors").unlink()
    return to


class Hub(SimpleHTTPRequestHandler):
    """Answers for `owner/clap` as the hub does; `directory` holds its files."""

    commit = "0" * 40

    def do_HEAD(self) -> None:
        self._answer(head=True)

    def do_GET(self) -> None:
        self._answer(head=False)

    def _answer(self, *, head: bool) -> None:
        folder = Path(self.directory)
        if self.path.startswith("/api/models/owner/clap"):
            if "/tree/" in self.path:
                body = json.dumps(
                    [
                        {"type": "file", "path": p.name, "size": p.stat().st_size, "oid": "1" * 40}
                        for p in sorted(folder.iterdir())
                    ]
                )
            else:
                body = json.dumps({"id": "owner/clap", "sha": self.commit, "siblings": []})
            self._send(body.encode(), head, "application/json")
        elif self.path.startswith(f"/owner/clap/resolve/{self.commit}/"):
            name = self.path.rsplit("/", 1)[-1]
            self._send((folder / name).read_bytes(), head, "application/octet-stream", name)
        else:
            self.send_error(404)

    def _send(self, body: bytes, head: bool, kind: str, name: str = "") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if name:
            self.send_header("ETag", f'"{name}"')
            self.send_header("X-Repo-Commit", self.commit)
        self.end_headers()
        if not head:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(make_clap: MakeClap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub on this machine with one model in an old format."""
    published = _published(make_clap(), tmp_path / "published")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, directory=str(published)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("hub")
def test_it_is_fetched_from_a_hub(make_clap: MakeClap, tmp_path: Path) -> None:
    model = muscall.MusCALL.from_pretrained("owner/clap", cache_dir=tmp_path / "kept")
    expected = muscall.load(make_clap()).encode_text(SENTENCES)
    np.testing.assert_array_equal(model.encode_text(SENTENCES), expected)


@pytest.mark.parametrize(
    "name", ["preprocessor_config.json", "tokenizer.json", "model.safetensors"]
)
def test_what_is_missing_or_damaged_is_one_line(
    make_clap: MakeClap, tmp_path: Path, name: str
) -> None:
    for damage in (Path.unlink, lambda path: path.write_bytes(b"{")):
        folder = shutil.copytree(make_clap(), tmp_path / name / str(damage is Path.unlink))
        damage(folder / name)
        with pytest.raises(CheckpointError, match=str(folder)) as error:
            muscall.load(folder)
        assert "\n" not in str(error.value)


def test_without_transformers_it_says_what_to_install(make_clap: MakeClap) -> None:
    program = (
        "import sys; sys.modules['transformers'] = None\n"
        "import muscall\n"
        "muscall.load().encode_text('calm')\n"
        f"muscall.load({str(make_clap())!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "muscall.errors.MissingExtra" in done.stderr
    assert 'pip install "muscall[clap]"' in done.stderr


def test_transformers_is_not_imported_unless_asked_for() -> None:
    program = (
        "import sys, muscall; muscall.load().encode_text('calm'); assert 'muscall' in sys.modules\n"
        "assert 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
