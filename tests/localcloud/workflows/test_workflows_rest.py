"""The REST APIs as plain HTTP: resources, revisions, listings, errors, callbacks."""

from __future__ import annotations

from typing import Any

import pytest
from workflows_cloud import Cloud, run

DOUBLE = "main:\n  params: [n]\n  steps:\n    - a: {return: '${n * 2}'}"
WAIT = "- a: {call: sys.sleep, args: {seconds: 60}}\n- b: {return: done}"


def test_a_workflow_is_deployed_run_and_read() -> None:
    """Create answers with a finished operation; an execution goes from ACTIVE to SUCCEEDED with its result as text."""

    async def scenario(cloud: Cloud) -> None:
        operation = await cloud.deploy(DOUBLE, labels={"team": "a"})
        assert operation["done"] is True
        assert operation["response"]["@type"].endswith("google.cloud.workflows.v1.Workflow")
        assert operation["response"]["revisionId"].startswith("000001-")
        assert await cloud.call("GET", f"/operations/{operation['name'].rpartition('/')[2]}") == operation
        created = await cloud.call("POST", "/workflows/w/executions", json={"argument": "21", "labels": {"b": "c"}})
        assert created["state"] == "ACTIVE"
        assert created["labels"] == {"team": "a", "b": "c"}
        await cloud.clock.advance(0)
        found = await cloud.call("GET", f"/workflows/w/executions/{created['name'].rpartition('/')[2]}")
        assert (found["state"], found["result"], found["argument"]) == ("SUCCEEDED", "42", "21")
        assert found["workflowRevisionId"] == operation["response"]["revisionId"]
        assert "error" not in found

    run(scenario)


def test_a_failed_execution_tells_where() -> None:
    """Payload is the raised value as JSON text; context and stack trace name step, routine and line."""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy("main:\n  steps:\n    - bad:\n        raise: {code: 7}")
        created = await cloud.call("POST", "/workflows/w/executions", json={})
        await cloud.clock.advance(0)
        found = await cloud.call("GET", f"/workflows/w/executions/{created['name'].rpartition('/')[2]}")
        assert found["state"] == "FAILED"
        assert found["error"]["payload"] == '{"code":7}'
        assert 'in step "bad", routine "main", line: 3' in found["error"]["context"]
        element = found["error"]["stackTrace"]["elements"][0]
        assert (element["step"], element["routine"], element["position"]["line"]) == ("bad", "main", "3")
        assert "result" not in found

    run(scenario)


def test_a_bad_source_is_refused_with_its_place() -> None:
    """Deployment of a wrong definition is INVALID_ARGUMENT and names step, line and column."""

    async def scenario(cloud: Cloud) -> None:
        body = {"sourceContents": "- a: {next: nowhere}"}
        refusal = await cloud.call("POST", "/workflows?workflowId=w", 400, json=body)
        assert refusal["error"]["status"] == "INVALID_ARGUMENT"
        assert "failed to build: error in step a" in refusal["error"]["message"]
        assert "line 1, column 13" in refusal["error"]["message"]
        await cloud.call("GET", "/workflows/w", 404)

    run(scenario)


def test_revisions_come_from_source_and_environment_only() -> None:
    """A new source or environment makes a revision, a description does not; all are listed, newest first."""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(DOUBLE)
        one = await cloud.call("PATCH", "/workflows/w?updateMask=description", json={"description": "d"})
        two = await cloud.call("PATCH", "/workflows/w?updateMask=source_contents", json={"sourceContents": WAIT})
        three = await cloud.call("PATCH", "/workflows/w?updateMask=userEnvVars", json={"userEnvVars": {"A": "1"}})
        found = [operation["response"]["revisionId"][:6] for operation in (one, two, three)]
        assert found == ["000001", "000002", "000003"]
        assert three["response"]["description"] == "d"
        listed = await cloud.call("GET", "/workflows/w:listRevisions?pageSize=2")
        assert [w["revisionId"][:6] for w in listed["workflows"]] == ["000003", "000002"]
        assert listed["nextPageToken"]
        first = listed["workflows"][1]["revisionId"]
        assert (await cloud.call("GET", f"/workflows/w?revisionId={first}"))["sourceContents"] == WAIT

    run(scenario)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("GET", "/workflows/none", None, 404, "NOT_FOUND"),
        ("POST", "/workflows?workflowId=w", {"sourceContents": WAIT}, 409, "ALREADY_EXISTS"),
        ("POST", "/workflows?workflowId=1w", {"sourceContents": WAIT}, 400, "INVALID_ARGUMENT"),
        ("POST", "/workflows?workflowId=x", {}, 400, "INVALID_ARGUMENT"),
        (
            "POST",
            "/workflows?workflowId=x",
            {"sourceContents": WAIT, "userEnvVars": {"GOOGLE_X": ""}},
            400,
            "INVALID_ARGUMENT",
        ),
        ("PATCH", "/workflows/w?updateMask=revisionId", {}, 400, "INVALID_ARGUMENT"),
        ("POST", "/workflows/none/executions", {}, 404, "NOT_FOUND"),
        ("POST", "/workflows/w/executions", {"argument": "{"}, 400, "INVALID_ARGUMENT"),
        ("POST", "/workflows/w/executions", {"argument": {"a": 1}}, 400, "INVALID_ARGUMENT"),
        ("GET", "/workflows/w/executions/none", None, 404, "NOT_FOUND"),
        ("GET", "/workflows/w/executions?filter=state", None, 400, "INVALID_ARGUMENT"),
        ("GET", "/workflows/w/executions?pageToken=x", None, 400, "INVALID_ARGUMENT"),
        ("GET", "/operations/none", None, 404, "NOT_FOUND"),
    ],
)
def test_refusals_have_googles_shape(method: str, path: str, body: Any, status: int, reason: str) -> None:
    """Every refusal is a Google error with its status."""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(WAIT)
        assert (await cloud.call(method, path, status, json=body))["error"]["status"] == reason

    run(scenario)


def test_executions_are_listed_filtered_and_paged() -> None:
    """Newest first, BASIC without arguments, by state, in pages."""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(WAIT)
        names = []
        for number in range(5):
            created = await cloud.call("POST", "/workflows/w/executions", json={"argument": str(number)})
            names.append(created["name"])
            await cloud.clock.advance(20)
        listed = await cloud.call("GET", "/workflows/w/executions")
        assert [execution["name"] for execution in listed["executions"]] == names[::-1]
        assert all("argument" not in execution for execution in listed["executions"])
        full = await cloud.call("GET", "/workflows/w/executions?view=FULL&filter=state%3D%22SUCCEEDED%22")
        assert [execution["argument"] for execution in full["executions"]] == ["2", "1", "0"]
        page = await cloud.call("GET", "/workflows/w/executions?pageSize=3&orderBy=createTime")
        rest = await cloud.call(
            "GET", f"/workflows/w/executions?pageSize=3&orderBy=createTime&pageToken={page['nextPageToken']}"
        )
        assert [e["name"] for e in page["executions"] + rest["executions"]] == names
        assert "nextPageToken" not in rest

    run(scenario)


def test_cancelling_ends_an_execution_once() -> None:
    """A cancelled execution has an error and no result; a second cancel is refused."""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(WAIT)
        created = await cloud.call("POST", "/workflows/w/executions", json={})
        await cloud.clock.advance(1)
        path = f"/workflows/w/executions/{created['name'].rpartition('/')[2]}"
        running = await cloud.call("GET", path)
        assert running["status"]["currentSteps"] == [{"routine": "main", "step": "a"}]
        cancelled = await cloud.call("POST", f"{path}:cancel", json={})
        assert cancelled["state"] == "CANCELLED"
        assert cancelled["status"] == running["status"]
        await cloud.clock.advance(100)
        found = await cloud.call("GET", path)
        assert (found["state"], found["error"]["context"]) == ("CANCELLED", "execution cancelled")
        refusal = await cloud.call("POST", f"{path}:cancel", 400, json={})
        assert refusal["error"]["status"] == "FAILED_PRECONDITION"

    run(scenario)


def test_deleting_a_workflow_takes_its_executions_along() -> None:
    """Running executions stop, and workflow and executions are gone."""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(WAIT)
        created = await cloud.call("POST", "/workflows/w/executions", json={})
        await cloud.clock.advance(1)
        operation = await cloud.call("DELETE", "/workflows/w")
        assert operation["response"]["@type"].endswith("google.protobuf.Empty")
        await cloud.call("GET", f"/workflows/w/executions/{created['name'].rpartition('/')[2]}", 404)
        assert await cloud.call("GET", "/workflows") == {"workflows": []}
        assert (await cloud.deploy(WAIT))["response"]["revisionId"].startswith("000001")

    run(scenario)


def test_callback_urls_receive_calls() -> None:
    """One request is held until it is taken; another one meanwhile gets 429, another method 404, later 404."""
    source = """
- a: {call: events.create_callback_endpoint, args: {http_callback_method: POST}, result: c}
- b: {call: sys.sleep, args: {seconds: 10}}
- d: {call: events.await_callback, args: {callback: "${c}"}, result: r}
- e: {return: {body: "${r.http_request.body}", query: "${r.http_request.query.k}", type: "${r.type}"}}
"""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(source)
        created = await cloud.call("POST", "/workflows/w/executions", json={})
        await cloud.clock.advance(1)
        path = f"/workflows/w/executions/{created['name'].rpartition('/')[2]}"
        callback = (await cloud.call("GET", f"{path}/callbacks"))["callbacks"][0]
        url = f"http://local/v1/{callback['name']}"
        assert callback["method"] == "POST"
        await cloud.call("PUT", url, 404)
        await cloud.call("POST", f"{url}?k=v", json={"ok": True})
        await cloud.call("POST", url, 429, json={"ok": False})
        await cloud.clock.advance(10)
        found = await cloud.call("GET", path)
        assert found["result"] == '{"body":{"ok":true},"query":"v","type":"HTTP"}'
        await cloud.call("POST", url, 404)

    run(scenario)


def test_a_callback_wakes_a_waiting_execution() -> None:
    """A request that comes while the execution waits lets it go on at once."""
    source = """
- a: {call: events.create_callback_endpoint, result: c}
- d: {call: events.await_callback, args: {callback: "${c}", timeout: 3600}, result: r}
- e: {return: "${r.http_request.body}"}
"""

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(source)
        created = await cloud.call("POST", "/workflows/w/executions", json={})
        await cloud.clock.advance(1)
        path = f"/workflows/w/executions/{created['name'].rpartition('/')[2]}"
        callback = (await cloud.call("GET", f"{path}/callbacks"))["callbacks"][0]
        assert callback["waiters"] == "1"
        await cloud.call(
            "POST", f"http://local/v1/{callback['name']}", content="yes", headers={"Content-Type": "text/plain"}
        )
        await cloud.clock.advance(0)
        assert (await cloud.call("GET", path))["result"] == '"yes"'

    run(scenario)


def test_a_pubsub_push_starts_an_execution() -> None:
    """triggerPubsubExecution passes the CloudEvent that Eventarc makes of the message."""

    async def scenario(cloud: Cloud) -> None:
        value = "${text.decode(base64.decode(event.data.message.data))}"
        source = f"main:\n  params: [event]\n  steps:\n    - a: {{return: '{value}'}}"
        await cloud.deploy(source)
        push = {"subscription": "projects/p/subscriptions/s", "message": {"data": "aGk=", "messageId": "1"}}
        created = await cloud.call("POST", "/workflows/w:triggerPubsubExecution", json=push)
        await cloud.clock.advance(0)
        found = await cloud.call("GET", f"/workflows/w/executions/{created['name'].rpartition('/')[2]}")
        assert found["result"] == '"hi"'

    run(scenario)
