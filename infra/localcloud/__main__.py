"""``python -m localcloud up``, or one service alone: ``storage|pubsub|eventarc|functions|workflows|vertex``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from . import log
from .process import CannotStart, die_with_parent

# One module per service. Each has `add_arguments(parser)` and `async serve(arguments)`, which runs until cancelled;
# imported only when asked for, since some are heavy.
COMPONENTS: Mapping[str, tuple[str, str]] = {
    "up": ("localcloud.stack", "everything, from one wiring file"),
    "storage": ("localcloud.storage", "Cloud Storage (fake-gcs-server)"),
    "pubsub": ("localcloud.pubsub.server", "Pub/Sub: gRPC and REST"),
    "eventarc": ("localcloud.eventarc", "Eventarc: delivers object and topic changes as CloudEvents"),
    "functions": ("localcloud.functions", "Cloud Run functions under functions-framework"),
    "workflows": ("localcloud.workflows.server", "Workflows: REST and gRPC"),
    "vertex": ("localcloud.vertex.server", "Vertex AI: tuning, models, endpoints"),
}
# Where a service has commands beside its server: a module with `COMMANDS` by name, and `main(arguments)`, which gives
# the exit status.
COMMANDS: Mapping[str, str] = {"workflows": "localcloud.workflows.cli"}
WITHOUT_PORT = ("up", "eventarc")  # the first has a port for each of its services, the second listens on none


def main(argv: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM. Exit codes: 0 stopped, 2 usage, 3 could not start; a command has its own."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) > 1 and arguments[0] in COMMANDS:
        commands = importlib.import_module(COMMANDS[arguments[0]])
        if arguments[1] in commands.COMMANDS:
            return int(commands.main(arguments[1:]))
    parser = argparse.ArgumentParser(prog="python -m localcloud", description=__doc__)
    subparsers = parser.add_subparsers(dest="component", required=True, metavar="SERVICE")
    chosen = next((a for a in arguments if not a.startswith("-")), None)
    for name, (module_name, summary) in COMPONENTS.items():
        sub = subparsers.add_parser(name, help=summary, description=summary)
        if name not in WITHOUT_PORT:
            sub.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
        sub.add_argument("--data", type=Path, default=Path(".localcloud"), help="folder of its state")
        if name == chosen:
            module = importlib.import_module(module_name)
            module.add_arguments(sub)
            sub.set_defaults(serve=module.serve)
    parsed = parser.parse_args(arguments)
    log.configure(parsed.component)
    die_with_parent()
    parsed.data.mkdir(parents=True, exist_ok=True)
    problems: list[BaseException] = []
    try:
        asyncio.run(_until_signalled(parsed))
    except* (OSError, CannotStart) as group:
        problems.extend(group.exceptions)
    for problem in problems:
        sys.stderr.write(f"{parsed.component}: {problem}\n")
    return 3 if problems else 0


async def _until_signalled(parsed: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(parsed.serve(parsed))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    sys.exit(main())
