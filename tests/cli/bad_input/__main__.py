"""Make every bad input that docs/bad-input.md lists, and run the real commands on them.

    python -m tests.cli.bad_input [--parts sound names ...] [--only WORD] [--write]

prints the page's tables, or writes them into the page. It works in a temporary folder with a tiny
untrained model, and ends with 1 where an exit code is not the expected one, a traceback shows, or
what must hold after a command does not. What needs root (a full or a read-only disk, another user's
file) is left out without it; the ffmpeg program makes the m4a files.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

import torch

from muscall.models.config import ModelConfig
from muscall.models.muscall import MusCALL
from tests.cli.bad_input import inputs
from tests.cli.bad_input.core import CORE
from tests.cli.bad_input.library import LIBRARY, make_library
from tests.cli.bad_input.session import Session
from tests.cli.bad_input.studies import STUDIES, make_studies

PAGE = Path(__file__).parents[3] / "docs" / "bad-input.md"
TINY = {
    "dim": 32,
    "audio": {"width": 4, "features": 64, "window_seconds": 2},
    "text": {"kind": "transformer", "width": 32, "layers": 1, "heads": 2},
}


def make_model(folder: Path) -> None:
    """A tiny untrained checkpoint, after a sentence that loads what forked commands need."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # others would not survive the fork, and be waited for
    model = MusCALL(ModelConfig.parse(TINY)).eval()
    model.encode_text(["all that a forked command needs is loaded"])
    model.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)


def main() -> None:
    parts = {part.__name__: part for part in (*CORE, *LIBRARY, *STUDIES)}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default="", metavar="WORD", help="only commands that hold it")
    parser.add_argument("--parts", nargs="*", choices=parts, default=list(parts), metavar="PART")
    parser.add_argument("--write", action="store_true", help="write the tables into the page")
    given = parser.parse_args()
    os.umask(0o022)
    # A shell that runs this in the background has it, and all that it starts, ignore the key.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        os.chdir(folder)
        os.environ["MUSCALL_LIBRARY"] = "library"  # not that of whoever runs this
        os.environ["XDG_CACHE_HOME"] = str(Path("cache").absolute())
        make_model(Path("model"))
        inputs.make_all(Path("model"))
        make_library()
        make_studies()
        run = Session("model", given.only)
        for part in given.parts:
            parts[part](run)
        os.chdir("/")
    if given.write:
        intro = PAGE.read_text().partition("\n## ")[0].rstrip("\n")
        PAGE.write_text("\n".join([intro, *run.lines]).rstrip("\n") + "\n")
    print(f"\n{run.tried} tried, {len(run.wrong)} not as expected", file=sys.stderr)
    print("\n".join(run.wrong), file=sys.stderr)
    sys.exit(bool(run.wrong))


if __name__ == "__main__":
    main()
