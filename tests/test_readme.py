"""The README's Python runs as it stands and prints what it says."""

import contextlib
import io
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", README, flags=re.DOTALL)


def test_there_is_python_in_the_readme():
    assert BLOCKS


@pytest.mark.skipif(find_spec("immich_memories_music") is None, reason="needs the demo's music")
@pytest.mark.parametrize(("code", "printed"), BLOCKS)
def test_snippets_run_and_print_what_they_say(code, printed):
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "README.md", "exec"), {})
    assert output.getvalue() == printed
