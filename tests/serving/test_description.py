"""Whatever the description allows, and much that it does not, is answered as it says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

EXAMPLES = 6  # of each operation, mode and kind of key; once in a while, try hundreds


@pytest.fixture(scope="module")
def address(served) -> Iterator[str]:
    """Of a real server in a thread."""
    listening = socket.create_server(("127.0.0.1", 0))
    # Ten filters of a thousand letters in other scripts are more than uvicorn takes by itself.
    long = {"http": "h11", "h11_max_incomplete_event_size": 1 << 20}
    settings = uvicorn.Config(served.client.app, log_level="error", lifespan="off", **long)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_requests_are_answered_as_described(served, address: str) -> None:
    description = schemathesis.openapi.from_url(f"{address}/v1/openapi.json")
    operations = [found.ok() for found in description.get_all_operations()]
    assert len(operations) == 23
    for operation in operations:
        # Most keys lead nowhere.
        keys = [None, {"key": served.key("flac.flac")}] if "{key}" in operation.path else [None]
        for key in keys:
            _ask(operation, GenerationMode.POSITIVE, key)
            with suppress(Unsatisfiable):  # to what takes nothing, nothing wrong can be given
                _ask(operation, GenerationMode.NEGATIVE, key)


def _ask(
    operation: schemathesis.schemas.APIOperation,
    mode: GenerationMode,
    key: dict[str, str] | None,
) -> None:
    """Requests for one operation."""

    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=key))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case) -> None:
        # What a filter or a sound file must be like, a description cannot say.
        case.call_and_validate(timeout=300, excluded_checks=[positive_data_acceptance])

    ask()
