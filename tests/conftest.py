"""A tiny model, a few short files for it to listen to, and the reference arrays."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from torch import Tensor

from muscall import MusCALL
from muscall.models.config import ModelConfig, ResNetConfig, TransformerConfig

RATE = 16000
TINY = ModelConfig(
    dim=16,
    audio=ResNetConfig(width=4, blocks=(1, 1, 1, 1), heads=2, features=16, window_seconds=2),
    text=TransformerConfig(width=32, layers=1, heads=2),
)


# What a file that takes over its decoder may make of it: this stands in the place of Python.
HOSTILE = """#!{python}
import pathlib, re, sys, time
from multiprocessing.connection import Connection

import numpy as np

from muscall.audio.tags import Tags
from muscall.library.indexing.messages import *

class Evil:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path({mark!r}),)

connection = Connection(int(re.search(r"serve\\((\\d+)\\)", sys.argv[2])[1]))
{does}
time.sleep(60)
"""


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is kept in the user's cache folder stays out of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def reference() -> Callable[[str], dict[str, Tensor]]:
    """Arrays recorded from the published implementation, by file name."""
    folder = Path(__file__).parent / "data"
    return lambda name: load_file(folder / f"{name}.safetensors")


@pytest.fixture(scope="session")
def tiny_config() -> ModelConfig:
    return TINY


@pytest.fixture(scope="session")
def tiny_model() -> MusCALL:
    """Every part is there, each of them small; the batch norms have seen something."""
    torch.manual_seed(0)
    model = MusCALL(TINY)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    model.train()
    with torch.no_grad():
        for _ in range(30):
            model.embed_audio(0.1 * torch.randn(8, 2 * RATE))
    return model.eval()


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_model: MusCALL, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    tiny_model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_clap(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`make_clap(fused=False)`: a folder with a small random CLAP model, as transformers saves it.

    With or without fusion, which decides how transformers makes features of sound.
    """
    transformers = pytest.importorskip("transformers")

    @cache
    def make(fused: bool = False) -> Path:
        folder = tmp_path_factory.mktemp("clap")
        torch.manual_seed(0)
        model = transformers.ClapModel(
            transformers.ClapConfig(
                audio_config={
                    "patch_embeds_hidden_size": 8,
                    "hidden_size": 16,
                    "depths": [1, 1],
                    "num_attention_heads": [1, 2],
                    "enable_fusion": fused,
                },
                text_config={
                    "vocab_size": 300,
                    "hidden_size": 32,
                    "num_hidden_layers": 2,
                    "num_attention_heads": 2,
                    "intermediate_size": 64,
                    "max_position_embeddings": 66,
                },
                projection_dim=16,
            )
        )
        # As of a model that has heard something: it tells sounds, and sentences, apart.
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if weight.ndim > 1:
                    weight.mul_(4 if "text" in name else 2)
        norm = model.audio_model.audio_encoder.batch_norm
        torch.nn.init.constant_(norm.running_mean, -30)
        torch.nn.init.constant_(norm.running_var, 400)
        model.save_pretrained(folder)
        truncation = "fusion" if fused else "rand_trunc"
        transformers.ClapFeatureExtractor(truncation=truncation).save_pretrained(folder)
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        special = ["<s>", "<pad>", "</s>", "<unk>"]
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        tokenizer.train_from_iterator(
            ["calm solo piano", "loud rock drums"],
            trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet),
        )
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
        transformers.PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            bos_token="<s>",
            eos_token="</s>",
            pad_token="<pad>",
            unk_token="<unk>",
        ).save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text file of word2vec's format: 16 values for each of a few words."""
    words = [
        "a",
        "calm",
        "piano",
        "rock",
        "jazz",
        "techno",
        "with",
        "tone",
        "of",
        "hertz",
        "number",
    ]
    path = tmp_path_factory.mktemp("vectors") / "words.txt"
    table = np.random.default_rng(0).normal(size=(len(words), 16))
    lines = [f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, table, strict=True)]
    path.write_text(f"{len(words)} 16\n" + "".join(lines))
    return path


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `0.wav` ... `4.wav`, 3 s each, one of them in a folder below."""
    folder = tmp_path_factory.mktemp("music")
    (folder / "below").mkdir()
    generator = np.random.default_rng(0)
    for index in range(5):
        time = np.arange(3 * RATE) / RATE
        samples = 0.3 * np.sin(2 * np.pi * 110 * 2**index * time)
        samples += 0.02 * generator.normal(size=time.shape)
        path = folder / ("below" if index == 4 else "") / f"{index}.wav"
        soundfile.write(path, samples, RATE)
    return folder


@pytest.fixture(params=[True, False], ids=["with bf16", "without"])
def has_bf16(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the processor is said to have instructions for bfloat16: once so, once not."""
    told = {"architecture": "x86_64", "avx512_bf16": request.param}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    return bool(request.param)


@pytest.fixture
def take_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """`take_over(does)`: decoders run such code; gives the file that exists if ours ran theirs."""

    def take_over(does: str) -> Path:
        program, mark = tmp_path / "python", tmp_path / "mark"
        program.write_text(HOSTILE.format(python=sys.executable, mark=str(mark), does=does))
        program.chmod(0o755)
        monkeypatch.setattr("muscall.library.indexing.workers.sys.executable", str(program))
        return mark

    return take_over


@pytest.fixture
def ends_with_all_it_started() -> Callable[..., None]:
    """Waits until a process is at work, sends it a signal, and sees all that it started end."""

    def check(process: subprocess.Popen[str], signal: int, at_work: Callable[[], bool]) -> None:
        _wait(lambda: at_work() or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        started = _descendants(process.pid)
        assert started
        process.send_signal(signal)
        process.wait()
        _wait(lambda: not any(map(_runs, started)))

    return check


def _wait(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _status(process: int | str) -> tuple[str, int]:
    """State and parent of a process, as proc(5) has them; no state where it is no more."""
    try:
        state, parent = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()[:2]
    except OSError:
        return "", 0
    return state, int(parent)


def _runs(process: int) -> bool:
    return _status(process)[0] not in ("", "Z")


def _descendants(process: int) -> set[int]:
    parents = {int(p.name): _status(p.name)[1] for p in Path("/proc").iterdir() if p.name.isdigit()}
    found, more = set[int](), {process}
    while more := {child for child, parent in parents.items() if parent in more}:
        found |= more
    return found
