"""The ``droptune`` command. Data goes to standard output, progress and words for people to standard error.

Exit codes: 0 done, 1 your input (a rejected data set or model, failed tuning), 2 usage, 3 our fault.
"""

from __future__ import annotations

from collections.abc import Mapping

import click

from .. import __version__
from .group import Lazy, LazyGroup

_HERE = f"{__name__}.commands"

COMMANDS: Mapping[str, Lazy] = {
    "demo": Lazy(f"{_HERE}.demo", "demo", "Tune, evaluate and register a model on this machine, from start to end."),
    "up": Lazy(f"{_HERE}.up", "up", "Run the local cloud until Ctrl-C."),
    "check": Lazy(f"{_HERE}.check", "check", "Report every finding in data set files, without uploading them."),
    "explain": Lazy(f"{_HERE}.explain", "explain", "Say what a finding means, and how to fix it."),
    "fix": Lazy(f"{_HERE}.fix", "fix", "Write a corrected copy of a data set file, and set aside what cannot be."),
    "convert": Lazy(f"{_HERE}.convert", "convert", "Write a data set file in another format."),
    "split": Lazy(f"{_HERE}.split", "split", "Split a data set file into training and evaluation rows."),
    "drop": Lazy(f"{_HERE}.drop", "drop", "Upload a file or folder to the intake bucket: a run starts."),
    "runs": Lazy(f"{_HERE}.runs", "runs", "List the runs."),
    "show": Lazy(f"{_HERE}.show", "show", "Tell the whole story of a run."),
    "watch": Lazy(f"{_HERE}.watch", "watch", "Follow a run until it ends."),
    "ask": Lazy(f"{_HERE}.ask", "ask", "Prompt the tuned model and its base model side by side."),
    "logs": Lazy(f"{_HERE}.logs", "logs", "Print the log lines of a run."),
    "dead-letters": Lazy(f"{_HERE}.dead_letters", "dead_letters", "List or replay messages that nobody could handle."),
    "env": Lazy(f"{_HERE}.env", "env", "Print the exports that point real clients at the local cloud."),
    "doctor": Lazy(f"{_HERE}.doctor", "doctor", "Check this machine and the local cloud."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="droptune", message="%(prog)s %(version)s")
def main() -> None:
    """Drop a JSONL file; get back a tuned, evaluated, registered model, or a clear reason why not.

    Begin with: droptune demo
    """
