"""The `muscall` command: one file for each sub-command, each a plain typed function.

Nothing that is slow to import is imported at the top of these files, so that `muscall --help`
answers at once.
"""

from muscall.cli.main import main

__all__ = ["main"]
