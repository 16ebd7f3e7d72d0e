"""The whole judgement of a data set's files: the same for a dropped object and for ``droptune check FILE``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ..errors import Refused
from ..events import Format, Role
from ..methods import Choice, choose
from ..methods.catalogue import BaseModel
from ..request import Request
from . import checks, split
from .findings import Findings
from .report import FileReport, Report, Statistics, build, statistics_of
from .scan import Scan, scan

# Whether the endpoint that jobs go to serves a base model; None where no endpoint is asked.
Serves = Callable[[str], bool]

CONVERSIONS: dict[Format, str] = {
    "text": "`input_text` becomes the user's part and `output_text` the model's part of `contents`",
    "gemini_messages": "`messages` become `contents`, `content` becomes `parts`, the system's turn `systemInstruction`",
}


@dataclass(frozen=True)
class Source:
    """A file to judge: how it is named in findings, and how it is opened."""

    name: str
    size_bytes: int
    open: Callable[[], AbstractContextManager[BinaryIO]]
    generation: int | None = None


@dataclass(frozen=True)
class Checked:
    """What is known of a data set once all its files were read. `choice` is None where no method fits."""

    sources: Mapping[Role, Source]
    scans: Mapping[Role, Scan]
    findings: Findings
    choice: Choice | None

    @property
    def format(self) -> Format | None:
        fmt = next(iter(self.scans.values())).format
        return fmt.format if fmt else None

    def files(self) -> tuple[FileReport, ...]:
        """Each file with what was counted in it."""
        return tuple(
            FileReport(
                role=role,
                name=source.name,
                generation=source.generation,
                rows=self.scans[role].rows,
                bytes=source.size_bytes,
            )
            for role, source in self.sources.items()
        )

    def statistics(self) -> dict[Role, Statistics]:
        """Lengths and labels of each file."""
        return {role: statistics_of(result.content, result.rows) for role, result in self.scans.items()}


def check(sources: Mapping[Role, Source], request: Request, serves: Serves | None) -> Checked:
    """Read every file once and collect all findings, those about the choice of a method included.

    Raises what opening and reading a source raises, nothing else.
    """
    findings = Findings()
    scans: dict[Role, Scan] = {}
    for role, source in sources.items():
        with source.open() as stream:
            scans[role] = scan(stream, source.name, findings)
    for role, result in scans.items():
        checks.check_file(result, role, findings)
    if "train" in scans and "eval" in scans:
        checks.check_pair(scans["train"], scans["eval"], findings)
    checked = Checked(sources, scans, findings, _choose(scans, request, serves, findings))
    if checked.choice is not None:
        sizes = {role: source.size_bytes for role, source in sources.items()}
        checks.check_limits(checked.choice.base_model, scans, sizes, findings)
    if "train" in scans and "eval" not in scans and 0 < scans["train"].rows < split.LEAST_ROWS:
        found = f"{scans['train'].rows} rows"
        findings.add("SPLIT-TOO-FEW", file=scans["train"].file, found=found, allowed=f"{split.LEAST_ROWS} rows")
    return checked


def check_files(
    paths: Mapping[Role, Path], request: Request | None = None, serves: Serves | None = None, name: str | None = None
) -> Report:
    """The report on local files, as the pipeline would judge them when dropped; OSError when one cannot be read.

    `name` is the data set's; without it, that of the first file.
    """
    sources = {
        role: Source(name=path.name, size_bytes=path.stat().st_size, open=partial(_open, path))
        for role, path in paths.items()
    }
    checked = check(sources, request or Request(), serves)
    return build(
        dataset=name or next(iter(paths.values())).stem,
        run_id=None,
        status="rejected" if checked.findings.blocking else "ready",
        checked=checked,
    )


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def _choose(scans: Mapping[Role, Scan], request: Request, serves: Serves | None, findings: Findings) -> Choice | None:
    fmt = next(iter(scans.values())).format
    if fmt is None:
        return None
    try:
        choice = choose(fmt.format, request)
    except Refused as error:
        findings.add("METHOD-UNAVAILABLE", found=str(error))
        return None
    _check_retirement(choice.base_model, fmt.format, serves, findings)
    return choice


def _check_retirement(base_model: BaseModel, fmt: Format, serves: Serves | None, findings: Findings) -> None:
    if base_model.retired is None or base_model.retired > datetime.now(UTC).date():
        return
    replaced = f"; its replacement is {base_model.replacement}" if base_model.replacement else ""
    converted = f", for which {CONVERSIONS[fmt]}" if fmt in CONVERSIONS and replaced else ""
    found = f"{base_model.name} was retired on Google Cloud on {base_model.retired}{replaced}{converted}"
    served = serves is None or serves(base_model.name)
    findings.add("MODEL-RETIRED-SERVED" if served else "MODEL-RETIRED", found=found)
