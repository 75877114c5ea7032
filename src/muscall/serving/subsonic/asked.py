"""What a request of an app says: in its address, in its body, or in both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request

from muscall.serving.subsonic.answers import Code, Problem


@dataclass(frozen=True)
class Asked:
    """The parameters of a request, each with all its values."""

    parameters: Mapping[str, list[str]]

    @classmethod
    async def read(cls, request: Request) -> Asked:
        """Those in the address of `request`, and those in a form that it sends."""
        parameters: dict[str, list[str]] = {}
        # A field for each song of a playlist: what bounds their number is the size of a body.
        async with request.form(max_fields=math.inf) as form:
            for name, value in (*request.query_params.multi_items(), *form.multi_items()):
                if isinstance(value, str):
                    parameters.setdefault(name, []).append(value)
        return cls(parameters)

    def text(self, name: str) -> str:
        """The value of a parameter, empty where it is not given."""
        first, *_ = self.parameters.get(name) or [""]
        return first

    def needed(self, name: str) -> str:
        """The value of a parameter.

        Raises:
            Problem: it is not given.
        """
        if name not in self.parameters:
            raise Problem(Code.MISSING, f"the parameter {name} is missing")
        return self.text(name)

    def several(self, name: str) -> list[str]:
        """All values of a parameter."""
        return self.parameters.get(name, [])

    def number(self, name: str, usual: int, most: int | None = None) -> int:
        """The value of a parameter, from 0 on; `usual` where it is not given, `most` of more.

        Raises:
            Problem: it is no such number.
        """
        return whole(name, self.text(name) or str(usual), most)


def whole(name: str, text: str, most: int | None = None) -> int:
    """The number from 0 on that `text` is; `most` of more.

    Raises:
        Problem: it is none; `name` says of what.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Problem(Code.OTHER, f"{name}: {text[:50]} is no number from 0 on")
    return int(text) if most is None else min(int(text), most)
