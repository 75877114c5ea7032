"""Finding a model: in a local folder, or on a hub."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from muscall.errors import CheckpointError

CONFIG, WEIGHTS, TOKENIZER, CARD = "config.json", "model.safetensors", "tokenizer.json", "README.md"
# What transformers knows a CLAP model's sound by, under the names of its versions.
SOUND = ("preprocessor_config.json", "processor_config.json")
FILES = (CONFIG, WEIGHTS, TOKENIZER, CARD, *SOUND)
TORCH_WEIGHTS = "pytorch_model.bin"
"""Of models that were published before safetensors."""
_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_PATIENCE = 1.5  # seconds, for a hub's first answer


def find_model(name: str | Path, what: str = "checkpoint folder", **options: Any) -> Path:
    """The folder `name`, or one with FILES of the model that a hub has under this name.

    What looks like a path is asked of no hub: what is not written as owner/name, and what would lie
    in a folder that is there. Where no hub answers in time its earlier copy is taken, if there is
    one.

    Args:
        what: of which there is none, in the error.
        options: as `huggingface_hub.snapshot_download` takes them.

    Raises:
        CheckpointError: there is no such model, or no way to it.
    """
    if Path(name).is_dir():
        return Path(name)
    if isinstance(name, Path) or not _NAME.fullmatch(name) or Path(name).parent.is_dir():
        raise CheckpointError(f"{name}: no such {what}")
    # Imported late: it takes a while, and a model in a folder does not need it.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    unreachable = ""
    if not options.get("local_files_only"):
        unreachable = _unreachable(name, options.get("endpoint"))
        options["local_files_only"] = bool(unreachable)
    try:
        folder = Path(snapshot_download(name, allow_patterns=list(FILES), **options))
        if not (folder / WEIGHTS).is_file():
            folder = Path(snapshot_download(name, allow_patterns=[TORCH_WEIGHTS], **options))
        return folder
    except (HfHubHTTPError, OSError, ValueError) as error:
        reason = unreachable or str(error).split("\n", 1)[0]
        raise CheckpointError(f"{name}: no such {what} here, nor from a hub: {reason}") from None


def _unreachable(name: str, endpoint: str | None) -> str:
    """Why the hub does not answer a question about `name`; nothing where it does."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    reasons: Queue[str] = Queue()

    def ask() -> None:
        try:
            HfApi(endpoint).model_info(name, timeout=_PATIENCE)
            reasons.put("")
        except HfHubHTTPError:  # an answer
            reasons.put("")
        except Exception as error:
            reasons.put(str(error) or type(error).__name__)

    # In a thread that nobody waits for: no timeout bounds the search for the address of a host.
    threading.Thread(target=ask, daemon=True).start()
    try:
        return reasons.get(timeout=_PATIENCE)
    except Empty:
        return f"no answer within {_PATIENCE:g} s"
