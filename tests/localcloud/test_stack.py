"""The whole local cloud with an application that is not Droptune: one command, one folder, nothing lost, nothing left.

The tests that take `stack` share one cloud and run in their order; the last of them stops it and starts it again.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from stack_process import Stack

from localcloud.process import listen
from localcloud.stack import running

ATTEMPTS = 5  # max_delivery_attempts of the trigger


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(tmp_path_factory.mktemp("stack")).start()
    made.put("first")
    yield made
    made.stop()


def test_an_object_travels_all_hops(stack: Stack) -> None:
    """Bucket, function, topic, workflow and function, wired by one file, each once."""
    stack.travels("first")
    assert stack.notes() == {"seen first": 1, "hopped first": 1}


def test_what_cannot_be_delivered_is_put_aside(stack: Stack) -> None:
    """After its attempts it lies in the dead-letter subscription, saying where it comes from; the others flow on."""
    stack.put("poison")
    for number in range(5):
        stack.put(f"other-{number}")
    for number in range(5):
        stack.travels(f"other-{number}")
    (dead,) = stack.until(stack.dead)
    assert stack.notes()["seen poison"] == ATTEMPTS
    assert dead["attributes"]["objectId"] == "poison"
    assert dead["attributes"]["CloudPubSubDeadLetterSourceSubscription"] == "dropped"
    assert dead["attributes"]["CloudPubSubDeadLetterSourceDeliveryCount"] == str(ATTEMPTS)


def test_the_folder_tells_who_runs_and_where(stack: Stack) -> None:
    """Commands find a running cloud by its folder."""
    state = running(stack.data)
    assert state is not None
    assert (state.pid, state.project) == (stack.process.pid, "local")
    assert dict(state.addresses) == stack.addresses
    assert set(state.addresses) >= {"storage", "pubsub", "pubsub_rest", "workflows", "vertex", "functions"}
    assert all("127.0.0.1:" in address for address in state.addresses.values())


def test_a_folder_in_use_is_refused(stack: Stack) -> None:
    """A second cloud on the same folder ends at once, says what to do, and leaves the first one alone."""
    second = stack.up()
    _, told = second.communicate(timeout=30)
    assert second.returncode == 3
    assert str(stack.data) in told
    assert "--data" in told
    assert running(stack.data) is not None
    stack.put("undisturbed")
    stack.travels("undisturbed")


def test_an_object_that_comes_while_the_router_is_down_arrives(stack: Stack) -> None:
    """Its message waits in Pub/Sub until Eventarc is back."""
    router = stack.child("eventarc")
    router.kill()
    router.wait(10)
    stack.put("meanwhile")
    stack.travels("meanwhile")


def test_an_object_whose_message_was_lost_is_found(stack: Stack) -> None:
    """With Pub/Sub down, storage dies before it could tell of the object: listing the bucket finds it."""
    pubsub, storage = stack.child("pubsub"), stack.child("fake-gcs-server")
    pubsub.kill()
    pubsub.wait(10)
    stack.put("lost")
    storage.kill()
    stack.travels("lost")


def test_a_stopped_cloud_leaves_nothing_and_goes_on_where_it_was(stack: Stack) -> None:
    """Ctrl-C ends every process; started again it has the same addresses and tells of no old object."""
    stack.travels("first")
    before, tree = stack.addresses, stack.tree()
    assert stack.stop() == 0
    assert not psutil.wait_procs(tree, timeout=10)[1]
    assert not (stack.data / "cloud.json").exists()
    assert running(stack.data) is None
    stack.start()
    assert stack.addresses == before
    assert json.loads((stack.data / "cloud.json").read_text())["pid"] == stack.process.pid
    stack.put("after")
    stack.travels("after")
    assert stack.notes()["seen first"] == 1


def test_ctrl_c_during_the_start_leaves_nothing(tmp_path: Path) -> None:
    """Whatever was started by then is ended."""
    stack = Stack(tmp_path)
    process = stack.up()
    assert process.stdout is not None
    process.stdout.readline()  # one service is ready, others are on their way
    tree = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert tree
    assert not psutil.wait_procs(tree, timeout=10)[1]
    assert not (stack.data / "cloud.json").exists()


def test_a_service_that_cannot_start_is_named(tmp_path: Path) -> None:
    """The cloud is up as a whole or not at all; the log says why, and the message where the log is."""
    stack = Stack(tmp_path)
    with listen() as taken:
        taken.listen()
        process = stack.up("--vertex-port", str(taken.getsockname()[1]))
        _, told = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "vertex ended" in told
    assert str(stack.data / "log.jsonl") in told
    assert "in use" in stack.log()
