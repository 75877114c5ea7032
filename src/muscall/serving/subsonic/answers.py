"""Answers as the protocol has them: in JSON or XML, and always with an outcome."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Any
from xml.etree import ElementTree

from fastapi.responses import JSONResponse, Response

from muscall import __version__
from muscall.errors import AudioError, MuscallError, NotFound

Content = Mapping[str, Any]
_PROTOCOL = "1.16.1"
_NAMESPACE = "http://subsonic.org/restapi"
# No XML can hold them, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Code(IntEnum):
    """Why there is no answer, in the numbers of the protocol."""

    OTHER = 0
    MISSING = 10
    WRONG_PASSWORD = 40
    UNKNOWN_WAY = 42
    SEVERAL_WAYS = 43
    WRONG_KEY = 44
    NOT_FOUND = 70


class Problem(MuscallError):
    """What an app asked for and cannot have."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


def fields(**given: Any) -> dict[str, Any]:
    """Those that say something."""
    return {name: value for name, value in given.items() if value is not None}


def succeeded(content: Content, form: str) -> Response:
    """An answer with what was asked for; `form` is "json" or "xml"."""
    return _response("ok", content, form, 200)


def failed(error: MuscallError, form: str, status: int = 200) -> Response:
    """An answer that says why there is none; as apps expect it, with the status of a success."""
    code = Code.NOT_FOUND if isinstance(error, NotFound) else Code.OTHER
    told = error.reason if isinstance(error, AudioError) else str(error)  # without the path
    problem = {"code": int(getattr(error, "code", code)), "message": told}
    return _response("failed", {"error": problem}, form, status)


def _response(outcome: str, content: Content, form: str, status: int) -> Response:
    whole = {
        "status": outcome,
        "version": _PROTOCOL,
        "type": "muscall",
        "serverVersion": __version__,
        "openSubsonic": True,
        **content,
    }
    if form == "json":
        return JSONResponse({"subsonic-response": whole}, status)
    element = _element("subsonic-response", {"xmlns": _NAMESPACE, **whole})
    text = ElementTree.tostring(element, "utf-8", xml_declaration=True)
    return Response(text, status, media_type="text/xml; charset=utf-8")


def _element(name: str, content: Content) -> ElementTree.Element:
    """Values are attributes, objects are elements, and a list is as many elements."""
    element = ElementTree.Element(name)
    for key, value in content.items():
        if isinstance(value, Mapping):
            element.append(_element(key, value))
        elif isinstance(value, list):
            for one in value:
                its = one if isinstance(one, Mapping) else {"value": one}
                element.append(_element(key, its))
        elif key == "value":
            element.text = _text(value)
        else:
            element.set(key, _text(value))
    return element


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else _FORBIDDEN.sub("", str(value))
