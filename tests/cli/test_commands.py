"""What the commands print and write: a contract."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from rich.cells import cell_len
from safetensors import safe_open

from muscall import MusCALL
from muscall.cli import found
from muscall.cli.found import bar
from muscall.library.search.hits import Hit, Passage
from muscall.models.config import ModelConfig

Run = Callable[..., SimpleNamespace]


def test_help_and_version_import_nothing_slow() -> None:
    code = (
        "import sys, muscall.cli, contextlib\n"
        "for option in '--help', '--version':\n"
        "    sys.argv = ['muscall', option]\n"
        "    with contextlib.suppress(SystemExit): muscall.cli.main()\n"
        "slow = {'torch', 'numpy', 'soundfile', 'av', 'huggingface_hub', 'lancedb', 'pyarrow'}\n"
        "print(slow & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "search" in done.stdout
    assert done.stdout.endswith(f"muscall {version('muscall')}\nset()\n")
    assert done.stderr == ""


def test_a_model_that_is_not_there_is_told_without_loading_torch(manifest: Path) -> None:
    code = (
        "import sys\n"
        "from muscall.cli import main\n"
        f"sys.argv = ['muscall', 'evaluate', 'retrieval', 'runs/nowhere/best', {str(manifest)!r}]\n"
        "try: main()\n"
        "finally: print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "muscall: runs/nowhere/best: no such checkpoint folder\n"
    assert (done.returncode, done.stdout) == (1, "False\n")


def test_search_prints_objects(run: Run, music: Path, tiny_checkpoint: Path) -> None:
    done = run("search", "a tone", music, "-n", 3, "--json", "--model", tiny_checkpoint)
    assert (done.code, done.err) == (0, "")
    hits = json.loads(done.out)["results"]
    assert [hit["rank"] for hit in hits] == [1, 2, 3][: len(hits)]
    assert sum(1 + len(hit["versions"]) for hit in hits) >= 3
    assert {"path", "score", "rank"} <= set(hits[0])
    assert all(Path(hit["path"]).is_file() for hit in hits)
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_search_prints_a_table(run: Run, music: Path, tiny_checkpoint: Path) -> None:
    done = run("search", "a tone", music / "0.wav", music / "below", "--model", tiny_checkpoint)
    assert (done.code, done.err) == (0, "")
    first, second = done.out.splitlines()
    assert first.split()[0] == "1"
    assert second.split()[0] == "2"
    assert {first.split()[-1], second.split()[-1]} == {
        str(music / "0.wav"),
        str(music / "below" / "4.wav"),
    }


def test_unreadable_files_are_messages_and_exit_3(
    run: Run, music: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    shutil.copy(music / "0.wav", tmp_path / "good.wav")
    (tmp_path / "bad.wav").write_bytes(b"no")
    done = run("search", "a tone", tmp_path, "--json", "--model", tiny_checkpoint)
    assert done.code == 3
    assert [Path(hit["path"]).name for hit in json.loads(done.out)["results"]] == ["good.wav"]
    (line,) = done.err.splitlines()
    assert line.startswith(f"muscall: {tmp_path / 'bad.wav'}: ")


def test_odd_names(run: Run, music: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    names = [b"new\nline.wav", b"\xff\xfe.wav", "🎵 [bold].wav".encode(), b"-n.wav"]
    for name in names:
        shutil.copy(music / "0.wav", tmp_path / os.fsdecode(name))
    done = run("search", "a tone", tmp_path, "--json", "--model", tiny_checkpoint)
    assert done.code == 0
    hits = json.loads(done.out)["results"]
    found = [hit for top in hits for hit in (top, *top["versions"])]
    assert {Path(hit["path"]).name for hit in found} == {
        "new\nline.wav",
        r"\xff\xfe.wav",
        "🎵 [bold].wav",
        "-n.wav",
    }
    table = run("search", "a tone", tmp_path, "--model", tiny_checkpoint)
    assert len(table.out.splitlines()) == 4
    assert r"new\nline.wav" in table.out
    assert r"\xff\xfe.wav" in table.out
    assert "🎵 [bold].wav" in table.out


def test_evaluate_prints_an_object(run: Run, manifest: Path, tiny_checkpoint: Path) -> None:
    done = run("evaluate", "retrieval", tiny_checkpoint, manifest, "--json")
    assert (done.code, done.err) == (0, "")
    result = json.loads(done.out)
    assert set(result) == {"text_to_audio", "audio_to_text", "intervals", "items"}
    assert result["items"] == 5
    for direction in ("text_to_audio", "audio_to_text"):
        assert set(result[direction]) == {"R@1", "R@5", "R@10", "mAP10", "MedR"}
        assert result[direction]["R@5"] == 100


def test_evaluate_prints_a_table(run: Run, manifest: Path, tiny_checkpoint: Path) -> None:
    done = run("evaluate", "retrieval", tiny_checkpoint, manifest, "--split", "b", "--whole")
    assert (done.code, done.err) == (0, "")
    head, *rows = done.out.splitlines()
    assert head.split() == ["2", "items", "R@1", "R@5", "R@10", "mAP10", "MedR"]
    assert [row.split()[:3] for row in rows] == [["text", "to", "audio"], ["audio", "to", "text"]]
    assert all(len(row.split()) == 8 for row in rows)


def test_evaluate_draws_rows_whatever_their_order(
    run: Run, manifest: Path, tiny_checkpoint: Path
) -> None:
    drawn = [tiny_checkpoint, manifest, "--items", "3", "--seed", "1", "--json"]
    done = run("evaluate", "retrieval", *drawn)
    assert (done.code, json.loads(done.out)["items"]) == (0, 3)
    manifest.write_text("".join(reversed(manifest.read_text().splitlines(keepends=True))))
    assert run("evaluate", "retrieval", *drawn).out == done.out
    done = run("evaluate", "retrieval", tiny_checkpoint, manifest, "--items", "1000")
    assert (done.code, done.out) == (1, "")
    assert done.err == "muscall: cannot draw 1000 of 5 rows: ask for 1 to 5\n"


def test_evaluate_compares_models_side_by_side(
    run: Run, manifest: Path, tiny_checkpoint: Path, tiny_config: ModelConfig, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    MusCALL(tiny_config).save_pretrained(other)
    done = run("evaluate", "retrieval", manifest, "--model", tiny_checkpoint, "--model", other)
    assert (done.code, done.err) == (0, "")
    head, *rows = done.out.splitlines()
    assert [row.split()[:4] for row in rows] == [
        [*way.split(), str(name)]
        for way in ("text to audio", "audio to text")
        for name in (tiny_checkpoint, other)
    ]
    assert len({len(row) for row in (head, *rows)}) == 1
    as_before = run("evaluate", "retrieval", tiny_checkpoint, manifest).out.splitlines()
    assert [row.split()[3:] for row in as_before[1:]] == [row.split()[4:] for row in rows[::2]]
    both = ["--model", other, tiny_checkpoint, manifest, "--json"]
    told = json.loads(run("evaluate", "retrieval", *both).out)
    assert list(told) == [str(tiny_checkpoint), str(other)]
    for wrong in ([manifest], [other, tiny_checkpoint, manifest]):
        assert run("evaluate", "retrieval", *wrong).code == 2


def test_evaluate_says_what_asked_and_what_is_shared(
    run: Run, manifest: Path, tiny_checkpoint: Path
) -> None:
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    told = [row | {"caption": [row["caption"], "a tone", "a hum"]} for row in rows[:2]]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in told + rows[2:]))
    done = run("evaluate", "retrieval", tiny_checkpoint, manifest, "--captions", "every")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[3:] == [
        "every caption is a query: 9; each is right for its track",
        "captions of several rows, which count as right for each other: 2",
    ]
    told = json.loads(
        run("evaluate", "retrieval", tiny_checkpoint, manifest, "--captions", "every", "--json").out
    )
    assert (told["captions"], told["queries"], told["shared_captions"]) == ("every", 9, 2)


def test_evaluate_leaves_unreadable_rows_out(
    run: Run, manifest: Path, tiny_checkpoint: Path
) -> None:
    with manifest.open("a") as file:
        file.write(json.dumps({"audio": "missing.wav", "caption": "gone"}) + "\n")
    done = run("evaluate", "retrieval", tiny_checkpoint, manifest, "--json")
    assert done.code == 3
    assert json.loads(done.out)["items"] == 5
    (line,) = done.err.splitlines()
    assert "missing.wav" in line


def test_embed_writes_arrays(run: Run, music: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    output = tmp_path / "embeddings.npz"
    done = run("embed", music, "-o", output, "--model", tiny_checkpoint, "--threads", 1)
    assert (done.code, done.out) == (0, "")
    assert torch.get_num_threads() == 1
    with np.load(output) as arrays:
        assert set(arrays) == {"paths", "embeddings"}
        assert {Path(path) for path in arrays["paths"]} == set(music.rglob("*.wav"))
        assert arrays["embeddings"].shape == (5, 16)
        np.testing.assert_allclose(np.linalg.norm(arrays["embeddings"], axis=1), 1, atol=1e-6)


def test_train_takes_settings_and_prints_the_best_checkpoint(
    run: Run, manifest: Path, tiny_config: ModelConfig, tmp_path: Path
) -> None:
    config = tmp_path / "tiny.yaml"
    settings = {"model": tiny_config.model_dump(mode="json"), "train": {"batch_size": 2}}
    config.write_text(yaml.safe_dump(settings))
    arguments = [
        config,
        f"data.train={manifest}",
        f"data.val={manifest}",
        "data.workers=0",
        "train.steps=1",
        f"train.out={tmp_path / 'run'}",
    ]
    done = run("train", *arguments)
    assert done.code == 0
    best = Path(done.out.removesuffix("\n"))
    assert (best / "model.safetensors").is_file()
    assert run("evaluate", "retrieval", best, manifest).code == 0

    wrong = run("train", *arguments, "train.bach_size=4")
    assert (wrong.code, wrong.out) == (1, "")
    (line,) = wrong.err.splitlines()
    assert "did you mean train.batch_size?" in line


def test_convert_writes_a_checkpoint(
    run: Run, reference: Callable[[str], dict[str, torch.Tensor]], music: Path, tmp_path: Path
) -> None:
    weights, config, folder = (tmp_path / name for name in ("a.pth", "a.yaml", "converted"))
    file = Path(__file__).parents[1] / "data" / "small_attention.safetensors"
    with safe_open(file, "pt") as metadata:
        config.write_text(metadata.metadata()["config"])
    state = {
        name.removeprefix("state."): value
        for name, value in reference("small_attention").items()
        if name.startswith("state.")
    }
    torch.save({"state_dict": state}, weights)
    done = run("convert", weights, config, folder)
    assert (done.code, done.out) == (0, f"{folder}\n")
    assert run("embed", music / "0.wav", "-o", tmp_path / "o.npz", "--model", folder).code == 0


def test_bar() -> None:
    assert bar(0).strip() == ""
    assert set(bar(1)) == {"█"}
    lengths = [len(bar(share)) for share in np.linspace(0, 1, 50)]
    assert set(lengths) == {12}
    marks = [bar(share) for share in np.linspace(0, 1, 50)]
    assert marks == sorted(marks, key=lambda mark: len(mark.rstrip()))


@pytest.mark.parametrize("width", [20, 80, 200])
def test_a_terminal_is_never_too_narrow(width: int) -> None:
    names = {"short": ("Sol", "a"), "long": ("L" * 300, "b" * 90), "wide": ("夜曲" * 40, "فيروز")}
    rest: dict[str, Any] = {"album": "", "genre": "", "year": None, "bpm": None, "duration": 1.0}
    version = Hit(path=Path("/music/" + "夜" * 60 + ".flac"), title="", artist="", **rest)
    hits = [
        Hit(path=Path(f"/music/{key * 40}.flac"), title=title, artist=artist, rank=place + 1,
            relative_score=0.5, passage=Passage(5000.0, 3.0), versions=(version,), **rest)
        for place, (key, (title, artist)) in enumerate(names.items())
    ]  # fmt: skip
    lines = [line for hit in hits for line in found.lines(hit, width)]
    assert len(lines) == 2 * len(hits)
    assert max(map(cell_len, lines)) <= max(width, 52)
    assert "a - Sol" in lines[0]
    if width == 80:
        assert "…" in lines[2]
        assert lines[2].endswith("long.flac")


def test_the_rows_of_shards_are_embedded_and_scored(
    run: Run, music: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    with tarfile.open(tmp_path / "00.tar", "w") as tar:
        for path in sorted(music.glob("*.wav")):
            tar.add(path, path.name)
            caption = tmp_path / f"{path.stem}.txt"
            caption.write_text(f"tone {path.stem}")
            tar.add(caption, caption.name)
    shards, output = tmp_path / "{00..00}.tar", tmp_path / "rows.npz"
    done = run("embed", shards, "-o", output, "--model", tiny_checkpoint)
    assert (done.code, done.err) == (0, f"muscall: 4 rows in {output}\n")
    plain = tmp_path / "files.npz"
    assert run("embed", music, "-o", plain, "--model", tiny_checkpoint).code == 0
    with np.load(output) as ours, np.load(plain) as theirs:
        assert ours["ids"].tolist() == [f"00.tar/{number}.wav" for number in range(4)]
        np.testing.assert_array_equal(ours["embeddings"], theirs["embeddings"][:4])
    done = run("evaluate", "retrieval", tiny_checkpoint, shards, "--json")
    assert (done.code, json.loads(done.out)["items"]) == (0, 4)
    done = run("embed", music, shards, "-o", output, "--model", tiny_checkpoint)
    assert done.code == 2
