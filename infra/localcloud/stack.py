"""The whole local cloud from one wiring file: services in order, then buckets, topics, workflows and triggers.

State is one folder: ``cloud.json`` says where a running cloud answers, ``log.jsonl`` holds the log lines of all its
processes, and each service keeps its own files beside them. The same folder started again continues where it was.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from . import log as logs
from . import provision, wiring
from .addresses import PORT_NAMES, PORTS_FILE, choose_ports, external, require_answer
from .process import LOOPBACK, CannotStart, write_atomically
from .supervisor import Component, Supervisor, alive

LOG = logging.getLogger(__name__)
STATE_FILE = "cloud.json"
LOG_FILE = "log.jsonl"

OnReady = Callable[[str, Mapping[str, str]], None]


@dataclass(frozen=True)
class CloudState:
    """A running local cloud: who runs it, and where each service answers."""

    pid: int
    project: str
    region: str
    pipeline: str
    log: str
    addresses: Mapping[str, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pipeline", type=Path, required=True, help="the wiring file, infra/pipeline.yaml")
    parser.add_argument("--project", default="local", help="project id of everything that is created")
    parser.add_argument("--region", default="us-central1", help="region of everything that is created")
    parser.add_argument("--base-model", help="local folder or hub id of the model that is tuned")
    parser.add_argument("--tuning-mode", choices=("lora", "full"), default="lora", help="tune adapters, or all weights")
    for name in PORT_NAMES:
        parser.add_argument(
            f"--{name.replace('_', '-')}-port", type=int, default=0, help=f"port of {name}; 0 takes a free one"
        )


async def serve(arguments: argparse.Namespace) -> None:
    """Run the local cloud until cancelled, saying on standard output what is ready."""

    def tell(component: str, addresses: Mapping[str, str]) -> None:
        print(json.dumps({"component": component, "ready": dict(addresses)}), flush=True)  # noqa: T201

    logs.configure_file("cloud", arguments.data / LOG_FILE)
    ports = {name: getattr(arguments, f"{name}_port") for name in PORT_NAMES}
    plan = CloudPlan(
        arguments.pipeline,
        arguments.data,
        arguments.project,
        arguments.region,
        ports,
        arguments.base_model,
        arguments.tuning_mode,
    )
    async with up(plan, tell) as state:
        tell("cloud", state.addresses)
        await asyncio.Event().wait()


def running(data: Path) -> CloudState | None:
    """The cloud that runs in a folder, or None."""
    try:
        state = CloudState(**json.loads((data / STATE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return state if alive(state.pid) else None


@dataclass(frozen=True)
class CloudPlan:
    """What to run: `ports` by service name, 0 for a free one (the same as last time when it is still free)."""

    pipeline: Path
    data: Path
    project: str
    region: str
    ports: Mapping[str, int]
    base_model: str | None = None
    tuning_mode: str = "lora"


@asynccontextmanager
async def up(plan: CloudPlan, on_ready: OnReady) -> AsyncIterator[CloudState]:
    """Start everything, yield once it is ready, end everything.

    CannotStart when the folder is in use by another, or a service does not come up.
    """
    plan.data.mkdir(parents=True, exist_ok=True)
    data = plan.data.resolve()
    with _lock(data):
        supervisor = Supervisor(data, data / LOG_FILE)
        try:
            state = await _start(plan, data, supervisor, on_ready)
            write_atomically(data / STATE_FILE, json.dumps(asdict(state)))
            yield state
        finally:
            (data / STATE_FILE).unlink(missing_ok=True)
            await asyncio.shield(supervisor.stop())


async def _start(plan: CloudPlan, data: Path, supervisor: Supervisor, on_ready: OnReady) -> CloudState:
    ports = choose_ports(plan.ports, data)
    addresses = {
        "storage": f"http://{LOOPBACK}:{ports['storage']}",
        "pubsub": f"{LOOPBACK}:{ports['pubsub']}",
        "pubsub_rest": f"http://{LOOPBACK}:{ports['pubsub_rest']}",
        "workflows": f"http://{LOOPBACK}:{ports['workflows']}",
        "workflows_grpc": f"{LOOPBACK}:{ports['workflows_grpc']}",
        "vertex": f"http://{LOOPBACK}:{ports['vertex']}",
        "functions": f"http://{LOOPBACK}:{ports['functions']}",
    }
    if (storage := external("STORAGE_EMULATOR_HOST", ports, data)) is not None:
        await asyncio.to_thread(require_answer, "STORAGE_EMULATOR_HOST", storage)
        addresses["storage"] = storage
    if (pubsub := external("PUBSUB_EMULATOR_HOST", ports, data)) is not None:
        await asyncio.to_thread(require_answer, "PUBSUB_EMULATOR_HOST", pubsub)
        # The official emulator has one port for gRPC and REST.
        addresses["pubsub"], addresses["pubsub_rest"] = pubsub.partition("://")[2], pubsub
    write_atomically(data / PORTS_FILE, json.dumps(ports))
    wired = wiring.read(plan.pipeline, plan.project, plan.region, addresses["functions"])
    environment = {
        "STORAGE_EMULATOR_HOST": addresses["storage"],
        "PUBSUB_EMULATOR_HOST": addresses["pubsub"],
        "VERTEX_ENDPOINT": addresses["vertex"],
        "GOOGLE_CLOUD_PROJECT": plan.project,
    }

    async def start(name: str, *arguments: str, extra: Mapping[str, str] | None = None) -> None:
        component = Component(name, arguments, {**environment, **(extra or {})})
        on_ready(name, await supervisor.start(component))

    functions = [f"--function={f.name}={f.entry_point}:{f.signature}" for f in wired.functions]
    vertex = ["--tuning-mode", plan.tuning_mode]
    vertex += ["--base-model", plan.base_model] if plan.base_model else []
    async with asyncio.TaskGroup() as group:
        if pubsub is None:
            ports_of_pubsub = ("--port", str(ports["pubsub"]), "--rest-port", str(ports["pubsub_rest"]))
            first = group.create_task(start("pubsub", *ports_of_pubsub))
        else:
            first = group.create_task(asyncio.sleep(0))
        workflow_ports = ("--port", str(ports["workflows"]), "--grpc-port", str(ports["workflows_grpc"]))
        place = ("--project", plan.project, "--location", plan.region)
        answering = {"storage": "storage", "pubsub": "pubsub_rest", "aiplatform": "vertex"}
        connectors = [f"--connector={service}={addresses[name]}" for service, name in answering.items()]
        group.create_task(start("workflows", *workflow_ports, *place, *connectors))
        group.create_task(start("vertex", "--port", str(ports["vertex"]), "--project", plan.project, *vertex))
        source = ("--source", str(wired.functions_source), "--port", str(ports["functions"]))
        group.create_task(start("functions", *source, *functions, extra=wired.functions_environment))
        await first
        topics = provision.Topics(plan.project, addresses["pubsub_rest"])
        storage_topic = await asyncio.to_thread(topics.create, provision.STORAGE_TOPIC)
        if storage is None:
            group.create_task(start("storage", "--port", str(ports["storage"]), "--events-topic", storage_topic))
    await asyncio.to_thread(provision.provision, wired, topics, plan.project, plan.region, addresses, data)
    await start("eventarc", "--routes", str(data / provision.ROUTES_FILE))
    return CloudState(
        pid=os.getpid(),
        project=plan.project,
        region=plan.region,
        pipeline=str(plan.pipeline.resolve()),
        log=str(data / LOG_FILE),
        addresses=addresses,
    )


@contextlib.contextmanager
def _lock(data: Path) -> Iterator[None]:
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotStart(
                f"a local cloud already uses {data}; give --data another folder for a second one"
            ) from error
        yield
