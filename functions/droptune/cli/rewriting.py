"""Files made from a file: their names, and how they appear, all together and never half written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from .group import CliError, InputError
from .paths import require_file, require_local, shown, word

if TYPE_CHECKING:
    from ..datasets.rowformat import RowFormat
    from ..datasets.setaside import SetAside

TABLE = ".tsv"
_ENDINGS = (".jsonl", ".ndjson", ".json", TABLE)


def beside(path: Path, word: str, ending: str = ".jsonl") -> Path:
    """The name of a file made from another: ``train.jsonl`` and "fixed" give ``train.fixed.jsonl``."""
    name = path.name.removesuffix(".gz")
    stem = next((name.removesuffix(known) for known in _ENDINGS if name.endswith(known)), name)
    return path.with_name(f"{stem}.{word}{ending}")


def is_table(path: Path) -> bool:
    """Whether a file is a table by its name."""
    return path.name.removesuffix(".gz").endswith(TABLE)


class Outputs:
    """Files that are written under other names, and get their own when all went well.

    InputError when one of them exists and may not be replaced, or is the file that is read.
    """

    def __init__(self, *paths: Path, read: Path, force: bool) -> None:
        self._paths = paths
        self._written: dict[Path, tuple[Path, BinaryIO]] = {}
        for path in paths:
            if path.exists() and read.exists() and path.samefile(read):
                raise InputError(f"{shown(path)} is the file to read. Give the result another name with --out.")
            if path.exists() and not force:
                raise InputError(f"{shown(path)} exists. Use --force to replace it, or --out for another name.")

    def open(self, path: Path) -> BinaryIO:
        """A file to write; it needs no closing."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            file = temporary.open("wb", buffering=1024 * 1024)
        except OSError as error:
            raise CliError(
                f"{shown(path)} cannot be written: {error.strerror}. Name another place with --out."
            ) from error
        self._written[path] = (temporary, file)
        return file

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, file in self._written.values():
            file.close()
        for path in self._paths:
            temporary = self._written[path][0] if path in self._written else None
            if kind is None and temporary is not None:
                temporary.replace(path)
            elif kind is None:
                path.unlink(missing_ok=True)  # of an earlier run, which --force allows to replace
            elif temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink()


def opener(path: Path) -> Callable[[], BinaryIO]:
    """Opens a file to read. CliError when it cannot be read."""
    if path.is_dir():
        raise InputError(f"{shown(path)} is a folder. Name a file in it.")
    require_file(path)
    return lambda: path.open("rb")


def named_format(name: str) -> RowFormat:
    """A format by its name, with hyphens or underscores. A usage error when there is none of that name."""
    from ..datasets.formats import FORMATS

    wanted = name.lower().replace("-", "_")
    for fmt in FORMATS.values():
        if fmt.name == wanted:
            return fmt
    raise click.BadParameter(f"{name} is no format. There are: {', '.join(FORMATS)}.", param_hint="'--format'")


def format_of_file(opened: Callable[[], BinaryIO], name: str | None, path: Path) -> RowFormat:
    """The format that was named, or else that of the file's first rows."""
    from ..datasets.judging import format_of

    if name is not None:
        return named_format(name)
    with opened() as stream:
        fmt = format_of(stream)
    if fmt is None:
        raise InputError(
            f"{shown(path)} has no row of a known format. See `droptune check {word(str(path))}`; "
            f"`droptune fix {word(str(path))}` unpacks archives, arrays and other encodings."
        )
    return fmt


def reasons(aside: SetAside) -> list[dict[str, Any]]:
    """Why rows were set aside, the commonest reason first."""
    return [
        {"reason": reason, "rows": rows, "first_line": aside.first_line[reason]}
        for reason, rows in aside.by_reason.most_common()
    ]


def say(entries: list[dict[str, Any]], key: str) -> None:
    """Print a line for each kind of thing that happened: how often, what, and where first."""
    for entry in entries:
        times = entry.get("rows", entry.get("times", 0))
        click.echo(f"  {times:,} × {entry[key]}, first on line {entry['first_line']:,}")


def _local(context: click.Context, parameter: click.Parameter, typed: str) -> Path:
    require_local(typed)
    return Path(typed)


format_option = click.option(
    "--format", "format_name", metavar="FORMAT", help="The format of FILE.  [default: found out from its rows]"
)
force_option = click.option("--force", is_flag=True, help="Replace files that exist.")
out_option = click.option("--out", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path), help="Write here.")
file_argument = click.argument("path", metavar="FILE", callback=_local)
