"""Which workflow definitions of checked-out repositories parse here, and what those end with that need no service.

``python tests/benchmarks/public_definitions.py FOLDER...``

Every YAML or JSON file with routines or a list of steps counts. `fragment`: it has no main, and parses with one.
`joined`: it parses with the fragments of its folder, as its deployment joins them. `unavailable`: it is right but calls
what the engine refuses by name. `refused`: it is wrong; each problem is a line. `run`: it needs no service, and ended
like that with driven time; requests to plain addresses are answered with an empty JSON object (`stubbed`). A parameter
of main called `event` gets a Pub/Sub event; all others get no argument.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "infra"))

from localcloud.clock import ManualClock
from localcloud.workflows import HttpReply, HttpRequest, SourceError, WorkflowError, parse, run_source
from localcloud.workflows.language.syntax import Call, Program
from localcloud.workflows.language.walk import actions_of
from localcloud.workflows.values import to_json

KINDS = ("definitions", "parsed", "fragment", "joined", "unavailable", "refused", "run", "stubbed")
_SUFFIXES = (".yaml", ".yml", ".json")
_STEP_KEYS = {"assign", "call", "for", "next", "parallel", "raise", "return", "steps", "switch", "try"}
_CONNECTORS = ("googleapis.", "experimental.", "gke.", "shell.")
_UNAVAILABLE = "is not available locally"
_EMPTY_MAIN = "\nmain: {steps: [{nothing: {return: null}}]}\n"
# As captured from Eventarc: the data is "Hello World", and a message without attributes has no such key.
_EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "//pubsub.googleapis.com/projects/p/topics/t",
    "type": "google.cloud.pubsub.topic.v1.messagePublished",
    "datacontenttype": "application/json",
    "time": "2026-01-01T00:00:00Z",
    "data": {
        "subscription": "projects/p/subscriptions/s",
        "message": {"data": "SGVsbG8gV29ybGQ=", "messageId": "1", "publishTime": "2026-01-01T00:00:00Z"},
    },
}


def main(folders: list[str]) -> None:
    """Print what is found in each folder, and the counts of all."""
    logging.disable(logging.CRITICAL)
    total: Counter[str] = Counter()
    for folder in folders:
        print(f"== {folder}")
        counts: Counter[str] = Counter()
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix in _SUFFIXES and path.is_file() and _is_definition(path):
                counts.update(["definitions", *_report(path, path.relative_to(folder))])
        print(_summary(counts))
        total += counts
    print(f"== all\n{_summary(total)}")


def _summary(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)


def _is_definition(path: Path) -> bool:
    tree = _loaded(path)
    if isinstance(tree, list):
        steps = [body for item in tree if isinstance(item, dict) for body in item.values()]
        return any(isinstance(body, dict) and _STEP_KEYS & body.keys() for body in steps)
    if not isinstance(tree, dict):
        return False
    return any(isinstance(body, dict) and isinstance(body.get("steps"), list) for body in tree.values())


def _loaded(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError):
        return None


def _report(path: Path, shown: Path) -> Iterator[str]:
    """The kinds that a definition is of, each printed where it says more than that the definition parses."""
    source = path.read_text(encoding="utf-8")
    try:
        program = parse(source)
    except SourceError as error:
        kind = _kind_of_refusal(path, source, error)
        print(f"{kind:12}{shown}")
        for problem in error.problems if kind in ("refused", "unavailable") else ():
            print(f"{'':12}{problem}")
        yield kind
        return
    yield "parsed"
    called = set(_called(program))
    if any(function.startswith(_CONNECTORS) for function in called):
        return
    kind = "stubbed" if any(function.startswith("http.") for function in called) else "run"
    print(f"{kind:12}{shown}: {asyncio.run(_end(source, program))}")
    yield kind


def _kind_of_refusal(path: Path, source: str, error: SourceError) -> str:
    if all(_UNAVAILABLE in problem.message for problem in error.problems):
        return "unavailable"
    tree = _loaded(path)
    if not isinstance(tree, dict):
        return "refused"
    if "main" not in tree:
        return "fragment" if _parses(source + _EMPTY_MAIN) else "refused"
    fragments = [other for other in path.parent.iterdir() if other.suffix == path.suffix and _is_definition(other)]
    texts = [other.read_text(encoding="utf-8") for other in sorted(fragments) if "main" not in _loaded(other)]
    return "joined" if texts and _parses("\n".join([source, *texts])) else "refused"


def _parses(source: str) -> bool:
    try:
        parse(source)
    except SourceError:
        return False
    return True


def _called(program: Program) -> Iterator[str]:
    """The names that steps call; what leaves the machine cannot be called elsewhere."""
    for routine in program.routines.values():
        yield from (action.function for _, action in actions_of(routine.steps) if isinstance(action, Call))


class _EmptyAnswers:
    """The whole web: every address answers with an empty JSON object."""

    async def send(self, request: HttpRequest) -> HttpReply:
        """An empty object."""
        return HttpReply(200, {"Content-Type": "application/json"}, json.dumps({}).encode())


async def _end(source: str, program: Program) -> str:
    parameters = program.main.parameters
    argument = _EVENT if parameters and parameters[0].name == "event" else None
    try:
        result = await run_source(source, argument, clock=ManualClock(), http=_EmptyAnswers())
    except WorkflowError as error:
        return f"error {error.headline()}"
    return f"result {to_json(result)}"


if __name__ == "__main__":
    main(sys.argv[1:])
