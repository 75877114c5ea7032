"""Where a model lies: what is asked of a hub, and how long it is waited for."""

import shutil
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import muscall
from muscall.errors import CheckpointError
from muscall.models.hub import find_model


@pytest.fixture
def empty_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A hub without models; the paths that it is asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    yield asked
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["refuses", "is silent"])
def unreachable_hub(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        if request.param == "is silent":
            taken.listen()
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        yield


PATHS = ["nowhere", "runs/base/best", "runs/best", "./best", "../best", "/nowhere/best", "~/best"]


@pytest.mark.parametrize("name", [*PATHS, "best/", Path("owner/model")])
def test_what_looks_like_a_path_is_asked_of_no_hub(empty_hub, tmp_path, monkeypatch, name):
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"no such checkpoint folder$") as error:
        muscall.load(name)
    assert str(error.value).startswith(f"{name}: ")
    assert not empty_hub


def test_a_folder_is_not_asked_for(empty_hub, tiny_checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_checkpoint, tmp_path / "owner" / "model")
    assert muscall.load("owner/model").encode_text("calm").shape == (1, 16)
    assert not empty_hub


def test_what_the_hub_does_not_have_is_one_line(empty_hub):
    with pytest.raises(
        CheckpointError, match="owner/model: no such checkpoint folder here"
    ) as error:
        find_model("owner/model")
    assert "\n" not in str(error.value)
    assert empty_hub


@pytest.mark.usefixtures("empty_hub")
def test_what_the_hub_has_is_loaded(tiny_checkpoint, monkeypatch):
    asked = {}

    def download(name, **options):
        asked[name] = options
        return str(tiny_checkpoint)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    model = muscall.MusCALL.from_pretrained("owner/model", revision="v1")
    assert model.encode_text("calm").shape == (1, 16)
    assert asked["owner/model"]["revision"] == "v1"
    assert not asked["owner/model"]["local_files_only"]


@pytest.mark.usefixtures("unreachable_hub")
def test_without_a_network_the_answer_comes_soon():
    began = time.monotonic()
    with pytest.raises(CheckpointError, match=r"owner/model: no such .* nor from a hub: ") as error:
        find_model("owner/model")
    assert time.monotonic() - began < 2
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("unreachable_hub")
def test_without_a_network_an_earlier_copy_is_taken(tiny_checkpoint, tmp_path):
    kept = tmp_path / "models--owner--model"
    shutil.copytree(tiny_checkpoint, kept / "snapshots" / ("0" * 40))
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("0" * 40)
    model = muscall.MusCALL.from_pretrained("owner/model", cache_dir=tmp_path)
    assert model.encode_text("calm").shape == (1, 16)
