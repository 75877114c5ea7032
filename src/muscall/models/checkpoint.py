"""Checkpoint folders: `config.json`, `model.safetensors`, a model card. No pickle anywhere."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer

from muscall.errors import CheckpointError, ConfigError
from muscall.models.config import ModelConfig, TransformerConfig
from muscall.models.hub import CONFIG, FILES, TOKENIZER, WEIGHTS, find_model

if TYPE_CHECKING:
    from torch import Tensor

DEFAULT, RELEASED = "default", ("default", "base", "ssl", "weighted")
CHECKSUMS = "SHA256SUMS"


def released(name: str = DEFAULT) -> Path:
    """Folder of a released model, one of RELEASED.

    The package contains the default. The others are in the folder that MUSCALL_WEIGHTS names, or in
    `weights/` of a checkout, beside a file of their checksums.

    Raises:
        CheckpointError: when this installation does not have it, or its checksum is wrong.
    """
    package = Path(str(resources.files("muscall")))
    if name == DEFAULT:
        folder = package / "weights" / name
        if not folder.is_dir():
            raise CheckpointError(f"{folder}: this installation of muscall carries no weights")
        return folder
    weights = Path(os.environ.get("MUSCALL_WEIGHTS") or package.parents[1] / "weights")
    if not (weights / name).is_dir():
        raise CheckpointError(
            f"{weights / name}: released weights that do not travel with the package; "
            "let MUSCALL_WEIGHTS name the folder weights/ of a checkout"
        )
    try:
        lines = (weights / CHECKSUMS).read_text(encoding="utf-8").splitlines()
        for told, file in (line.split("  ", 1) for line in lines):
            if file.startswith(f"{name}/") and told != _checksum(weights / file):
                raise CheckpointError(f"{weights / file}: not as it was released: wrong checksum")
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{weights / CHECKSUMS}: no checksums: {error}") from None
    return weights / name


def located(source: str | Path | None = None) -> Path:
    """Folder of a model: one of RELEASED, None for the default, a folder, or a name on a hub.

    Raises:
        CheckpointError: when there is no such model.
    """
    if source is None or source in RELEASED:
        return released(str(source or DEFAULT))
    return find_model(source)


def write_checksums(weights: Path) -> None:
    """Write the checksums of all models in a folder of released ones, as sha256sum does."""
    files = [weights / name / file for name in RELEASED for file in FILES]
    lines = [
        f"{_checksum(file)}  {file.relative_to(weights).as_posix()}\n"
        for file in files
        if file.is_file()
    ]
    (weights / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(
    folder: Path, config: ModelConfig, state: Mapping[str, Tensor], tokenizer: Tokenizer | None
) -> None:
    """Write configuration, weights and, for a pretrained text encoder, its tokenizer.

    The metadata of the weights repeat the configuration and the tokenizer's checksum. They tell
    when files of two models are mixed up.
    """
    text = json.dumps(config.model_dump(mode="json"), indent=2) + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8")
    metadata = {"format": "pt", CONFIG: text}
    if tokenizer is not None:
        tokenizer.save(str(folder / TOKENIZER), pretty=False)
        metadata[TOKENIZER] = _checksum(folder / TOKENIZER)
    from safetensors.torch import save_file  # imports torch, which `read` need not

    save_file(
        {name: value.detach().contiguous().cpu() for name, value in state.items()},
        folder / WEIGHTS,
        metadata,
    )
    _sort_metadata(folder / WEIGHTS)
    # safetensors lets nobody else read its files, but a checkpoint is there to be shared.
    (folder / WEIGHTS).chmod(0o644)


def _sort_metadata(weights: Path) -> None:
    """Sort the metadata, which safetensors writes in random order: equal models, equal bytes."""
    with weights.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        file.seek(8)
        file.write(text.ljust(length))


def settings(folder: Path) -> dict[str, Any]:
    """What `config.json` says, of whatever kind of model."""
    try:
        values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{folder}: not a checkpoint, {CONFIG} is missing") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / CONFIG}: damaged: {error}") from None
    if not isinstance(values, dict):
        raise CheckpointError(f"{folder / CONFIG}: damaged: no settings")
    return values


def read(
    folder: Path, framework: Literal["pt", "np"] = "pt"
) -> tuple[ModelConfig, dict[str, Any], Tokenizer | None]:
    """Read what `write` wrote, or a CLAP model as transformers saves it.

    The weights are tensors of torch; with "np" they are arrays of numpy, and torch is not loaded.

    Raises:
        CheckpointError: naming the file that is missing, damaged, cut off or of another model.
    """
    values = settings(folder)
    if values.get("model_type") == "clap":
        from muscall.models import clap  # takes transformers, which need not be there

        return clap.read(folder)
    if not (folder / WEIGHTS).is_file():
        raise CheckpointError(f"{folder}: not a checkpoint, {WEIGHTS} is missing")
    try:
        config = ModelConfig.parse(values, str(folder / CONFIG))
    except ConfigError as error:
        raise CheckpointError(str(error)) from None
    try:
        with safe_open(folder / WEIGHTS, framework=framework) as file:
            told = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        # A setting that is newer than the checkpoint has its default in both.
        own = ModelConfig.parse(json.loads(told[CONFIG])) if CONFIG in told else config
    except (OSError, ValueError, ConfigError, SafetensorError) as error:
        raise CheckpointError(f"{folder / WEIGHTS}: damaged or cut off: {error}") from None
    tokenizer = None
    if not isinstance(config.text, TransformerConfig):
        try:
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # tokenizers raises bare Exception
            raise CheckpointError(f"{folder / TOKENIZER}: {error}") from None
    other = CONFIG if own != config else ""
    if TOKENIZER in told and _checksum(folder / TOKENIZER) != told[TOKENIZER]:
        other = TOKENIZER
    if other:
        raise CheckpointError(
            f"{folder}: {other} and {WEIGHTS} are not of one model: save it again, or fetch it anew"
        )
    return config, state, tokenizer


def check_fit(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], origin: str) -> None:
    """Compare names and shapes of two state dicts.

    Raises:
        CheckpointError: naming the first difference and how many there are.
    """
    problems = [f"{name} is missing" for name in ours if name not in theirs]
    problems += [f"{name} is not part of the model" for name in theirs if name not in ours]
    problems += [
        f"{name} has shape {tuple(theirs[name].shape)}, expected {tuple(ours[name].shape)}"
        for name in ours
        if name in theirs and ours[name].shape != theirs[name].shape
    ]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise CheckpointError(f"{origin}: {problems[0]}{more}")


@contextmanager
def written_aside(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`, whose files move to `folder` if the block succeeds.

    Raises:
        CheckpointError: when writing fails (no space, no permission); `folder` is as before.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise CheckpointError(f"{folder}: cannot be written: {error.strerror}") from None
    try:
        yield aside
        for path in aside.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        aside.chmod(0o755)
        if folder.is_dir():
            # The folder may hold files of the user, which stay. The weights move first, as they
            # tell which configuration belongs to them; older weights may not.
            for path in sorted(aside.iterdir(), key=lambda path: (path.name != WEIGHTS, path)):
                path.replace(folder / path.name)
        else:
            aside.rename(folder)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(f"{folder}: cannot be written: {reason}") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
