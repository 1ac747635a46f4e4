"""The OpenAPI document is true: no generated request, valid or broken, gets an answer it does not state."""

from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from installation import Installation

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
# Signing out ends a session, a stream never ends, and what a valid job costs is not this test's business.
LEFT_OUT = "^/api/v1/(session|events)$"
schemathesis.serializer.alias("application/zip", "application/octet-stream")


@pytest.fixture(scope="session")
def stated(installation: Installation) -> Any:
    """The document, as the server states it."""
    return schemathesis.openapi.from_url(
        f"{installation.base_url}/api/openapi.json", headers={"Authorization": f"Bearer {installation.token}"}
    )


schema = schemathesis.pytest.from_fixture("stated").exclude(path_regex=LEFT_OUT)


@schema.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_is_stated(case: schemathesis.Case, installation: Installation) -> None:
    body = case.body if isinstance(case.body, dict) else {}
    assume(body.get("kind") != "fetch_dataset")
    if case.headers:
        case.headers.pop("Blindspots-Project", None)  # a made-up project would answer 404 everywhere
    answer = case.call_and_validate(headers={"Authorization": f"Bearer {installation.token}"}, checks=CHECKS)
    if answer.status_code == 202:  # what was made up here need not be computed
        installation.client.post(f"/api/v1/jobs/{answer.json()['id']}/cancel")


def test_the_document_states_the_spec_union_with_examples(client: httpx2.Client) -> None:
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    content = document["paths"]["/api/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]
    kinds = content["schema"]["discriminator"]["mapping"]
    assert {"attack", "train", "fetch_dataset"} <= set(kinds)
    for reference in kinds.values():
        assert reference.rsplit("/", 1)[1] in document["components"]["schemas"]
    for example in content["examples"].values():
        answer = client.post("/api/v1/jobs/estimate", json=example["value"])
        assert answer.status_code == 200, answer.text


def test_every_reference_of_the_document_leads_somewhere(client: httpx2.Client) -> None:
    document = client.get("/api/openapi.json").json()
    schemas = document["components"]["schemas"]

    def references(node: Any) -> Any:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference


def test_every_operation_is_described(client: httpx2.Client) -> None:
    for path, operations in client.get("/api/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path}"
            assert set(operation["responses"]) >= {"401", "403"}, f"{method} {path}"


def test_the_reference_page_needs_no_other_site(client: httpx2.Client) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "/vendor/swagger-ui-bundle.js" in page.text
