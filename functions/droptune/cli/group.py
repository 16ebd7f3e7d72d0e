"""The command group: commands imported when they are run, exit codes, errors that name the next command."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import click


class Exit(IntEnum):
    """What the shell is told."""

    DONE = 0
    YOUR_INPUT = 1
    USAGE = 2
    OUR_FAULT = 3
    INTERRUPTED = 130


class CliError(click.ClickException):
    """Our fault, or the world's: a message on standard error that says what is wrong, then what to do."""

    exit_code = Exit.OUR_FAULT

    def show(self, file: Any = None) -> None:
        click.echo(f"droptune: {self.format_message()}", file=file or sys.stderr)


class InputError(CliError):
    """Yours: what was given cannot be used as it is."""

    exit_code = Exit.YOUR_INPUT


@dataclass(frozen=True)
class Lazy:
    """A command by the module and name it is defined under, and its line in the list of commands."""

    module: str
    attribute: str
    summary: str


class LazyGroup(click.Group):
    """A click group over a table of `Lazy` commands; listing them imports none of them."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table, which is the order in which a person meets them."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = self._lazy.get(cmd_name)
        if found is None:
            return None
        command = getattr(importlib.import_module(found.module), found.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, found.summary) for name, found in self._lazy.items()])

    def main(self, *args: Any, standalone_mode: bool = True, **kwargs: Any) -> Any:
        """As click's, but interruption ends with 130 and not with 1, which means "your input"."""
        run: Callable[..., Any] = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **kwargs)
        try:
            code = run(*args, standalone_mode=False, **kwargs)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo("droptune: interrupted", err=True)
            sys.exit(Exit.INTERRUPTED)
        sys.exit(code if isinstance(code, int) else Exit.DONE)
