"""The whole judgement of a data set's files: the same for a dropped object and for ``droptune check FILE``."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ..events import Format, Role
from ..methods import Choice, startable
from ..methods.prices import Prices
from ..request import Request
from . import content, pairs
from .content import Content
from .content.sample import PAIRS
from .embedding import EmbeddingIds
from .fieldtexts import texts_of_fields
from .findings import Findings
from .formats import FORMATS
from .limits import FileFacts, Serves, check_limits, retirement
from .overlong import LongRows, TokenLimits, judge_row, located
from .parallel import scan_file
from .purpose import Purpose, purpose, started
from .rowformat import Problem, RowFormat
from .scan import Scan, scan
from .second_look import look_again
from .tokens import Counter

Opened = AbstractContextManager[BinaryIO]
# The files whose rows are trained on, so that evaluating on them means nothing.
TRAINED: tuple[Role, ...] = ("train", "preferences", "prompts")


@dataclass(frozen=True)
class Source:
    """A file to judge: how it is named in findings, and how it is opened.

    It is opened again to compare rows that may be repeated: then what was read before must still be there, and parts
    of it are looked up in order. `path` is that of a local file, which several processes can read.
    """

    name: str
    size_bytes: int
    open: Callable[[], Opened]
    generation: int | None = None
    path: Path | None = None


@dataclass(frozen=True)
class Options:
    """How files are judged. By default as the pipeline does.

    `line_only` leaves out what depends on how many rows there are. `content` says whether near-duplicates and what
    rows say are looked into. `processes` may read one large local file together.
    """

    line_only: bool = False
    content: bool = True
    format: Format | None = None
    counter: Counter | None = None
    prices: Prices | None = None
    processes: int = 1


@dataclass(frozen=True)
class Checked:
    """What is known of a data set once all its files were read.

    `choice` is None where no method fits, or none that this version can start.
    """

    sources: Mapping[Role, Source]
    scans: Mapping[Role, Scan]
    findings: Findings
    purpose: Purpose
    request: Request
    options: Options = field(default_factory=Options)
    contents: Mapping[Role, Content] = field(default_factory=dict)

    @property
    def choice(self) -> Choice | None:
        """The method and base model of the job that may start."""
        return startable(self.purpose.method, self.purpose.base_model)


def check(
    sources: Mapping[Role, Source], request: Request, serves: Serves | None, options: Options | None = None
) -> Checked:
    """Collect all findings about the files and the choice of a method, and what can be done about them.

    Raises what opening and reading a source raises, nothing else.
    """
    options = options or Options()
    checked = _judged(sources, request, serves, options)
    if checked.findings.any_to_fix:
        from .remedies import Judged, settle  # which other files need not wait for

        files = {
            role: Judged(each.name, each.size_bytes, each.open, checked.scans[role].format)
            for role, each in sources.items()
        }
        settle(checked.findings, files, partial(_are_right, sources, request, serves, options))
    return checked


def _are_right(
    sources: Mapping[Role, Source],
    request: Request,
    serves: Serves | None,
    options: Options,
    copies: Mapping[Role, bytes],
) -> bool:
    """Whether there is no error in the set once some of its files are those copies."""
    corrected = {
        role: replace(sources[role], size_bytes=len(copy), open=partial(io.BytesIO, copy), path=None)
        for role, copy in copies.items()
    }
    again = _judged({**sources, **corrected}, request, serves, replace(options, content=False))
    return not again.findings.blocking


def _judged(sources: Mapping[Role, Source], request: Request, serves: Serves | None, options: Options) -> Checked:
    findings = Findings()
    ids = EmbeddingIds()
    scans = {role: _scan(role, source, request, findings, ids, options) for role, source in sources.items()}
    for source in sources.values():
        look_again(source.name, findings, source.open)
    for role, result in scans.items():
        pairs.check_repeats(result, findings, sources[role].open)
        if not options.line_only:
            pairs.check_preferences(result, findings, sources[role].open)
    contents = _contents(scans, findings) if options.content else {}
    for role in (role for role in TRAINED if role in scans and "eval" in scans):
        # Files of other methods may well be evaluated on rows of another format.
        if role == "train" or scans[role].format is scans["eval"].format:
            pairs.check_pair(scans[role], scans["eval"], findings, sources[role].open, sources["eval"].open)
    ids.check(findings, line_only=options.line_only)
    found = purpose(_formats(scans), request, {role: source.name for role, source in sources.items()})
    leading = None if found.role is None else sources[found.role].name
    _add(findings, leading, found.problems)
    if leading is not None:
        _add(findings, leading, retirement(found, leading, datetime.now(UTC).date(), serves))
    facts = [_facts(role, result, sources[role]) for role, result in scans.items() if result.known is not None]
    for name, problem in check_limits(found, facts, line_only=options.line_only):
        _add(findings, name, [problem])
    return Checked(sources, scans, findings, found, request, options, contents)


def check_sources(
    sources: Mapping[Role, Source], request: Request, serves: Serves | None, options: Options | None = None
) -> Checked:
    """As `check`, where nothing is to be started: a method that this version cannot start is only noted."""
    checked = check(sources, request, serves, options)
    _add(checked.findings, None, started(checked.purpose, must_start=False))
    return checked


def check_files(paths: Mapping[Role, Path], request: Request | None = None, options: Options | None = None) -> Checked:
    """The judgement of files on this machine; OSError when one cannot be read."""
    return check_sources(
        {role: local_source(path) for role, path in paths.items()}, request or Request(), None, options
    )


def local_source(path: Path) -> Source:
    """A file on this machine; OSError when there is none."""
    return Source(name=path.name, size_bytes=path.stat().st_size, open=partial(_open, path), path=path)


def _open(path: Path) -> BinaryIO:
    return path.open("rb", buffering=0)


def _scan(
    role: Role, source: Source, request: Request, findings: Findings, ids: EmbeddingIds, options: Options
) -> Scan:
    if options.format == "embedding_labels" or (role == "labels" and options.format is None):
        with source.open() as stream:
            return ids.scan_labels(stream, source.name, findings)
    fmt = None if options.format is None else FORMATS[options.format]
    long_rows = partial(_long_rows, role, request, options.counter)
    taker = ids.taker(role, source.name)
    if source.path is not None and taker is None:
        return scan_file(
            source.path,
            source.name,
            findings,
            processes=options.processes,
            fmt=fmt,
            long_rows=long_rows,
            leaks=options.content,
        )
    with source.open() as stream:
        return scan(
            stream,
            source.name,
            findings,
            fmt=fmt,
            size_bytes=source.size_bytes,
            long_rows=long_rows,
            each_batch=None if taker is None else taker.rows,
            each_faulty=None if taker is None else taker.faulty,
            leaks=options.content,
        )


def _long_rows(role: Role, request: Request, counter: Counter | None, fmt: RowFormat) -> LongRows | None:
    """How rows are judged that may have more tokens than the base model takes, and from how many bytes on."""
    tuning = purpose({role: fmt.name}, request).tuning
    if tuning is None:
        return None
    limits = TokenLimits.of(tuning)
    pair_of = PAIRS.get(fmt.name)
    of_answers = TokenLimits(None, limits.answer, None, limits.excess)

    def problems(row: Any) -> Iterable[Problem]:
        prompt, answer = fmt.example(row)
        if pair_of is not None:  # each candidate is an answer of its own
            answer = max(pair_of(row), key=len)
        yield from located(judge_row(prompt, answer, limits, counter), row, prompt, answer)
        if fmt.name == "chat":  # where every answer of the assistant is learned
            for said in texts_of_fields(row)["assistant"][:-1]:
                yield from located(judge_row("", said, of_answers, counter), row, "", said)

    long = limits.long_rows(counter is not None, problems)
    if long is None or long.answer is None or fmt.name != "chat":
        return long
    return long._replace(prompt=long.answer if long.prompt is None else min(long.prompt, long.answer))


def _contents(scans: Mapping[Role, Scan], findings: Findings) -> dict[Role, Content]:
    found: dict[Role, Content] = {}
    samples = {role: result.sample.closer() for role, result in scans.items()}
    for role, result in scans.items():
        if result.format is not None and result.content.rows:
            rows, totals = result.content.rows, result.content.totals()
            found[role] = content.examine(
                result.format, role, result.file, samples[role], rows, totals, result.leaks, findings
            )
    train, evaluation = scans.get("train"), scans.get("eval")
    if train and evaluation and train.format is evaluation.format and train.format is not None:
        content.compare(train.format, train.file, samples["train"], evaluation.file, samples["eval"], findings)
    return found


def _formats(scans: Mapping[Role, Scan]) -> dict[Role, Format]:
    return {role: result.known for role, result in scans.items() if result.known is not None}


def _facts(role: Role, result: Scan, source: Source) -> FileFacts:
    assert result.known is not None
    return FileFacts(role, result.file, result.known, result.rows, source.size_bytes, result.content.turn_count)


def _add(findings: Findings, file: str | None, problems: Iterable[Problem]) -> None:
    for problem in problems:
        findings.add(problem.code, problem.values, file=file, pointer=problem.pointer, text=problem.excerpt)
