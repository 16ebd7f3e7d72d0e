"""gcloud and the official libraries, unmodified, against the running service: every command and method they have."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from google.api_core.exceptions import Conflict, InvalidArgument, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import workflows_v1
from google.cloud.workflows import executions_v1
from google.cloud.workflows.executions_v1.services.executions.transports import ExecutionsGrpcTransport
from google.cloud.workflows_v1.services.workflows.transports import WorkflowsGrpcTransport

PARENT = "projects/p/locations/us-central1"
DOUBLE = "main:\n  params: [n]\n  steps:\n    - double: {return: '${n * 2}'}"
WAIT = "- before: {assign: [{x: 1}]}\n- nap: {call: sys.sleep, args: {seconds: 3600}}"


@pytest.fixture(scope="module")
def gcloud_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where gcloud keeps its settings."""
    return tmp_path_factory.mktemp("gcloud")


@pytest.fixture
def service(start_service: Callable[..., Any]) -> Any:
    """A running service."""
    return start_service("workflows")


@pytest.fixture
def gcloud(service: Any, gcloud_folder: Path) -> Callable[..., Any]:
    """Runs `gcloud workflows ...` and gives what it printed as JSON."""
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not installed")
    environment = {
        **os.environ,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_WORKFLOWS": f"{service.addresses['rest']}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_WORKFLOWEXECUTIONS": f"{service.addresses['rest']}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CONFIG": str(gcloud_folder),
        "CLOUDSDK_CORE_PROJECT": "p",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_WORKFLOWS_LOCATION": "us-central1",
    }

    def call(*arguments: str) -> Any:
        command = ["gcloud", "workflows", *arguments, "--format=json", "--verbosity=error"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        return json.loads(done.stdout or "null")

    return call


def test_gcloud_follows_a_workflow_through_its_life(service: Any, gcloud: Callable[..., Any], tmp_path: Path) -> None:
    """deploy, list, describe, run, execute, executions list, describe, wait, describe-last, cancel, delete."""
    source = tmp_path / "w.yaml"
    source.write_text(DOUBLE)
    options = ("--description=twice", "--labels=team=a", "--call-log-level=log-errors-only", "--set-env-vars=A=b")
    deployed = gcloud("deploy", "double", f"--source={source}", *options)
    assert (deployed["state"], deployed["labels"]["team"], deployed["userEnvVars"]) == ("ACTIVE", "a", {"A": "b"})
    assert deployed["callLogLevel"] == "LOG_ERRORS_ONLY"
    assert [workflow["name"] for workflow in gcloud("list")] == [f"{PARENT}/workflows/double"]
    assert gcloud("describe", "double")["description"] == "twice"
    ran = gcloud("run", "double", "--data=21")
    assert (ran["state"], ran["result"], ran["callLogLevel"]) == ("SUCCEEDED", "42", "LOG_ERRORS_ONLY")
    started = gcloud("execute", "double", "--data=4", "--call-log-level=log-none", "--labels=kind=test")
    assert gcloud("executions", "wait", started["name"])["result"] == "8"
    described = gcloud("executions", "describe", started["name"])
    assert (described["callLogLevel"], described["labels"]) == ("LOG_NONE", {"team": "a", "kind": "test"})
    listed = gcloud("executions", "list", "double", "--limit=1", "--sort-by=~startTime")
    assert [execution["name"] for execution in listed] == [started["name"]]
    source.write_text(WAIT)
    assert gcloud("deploy", "double", f"--source={source}")["revisionId"].startswith("000002-")
    waiting = gcloud("execute", "double")
    assert gcloud("executions", "describe-last")["status"]["currentSteps"] == [{"routine": "main", "step": "nap"}]
    assert gcloud("executions", "cancel", waiting["name"])["state"] == "CANCELLED"
    gcloud("delete", "double")
    assert gcloud("list") == []


def test_grpc_has_every_method_of_the_client(service: Any, executions: Any) -> None:
    """create, get, list with filter, order and pages, and cancel; refusals are the client's own exceptions."""
    base = f"{service.addresses['rest']}/v1/{PARENT}"
    for name, source in (("double", DOUBLE), ("wait", WAIT)):
        body = {"sourceContents": source}
        requests.post(f"{base}/workflows?workflowId={name}", json=body, timeout=10).raise_for_status()
    parent = f"{PARENT}/workflows/double"
    names = []
    for number in range(3):
        execution = {"argument": str(number), "labels": {"kind": f"n{number}"}, "call_log_level": "LOG_NONE"}
        created = executions.create_execution(parent=parent, execution=execution)
        assert (created.call_log_level.name, created.labels["kind"]) == ("LOG_NONE", f"n{number}")
        names.append(created.name)
    request = {"parent": parent, "page_size": 2, "order_by": "createTime", "view": "FULL"}
    pages = list(executions.list_executions(request=request).pages)
    assert [[e.name for e in page.executions] for page in pages] == [names[:2], names[2:]]
    filtered = executions.list_executions(request={"parent": parent, "filter": 'label.kind="n1"', "view": "FULL"})
    assert [e.argument for e in filtered] == ["1"]
    waiting = executions.create_execution(parent=f"{PARENT}/workflows/wait")
    steps = executions.get_execution(name=waiting.name).status.current_steps
    assert [(step.routine, step.step) for step in steps] in ([("main", "nap")], [])
    assert executions.get_execution(request={"name": waiting.name, "view": "BASIC"}).state.name == "ACTIVE"
    assert executions.cancel_execution(name=waiting.name).state.name == "CANCELLED"
    with pytest.raises(InvalidArgument, match="unknown field"):
        list(executions.list_executions(request={"parent": parent, "filter": "nothing=1"}))
    with pytest.raises(InvalidArgument, match="lower-case"):
        executions.create_execution(parent=parent, execution={"labels": {"A": "b"}})


@pytest.fixture
def executions(service: Any) -> Iterator[Any]:
    """The official client over gRPC."""
    with grpc.insecure_channel(service.addresses["grpc"]) as channel:
        yield executions_v1.ExecutionsClient(transport=ExecutionsGrpcTransport(channel=channel))


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_the_workflows_client_has_what_it_asks_for(transport: str, service: Any) -> None:
    """workflows_v1, REST and gRPC: revisions, filters, order, levels, user variables, operations, refusals."""
    with _workflows_client(service, transport) as client:
        for name in ("one", "two"):
            workflow = workflows_v1.Workflow(
                source_contents=DOUBLE,
                labels={"name": name},
                user_env_vars={"A": name},
                execution_history_level=workflows_v1.ExecutionHistoryLevel.EXECUTION_HISTORY_DETAILED,
            )
            made = client.create_workflow(parent=PARENT, workflow_id=name, workflow=workflow).result(timeout=10)
            assert made.execution_history_level.name == "EXECUTION_HISTORY_DETAILED"
        with pytest.raises(Conflict):
            client.create_workflow(parent=PARENT, workflow_id="one", workflow=workflow)
        ordered = client.list_workflows(request={"parent": PARENT, "order_by": "name desc", "page_size": 1})
        assert [w.name.rpartition("/")[2] for w in ordered] == ["two", "one"]
        found = client.list_workflows(request={"parent": PARENT, "filter": 'labels.name="two"'})
        assert [w.user_env_vars["A"] for w in found] == ["two"]
        assert client.get_workflow(request={"name": made.name, "revision_id": made.revision_id}).name == made.name
        changed = client.update_workflow(
            workflow={"name": made.name, "source_contents": WAIT}, update_mask={"paths": ["source_contents"]}
        ).result(timeout=10)
        assert (changed.revision_id[:6], changed.labels["name"]) == ("000002", "two")
        assert len(list(client.list_workflow_revisions(request={"name": made.name}))) == 2
        operations = list(client.list_operations(request={"name": PARENT}).operations)
        assert [operation.done for operation in operations] == [True] * 3
        client.delete_operation(request={"name": operations[0].name})
        client.delete_workflow(name=made.name).result(timeout=10)
        with pytest.raises(NotFound):
            client.get_workflow(name=made.name)


@contextlib.contextmanager
def _workflows_client(service: Any, transport: str) -> Iterator[Any]:
    if transport == "rest":
        options = {"api_endpoint": service.addresses["rest"]}
        credentials = AnonymousCredentials()
        client = workflows_v1.WorkflowsClient(transport="rest", client_options=options, credentials=credentials)
        assert client.get_location(request={"name": PARENT}).location_id == "us-central1"
        yield client
        return
    with grpc.insecure_channel(service.addresses["grpc"]) as channel:
        yield workflows_v1.WorkflowsClient(transport=WorkflowsGrpcTransport(channel=channel))


def test_history_survives_a_kill(start_service: Callable[..., Any]) -> None:
    """After SIGKILL the step entries have the numbers and times that they had, and what was under way still is."""
    service = start_service("workflows")
    base = f"{service.addresses['rest']}/v1/{PARENT}/workflows"
    source = f"- soon: {{call: sys.sleep, args: {{seconds: 0.01}}}}\n{WAIT}"
    requests.post(f"{base}?workflowId=w", json={"sourceContents": source}, timeout=10).raise_for_status()
    name = requests.post(f"{base}/w/executions", json={}, timeout=10).json()["name"]

    def entries(wanted: int) -> Any:
        deadline = time.monotonic() + 10
        while True:
            found = requests.get(f"{service.addresses['rest']}/v1/{name}/stepEntries", timeout=10).json()
            if found["totalSize"] == wanted:
                return found["stepEntries"]
            assert time.monotonic() < deadline

    before = entries(3)
    service.kill()
    service = start_service("workflows")
    assert entries(3) == before
    assert [entry["state"] for entry in before] == ["STATE_SUCCEEDED", "STATE_SUCCEEDED", "STATE_IN_PROGRESS"]
