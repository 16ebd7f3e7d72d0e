"""The running service with the clients that people use, and what SIGKILL does to it."""

from __future__ import annotations

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
from google.api_core.exceptions import BadRequest, FailedPrecondition, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import workflows_v1
from google.cloud.workflows import executions_v1
from google.cloud.workflows.executions_v1.services.executions.transports import ExecutionsGrpcTransport
from workflows_echo import echo_server

PARENT = "projects/p/locations/us-central1"
DOUBLE = "main:\n  params: [n]\n  steps:\n    - a: {return: '${n * 2}'}"
WAIT = "- a: {call: sys.sleep, args: {seconds: 3600}}"
SLOW = """
main:
  params: [base]
  steps:
    - a: {assign: [{seen: []}]}
    - b:
        for:
          value: i
          range: [1, 3]
          steps:
            - ask: {call: http.get, args: {url: "${base + \\"/\\" + string(i)}"}, result: r}
            - note: {assign: [{seen: "${list.concat(seen, r.body)}"}]}
            - wait: {call: sys.sleep, args: {seconds: 0.05}}
    - c:
        parallel:
          shared: [seen]
          for:
            value: i
            range: [4, 8]
            steps:
              - wait_too: {call: sys.sleep, args: {seconds: "${i * 0.02}"}}
              - ask_too: {call: http.get, args: {url: "${base + \\"/\\" + string(i)}"}, result: r}
              - note_too: {assign: [{seen: "${list.concat(seen, r.body)}"}]}
    - d: {return: "${seen}"}
"""


@pytest.fixture
def service(start_service: Callable[..., Any]) -> Any:
    """A running service for the clients."""
    return start_service("workflows")


@pytest.fixture
def workflows(service: Any) -> Any:
    """The official client over REST, without credentials."""
    options = {"api_endpoint": service.addresses["rest"]}
    return workflows_v1.WorkflowsClient(transport="rest", client_options=options, credentials=AnonymousCredentials())


@pytest.fixture
def executions(service: Any) -> Iterator[Any]:
    """The official client over gRPC."""
    with grpc.insecure_channel(service.addresses["grpc"]) as channel:
        yield executions_v1.ExecutionsClient(transport=ExecutionsGrpcTransport(channel=channel))


def test_the_official_clients_deploy_and_run(workflows: Any, executions: Any) -> None:
    """workflows_v1 over REST deploys, updates, lists and deletes; executions_v1 over gRPC runs what was deployed."""
    deployed = workflows.create_workflow(
        parent=PARENT,
        workflow_id="double",
        workflow=workflows_v1.Workflow(
            source_contents=DOUBLE, call_log_level=workflows_v1.Workflow.CallLogLevel.LOG_ERRORS_ONLY
        ),
    ).result(timeout=10)
    assert deployed.state.name == "ACTIVE"
    assert deployed.call_log_level.name == "LOG_ERRORS_ONLY"
    created = executions.create_execution(parent=deployed.name, execution={"argument": "21"})
    finished = _finished(executions, created.name)
    assert (finished.state.name, finished.result) == ("SUCCEEDED", "42")
    assert finished.end_time >= finished.start_time
    updated = workflows.update_workflow(
        workflow={"name": deployed.name, "source_contents": WAIT}, update_mask={"paths": ["source_contents"]}
    ).result(timeout=10)
    assert updated.revision_id.startswith("000002")
    assert [w.name for w in workflows.list_workflows(parent=PARENT)] == [deployed.name]
    assert len(list(workflows.list_workflow_revisions(request={"name": deployed.name}))) == 2
    waiting = executions.create_execution(parent=deployed.name, execution={})
    assert executions.cancel_execution(name=waiting.name).state.name == "CANCELLED"
    with pytest.raises(FailedPrecondition):
        executions.cancel_execution(name=waiting.name)
    listed = list(executions.list_executions(parent=deployed.name))
    assert [(e.name, e.argument) for e in listed] == [(waiting.name, ""), (created.name, "")]
    workflows.delete_workflow(name=deployed.name).result(timeout=10)
    with pytest.raises(NotFound):
        executions.get_execution(name=created.name)


def test_refusals_are_the_clients_own_exceptions(workflows: Any, executions: Any) -> None:
    """A bad source is BadRequest with its place; an unknown workflow is NotFound."""
    with pytest.raises(BadRequest, match="line 1, column 13"):
        workflows.create_workflow(parent=PARENT, workflow_id="bad", workflow={"source_contents": "- a: {next: b}"})
    with pytest.raises(NotFound):
        executions.create_execution(parent=f"{PARENT}/workflows/none", execution={})


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_gcloud_deploys_runs_and_lists(service: Any, tmp_path: Path) -> None:
    """gcloud workflows deploy, run and executions list work unmodified, and show a definition's mistake."""
    source = tmp_path / "w.yaml"
    source.write_text(DOUBLE)
    _gcloud(service, tmp_path, "deploy", "by-gcloud", f"--source={source}")
    ran = json.loads(_gcloud(service, tmp_path, "run", "by-gcloud", "--data=4", "--format=json"))
    assert (ran["state"], ran["result"]) == ("SUCCEEDED", "8")
    listed = json.loads(_gcloud(service, tmp_path, "executions", "list", "by-gcloud", "--format=json"))
    assert [execution["name"] for execution in listed] == [ran["name"]]
    source.write_text("- a: {next: nowhere}")
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        _gcloud(service, tmp_path, "deploy", "by-gcloud", f"--source={source}")
    assert "error in step a" in refusal.value.stderr


@pytest.mark.parametrize("kill_after_calls", [(1,), (3, 8)])
def test_a_killed_service_goes_on_where_it_was(
    kill_after_calls: tuple[int, ...], start_service: Callable[..., Any]
) -> None:
    """After SIGKILL at any moment a restarted service ends the execution with everything that was done, once."""
    with echo_server() as (address, paths):
        service = start_service("workflows")
        requests.post(
            f"{service.addresses['rest']}/v1/{PARENT}/workflows?workflowId=w", json={"sourceContents": SLOW}, timeout=10
        ).raise_for_status()
        created = requests.post(
            f"{service.addresses['rest']}/v1/{PARENT}/workflows/w/executions",
            json={"argument": json.dumps(address)},
            timeout=10,
        )
        name = created.json()["name"]
        for count in kill_after_calls:
            paths.wait_for(count)
            service.kill()
            service = start_service("workflows")
        found = _final(service.addresses["rest"], name)
        service.stop()
        assert service.process.returncode == 0
    assert found["state"] == "SUCCEEDED"
    assert sorted(json.loads(found["result"])) == [f"/{number}" for number in range(1, 9)]
    assert set(paths.all) == {f"/{number}" for number in range(1, 9)}
    # Only calls in flight at a kill are made again: one of the sequence, or the five of the parallel step.
    assert len(paths.all) <= 8 + 5 * len(kill_after_calls)
    assert created.json()["state"] == "ACTIVE"


def _finished(client: Any, name: str) -> Any:
    deadline = time.monotonic() + 10
    while (found := client.get_execution(name=name)).state.name == "ACTIVE":
        assert time.monotonic() < deadline
    return found


def _final(address: str, name: str) -> Any:
    deadline = time.monotonic() + 20
    while (found := requests.get(f"{address}/v1/{name}", timeout=10).json())["state"] == "ACTIVE":
        assert time.monotonic() < deadline
    return found


def _gcloud(service: Any, folder: Path, *arguments: str) -> str:
    environment = {
        **os.environ,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_WORKFLOWS": f"{service.addresses['rest']}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_WORKFLOWEXECUTIONS": f"{service.addresses['rest']}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": "p",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    }
    command = ["gcloud", "workflows", *arguments, "--location=us-central1", "--verbosity=error"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout
