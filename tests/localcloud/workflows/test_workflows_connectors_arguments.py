"""Arguments of any shape: each is a request or an error of the workflow, and text survives its way into the URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.workflows import WorkflowError
from localcloud.workflows.connectors import connector
from localcloud.workflows.connectors.arguments import Outgoing, outgoing
from localcloud.workflows.connectors.jobs import JOBS
from localcloud.workflows.connectors.methods import method_of
from localcloud.workflows.connectors.parameters import connector_params
from localcloud.workflows.connectors.progress import Awaited, checked

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
NAMES = (
    "googleapis.firestore.v1.projects.databases.documents.patch",
    "googleapis.sheets.v4.spreadsheets.get",
    "googleapis.storage.v1.objects.insert",
    "googleapis.storage.v1.objects.list",
)


@given(TEXT)
def test_resource_names_keep_their_text(text: str) -> None:
    """What stands in a path after + is the same text once the server has decoded it, slashes and all."""
    sent = outgoing(method_of("googleapis.pubsub.v1.projects.topics.get"), {"topic": text})
    assert unquote(urlsplit(f"http://host/{sent.path}").path) == f"/v1/{unquote(text)}"


@given(TEXT)
def test_query_parameters_keep_their_text(text: str) -> None:
    """Whatever a query parameter holds arrives."""
    sent = outgoing(method_of("googleapis.storage.v1.objects.list"), {"bucket": "b", "prefix": text})
    assert parse_qs(urlsplit(f"http://host/{sent.path}").query, keep_blank_values=True) == {"prefix": [text]}


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
def test_any_arguments_are_a_request_or_an_error(name: str, data: st.DataObject) -> None:
    """No value of any type leads to an error of the host."""
    function = connector(name)
    assert function is not None
    names = [parameter.name for parameter in function.parameters]
    named: dict[str, Any] = data.draw(st.dictionaries(st.sampled_from(names), VALUES))
    try:
        values = dict(zip(names, function.check(named), strict=True))
        connector_params(values["connector_params"])
        sent = outgoing(method_of(name), {key: value for key, value in values.items() if value is not None})
    except WorkflowError as error:
        assert error.tags
    else:
        assert isinstance(sent, Outgoing)
        assert sent.path.isascii()


def _awaited() -> list[Awaited]:
    starters = (
        "cloudbuild.v1.projects.builds.create",
        "compute.v1.instances.stop",
        "batch.v1.projects.locations.jobs.delete",
    )
    found = [method_of(f"googleapis.{name}").awaited for name in starters]
    return [*JOBS.values(), *(awaited for awaited in found if awaited is not None)]


FIELDS = ("conditions", "currentState", "done", "error", "errorResult", "errors", "id", "jobReference", "location")
FIELDS += ("metadata", "name", "namespace", "response", "selfLink", "state", "status", "type")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(("DONE", "Completed", "False", "SUCCEEDED", "")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(_awaited()), JSON)
def test_any_answer_can_be_waited_for_or_is_a_response_type_error(awaited: Awaited, answer: Any) -> None:
    """Whatever a service answers where an operation or a job is expected, the workflow goes on or gets its error."""
    for read in (lambda first: awaited.path(first, "v1/"), awaited.progress):
        try:
            checked(read, "name", answer)
        except WorkflowError as error:
            assert error.tags == ("ResponseTypeError",)
