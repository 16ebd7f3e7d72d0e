"""Findings about limits: rows, turns, bytes and shares against what the base model takes, and its retirement."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from shlex import quote

from ..events import Format, Role
from ..methods import METHODS
from ..methods.catalogue import BaseModel, Tuning, base_models, known_methods
from .purpose import Purpose, played
from .rowformat import Problem

LEAST_ROWS_TO_SPLIT = 20  # ten to train on, the least that any base model takes, and ten to evaluate on
RECOMMENDED_EVAL_ROWS = 30
SHARE_COUNTS_ABOVE = 1_000  # evaluation rows; smaller files may be as large as they like beside the training file
FORMATS_OF_GEMINI: frozenset[Format] = frozenset({"gemini_contents", "gemini_prompts", "gemini_preference"})
FORMATS_OF_EMBEDDING: frozenset[Format] = frozenset({"embedding_text", "embedding_labels"})

# Whether the endpoint that jobs go to serves a base model; None where no endpoint is asked.
Serves = Callable[[str], bool]


@dataclass(frozen=True)
class FileFacts:
    """What was counted in one file. `turns` are those of all its rows together: the ``author`` fields of a chat."""

    role: Role
    file: str
    format: Format
    rows: int
    size_bytes: int
    turns: int = 0

    @property
    def played(self) -> Role:
        """The role that its rows give it."""
        return played(self.role, self.format)


def check_limits(
    purpose: Purpose, files: Sequence[FileFacts], *, line_only: bool = False
) -> Iterator[tuple[str, Problem]]:
    """What breaks a limit of the base model, each with the name of its file.

    `line_only` leaves out what depends on how many rows there are. Nothing is found where the purpose is open.
    """
    tuning = purpose.tuning
    if tuning is None or purpose.base_model is None or purpose.method is None:
        return
    check = _Check(purpose.method, purpose.base_model, tuning, {file.played: file for file in files})
    for file in files:
        for problem in check.size(file):
            yield file.file, problem
        if not line_only:
            for problem in check.counts(file):
                yield file.file, problem


def retirement(purpose: Purpose, file: str, today: datetime.date, serves: Serves | None = None) -> Iterator[Problem]:
    """Says when the base model is retired, and what to run for its replacement; `file` holds the rows that decided.

    An error where `serves` says that the endpoint in use does not have it, a note otherwise.
    """
    if purpose.base_model is None:
        return
    model = base_models()[purpose.base_model]
    if not model.retired_on(today):
        return
    served = serves is None or serves(model.name)
    yield Problem("MODEL-RETIRED-SERVED" if served else "MODEL-RETIRED", values=replacement(model, purpose, file))


def replacement(model: BaseModel, purpose: Purpose, file: str) -> dict[str, str | int | float]:
    """What replaces a retired model, by which method, and the command that readies the rows for it."""
    successor, known = model.replacement or model.name, known_methods().get(purpose.method or "")
    as_it_is = purpose.format in FORMATS_OF_GEMINI or purpose.format in FORMATS_OF_EMBEDDING
    shown = quote(file)
    command = f"droptune check {shown} --model {successor}" if as_it_is else f"droptune convert {shown} --to gemini"
    return {
        "model": model.name,
        "found": model.name,
        "date": str(model.retired),
        "replacement": successor,
        "method": "-" if known is None else known.replaced_by or known.name,
        "command": command,
    }


@dataclass(frozen=True)
class _Check:
    """One data set against what its base model takes for its method."""

    method: str
    model: str
    tuning: Tuning
    files: dict[Role, FileFacts]

    def problem(self, code: str, **values: str | int | float) -> Problem:
        return Problem(code, values={"model": self.model, "method": self.method, **values})

    def size(self, file: FileFacts) -> Iterator[Problem]:
        most = self.tuning.file_bytes
        if most is not None and file.size_bytes > most:
            yield self.problem("FILE-TOO-LARGE", found=file.size_bytes, most=most)

    def counts(self, file: FileFacts) -> Iterator[Problem]:
        if not file.rows:
            return
        if file.role == "eval":
            yield from self._evaluation(file)
            return
        yield from self._rows(file)
        most_authors = self.tuning.authors
        if most_authors is not None and file.turns > most_authors:
            yield self.problem("AUTHORS-TOO-MANY", found=file.turns, most=most_authors)
        holds_out = self.method in METHODS and file.role == "train" and "eval" not in self.files
        if holds_out and file.rows < LEAST_ROWS_TO_SPLIT:
            yield self.problem("SPLIT-TOO-FEW", found=file.rows, least=LEAST_ROWS_TO_SPLIT)

    def _rows(self, file: FileFacts) -> Iterator[Problem]:
        least, most = self.tuning.rows.get(file.played, (None, None))
        recommended = self.tuning.recommended_rows
        if least is not None and file.rows < least:
            yield self.problem("ROWS-TOO-FEW", found=file.rows, least=least)
        elif most is not None and file.rows > most:
            yield self.problem("ROWS-TOO-MANY", found=file.rows, most=most)
        elif recommended is not None and file.rows < recommended:
            yield self.problem("ROWS-FEW", found=file.rows, recommended=recommended)

    def _evaluation(self, file: FileFacts) -> Iterator[Problem]:
        least, most = self.tuning.rows.get("eval", (None, None))
        if least is not None and file.rows < least:
            yield self.problem("EVAL-TOO-FEW", found=file.rows, least=least, most=most or "…")
        elif most is not None and file.rows > most:
            # Pipelines are given the file only for long jobs; a tuning job with too large a file is rejected.
            code = "EVAL-ROWS" if known_methods()[self.method].api == "pipelineJobs" else "EVAL-TOO-MANY"
            yield self.problem(code, found=file.rows, least=least or 1, most=most)
        elif (train := self.files.get("train")) is not None:
            yield from self._share(file, train)
        if file.rows < RECOMMENDED_EVAL_ROWS:
            yield self.problem("EVAL-FEW", found=file.rows, recommended=RECOMMENDED_EVAL_ROWS)

    def _share(self, file: FileFacts, train: FileFacts) -> Iterator[Problem]:
        of_rows, of_bytes = self.tuning.eval_share_above_1000_rows, self.tuning.eval_share_of_bytes
        if of_rows is not None and file.rows > SHARE_COUNTS_ABOVE and file.rows > of_rows * train.rows:
            most = max(SHARE_COUNTS_ABOVE, int(of_rows * train.rows))
            values = {"found": file.rows, "train": train.rows, "most": most, "percent": round(of_rows * 100)}
            yield self.problem("EVAL-SHARE", **values)
        if of_bytes is not None and file.size_bytes > of_bytes * train.size_bytes:
            values = {"found": file.size_bytes, "train": train.size_bytes, "percent": round(of_bytes * 100)}
            yield self.problem("EVAL-SHARE-BYTES", most=int(of_bytes * train.size_bytes), **values)
