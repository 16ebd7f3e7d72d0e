"""Connectors against the local cloud's own services, over the network: storage, Pub/Sub, Vertex AI, Workflows."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from localcloud.workflows import run_source

PARENT = "projects/p/locations/us-central1"
STORE_AND_TELL = """
main:
  params: [bucket]
  steps:
    - names:
        assign:
          - topic: projects/p/topics/changes
          - subscription: projects/p/subscriptions/readers
          - code: 200
          - object: ${text.url_encode("dir/a file.json")}
    - make_bucket: {call: googleapis.storage.v1.buckets.insert, args: {project: p, body: {name: "${bucket}"}}}
    - put:
        call: googleapis.storage.v1.objects.insert
        args: {bucket: "${bucket}", name: "${object}", uploadType: media, body: {rows: [1, 2]}}
        result: stored
    - get:
        call: googleapis.storage.v1.objects.get
        args: {bucket: "${bucket}", object: "${object}", alt: media}
        result: content
    - make_topic: {call: googleapis.pubsub.v1.projects.topics.create, args: {name: "${topic}"}}
    - subscribe:
        call: googleapis.pubsub.v1.projects.subscriptions.create
        args: {name: "${subscription}", body: {topic: "${topic}"}}
    - publish:
        call: googleapis.pubsub.v1.projects.topics.publish
        args:
          topic: ${topic}
          body: {messages: [{data: "${base64.encode(json.encode(content))}", attributes: {name: "${stored.name}"}}]}
    - pull:
        call: googleapis.pubsub.v1.projects.subscriptions.pull
        args: {subscription: "${subscription}", body: {maxMessages: 1}}
        result: pulled
    - read: {assign: [{message: "${pulled.receivedMessages[0].message}"}]}
    - delete: {call: googleapis.storage.v1.objects.delete, args: {bucket: "${bucket}", object: "${object}"}}
    - gone:
        try: {call: googleapis.storage.v1.objects.get, args: {bucket: "${bucket}", object: "${object}"}}
        except: {as: e, steps: [{missing: {assign: [{code: "${e.code}"}]}}]}
    - done:
        return:
          name: ${message.attributes.name}
          content: ${json.decode(base64.decode(message.data))}
          code: ${code}
"""
ENDPOINT = """
main:
  steps:
    - create:
        call: googleapis.aiplatform.v1.projects.locations.endpoints.create
        args: {parent: projects/p/locations/us-central1, region: us-central1, body: {displayName: here}}
        result: made
    - list:
        call: googleapis.aiplatform.v1.projects.locations.endpoints.list
        args: {parent: projects/p/locations/us-central1, region: us-central1}
        result: listed
    - delete:
        call: googleapis.aiplatform.v1.projects.locations.endpoints.delete
        args: {name: "${made.name}", region: us-central1}
    - done: {return: ["${listed.endpoints[0].displayName}", "${made.name == listed.endpoints[0].name}"]}
"""


def _run(source: str, connectors: dict[str, str], argument: Any = None) -> Any:
    return asyncio.run(run_source(source, argument, connectors=connectors))


def test_objects_and_messages_go_through_our_own_services(
    storage_address: str, start_service: Callable[..., Any]
) -> None:
    """A workflow stores, reads and deletes an object whose name has a folder, and publishes and pulls a message."""
    pubsub = start_service("pubsub").addresses["rest"]
    result = _run(STORE_AND_TELL, {"storage": storage_address, "pubsub": pubsub}, "connected")
    assert result == {"name": "dir/a file.json", "content": {"rows": [1, 2]}, "code": 404}


def test_operations_of_our_own_vertex_are_waited_for(storage_address: str, start_service: Callable[..., Any]) -> None:
    """An endpoint is created, listed and deleted; each operation's response is the step's result."""
    vertex = start_service("vertex", "--base-model=none", STORAGE_EMULATOR_HOST=storage_address).addresses["rest"]
    assert _run(ENDPOINT, {"aiplatform": vertex}) == ["here", True]


def test_a_server_calls_itself_and_what_its_options_name(
    storage_address: str, start_service: Callable[..., Any]
) -> None:
    """--connector names a service's address; workflows and their executions need none."""
    rest = start_service("workflows", f"--connector=storage={storage_address}").addresses["rest"]
    child = (
        "- list: {call: googleapis.storage.v1.buckets.list, args: {project: p}, result: r}\n- b: {return: '${r.kind}'}"
    )
    run = "googleapis.workflowexecutions.v1.projects.locations.workflows.executions.run"
    parent = json.dumps(
        [{"a": {"call": run, "args": {"workflow_id": "child"}, "result": "r"}}, {"b": {"return": "${r}"}}]
    )
    for name, source in (("child", child), ("parent", parent)):
        url = f"{rest}/v1/{PARENT}/workflows?workflowId={name}"
        requests.post(url, json={"sourceContents": source}, timeout=10).raise_for_status()
    execution = requests.post(f"{rest}/v1/{PARENT}/workflows/parent/executions", json={}, timeout=10).json()
    deadline = time.monotonic() + 20
    while execution["state"] == "ACTIVE":
        assert time.monotonic() < deadline
        time.sleep(0.05)
        execution = requests.get(f"{rest}/v1/{execution['name']}", timeout=10).json()
    assert execution.get("result") == '"storage#buckets"', execution


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("storage", "--connector storage: it must read SERVICE=URL"),
        ("strage=http://127.0.0.1:1", "there is no connector service 'strage'; nearest: storage"),
    ],
)
def test_wrong_options_end_the_server_with_a_message(option: str, message: str, tmp_path: Path) -> None:
    """A service without an address, or with a misspelt name, is refused at the start."""
    command = [sys.executable, "-m", "localcloud", "workflows", "--data", str(tmp_path), f"--connector={option}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 3
    assert message in ended.stderr
