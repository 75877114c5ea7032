"""What is started ends with the process that started it."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = "from muscall.processes import run; run(['sh', '-c', 'touch work; exec sleep 600'])"
POOL = """
import concurrent.futures, multiprocessing, pathlib, time
from muscall.processes import end_with_parent

context = multiprocessing.get_context("{method}")
with concurrent.futures.ProcessPoolExecutor(2, context, end_with_parent) as pool:
    pool.submit(pathlib.Path.touch, pathlib.Path("work")).result()  # the other process sleeps
    pool.submit(time.sleep, 600).result()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells processes of their parent")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("code", [PROGRAM, POOL.format(method="fork"), POOL.format(method="spawn")])
def test_no_process_outlives_its_parent(
    tmp_path: Path, code: str, sent: int, ends_with_all_it_started: Callable[..., None]
) -> None:
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    ends_with_all_it_started(process, sent, (tmp_path / "work").exists)
