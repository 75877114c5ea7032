"""Whatever the description allows, and much that it does not, is answered as it says."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

EXAMPLES = 15  # of each operation; once in a while, try hundreds
HERE = "http://127.0.0.1:8765"


@pytest.fixture(scope="session")
def description(served) -> schemathesis.schemas.BaseSchema:
    return schemathesis.openapi.from_asgi("/v1/openapi.json", served.client.app)


described = schemathesis.pytest.from_fixture("description")


@described.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_requests_are_answered_as_described(case: schemathesis.Case, served) -> None:
    case.call_and_validate(base_url=HERE)
    if case.path_parameters:  # most keys lead nowhere
        case.path_parameters["key"] = served.key("flac.flac")
        assert case.call(base_url=HERE).status_code < 500
