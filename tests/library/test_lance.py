"""LanceDB without the models of its client for servers."""

import subprocess
import sys

_CODE = """
import sys
import muscall.library.lance
client = "lance_namespace_urllib3_client"
assert not any(name.startswith(client) for name in sys.modules)
from lancedb.db import ListTablesResponse
assert ListTablesResponse(tables=["one"]).tables == ["one"]
from lance_namespace import ListTablesResponse as real
assert type(ListTablesResponse(tables=[])) is real and isinstance(real, type)
"""


def test_the_models_are_there_when_they_are_made() -> None:
    subprocess.run([sys.executable, "-c", _CODE], check=True)
