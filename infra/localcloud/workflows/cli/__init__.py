"""``python -m localcloud workflows run|test|lint``: for the person who writes definitions."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping

# One module per command, with `SUMMARY`, `add_arguments(parser)` and `run(arguments)`, which gives the exit status.
# Imported only when asked for, since `run` brings a server.
COMMANDS: Mapping[str, str] = {
    "run": "localcloud.workflows.cli.run_command",
    "test": "localcloud.workflows.cli.test_command",
    "lint": "localcloud.workflows.cli.lint_command",
}


def main(arguments: list[str]) -> int:
    """Run the command that the first of `arguments` names, and give its exit status."""
    name = arguments[0]
    module = importlib.import_module(COMMANDS[name])
    parser = argparse.ArgumentParser(
        prog=f"python -m localcloud workflows {name}",
        description=module.SUMMARY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(arguments[1:])))
