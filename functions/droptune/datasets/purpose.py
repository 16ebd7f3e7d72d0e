"""What a data set is for: which method, and which base model, its files are meant to tune.

The formats of the files decide, then their roles, then what lies beside them, then what ``job.yaml`` asks for: a wish
chooses among what the files can be, and never makes them into something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Literal

from ..events import Format, Role
from ..methods import METHODS, unmet_wishes
from ..methods.catalogue import KnownMethod, Tuning, base_models, known_methods
from ..request import Request
from .rowformat import Problem

Reason = Literal["format", "neighbours", "request"]

# The files that say what a data set is for, those that say most first.
LEADING: tuple[Role, ...] = ("preferences", "train", "prompts", "corpus", "queries", "labels", "eval")
# What a file is, whatever the role that its name gives it.
ROLE_OF_FORMAT: Mapping[Format, Role] = {
    "preference": "preferences",
    "chat_preference": "preferences",
    "prompts": "prompts",
    "chat_prompts": "prompts",
    "gemini_prompts": "prompts",
    "open_prompts": "prompts",
    "embedding_text": "corpus",
    "embedding_labels": "labels",
}
# Rows that no method tunes on as they are: the finding that says so, and what `droptune convert --to` makes of them.
NOT_FOR_TUNING: Mapping[Format, tuple[str, str]] = {
    "openai_chat": ("PURPOSE-CONVERT", "gemini"),
    "openai_preference": ("PURPOSE-CONVERT", "gemini"),
    "completion_prompts": ("PURPOSE-CONVERT", "open"),
    "ground_truth": ("PURPOSE-EVALUATION", ""),
    "batch_requests": ("PURPOSE-BATCH", ""),
}
# Methods that exist, but of which no data set is recognised.
REFUSED: Mapping[str, str] = {"rlaif": "METHOD-RLAIF", "continuous": "METHOD-CONTINUOUS"}


@dataclass(frozen=True)
class Purpose:
    """What the files are for. `method` and `base_model` are None where that is open, or where there is none.

    `format` is that of the file that decided, and `role` its role; `why` says what settled the method. `missing` are
    roles that the method needs and no file has. `problems` are the findings about all this.
    """

    method: str | None = None
    base_model: str | None = None
    format: Format | None = None
    role: Role | None = None
    why: Reason = "format"
    missing: tuple[Role, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def tuning(self) -> Tuning | None:
        """What the base model takes for the method; None where either is open."""
        if self.method is None or self.base_model is None:
            return None
        return base_models()[self.base_model].methods.get(self.method)


def needs(method: str) -> KnownMethod:
    """The catalogue's entry of a method: its `needs` are the roles that its data set must have; KeyError for none."""
    return known_methods()[method]


def played(role: Role, fmt: Format) -> Role:
    """The role that a file plays: a lone file counts as training data until its rows say better."""
    return ROLE_OF_FORMAT.get(fmt, role) if role == "train" else role


def purpose(formats: Mapping[Role, Format], request: Request, names: Mapping[Role, str] | None = None) -> Purpose:
    """What files of these formats are for. `names` are the files' names, for the commands that findings show."""
    role = next((role for role in LEADING if role in formats), None)
    if role is None:
        return Purpose()
    fmt, file = formats[role], quote((names or {}).get(role, f"{role}.jsonl"))
    if fmt in NOT_FOR_TUNING:
        code, target = NOT_FOR_TUNING[fmt]
        problem = Problem(code, values={"format": fmt, "file": file, "target": target, "found": fmt})
        return Purpose(format=fmt, role=role, problems=(problem,))
    wish = _impossible_wish(fmt, request)
    if wish is not None:
        return Purpose(format=fmt, role=role, problems=(wish,))
    present = {played(each, formats[each]) for each in formats}
    method, why = _method(_possible(fmt, request), fmt, present, request)
    if method is None:
        found = Problem("PURPOSE-AMBIGUOUS", values={"format": fmt, "file": file, "found": fmt})
        return Purpose(format=fmt, role=role, problems=(found,))
    base_model = request.base_model or known_methods()[method].base_models[fmt]
    return Purpose(
        method=method,
        base_model=base_model,
        format=fmt,
        role=role,
        why=why,
        missing=_missing(method, present),
        problems=(*_unmet(method, base_model, fmt, request), *_unused(method, formats, names or {})),
    )


def started(found: Purpose, must_start: bool) -> Iterator[Problem]:
    """Says when this version cannot start the method: an error where a job must start, a note otherwise."""
    if found.method is not None and found.method not in METHODS:
        code = "METHOD-UNAVAILABLE" if must_start else "METHOD-NOT-STARTED"
        yield Problem(code, values={"method": found.method, "found": found.method, "names": ", ".join(METHODS)})


def _impossible_wish(fmt: Format, request: Request) -> Problem | None:
    """What is wrong with a wish that leaves no method for rows of the format."""
    method, model = request.method, request.base_model
    if method is not None and method in REFUSED:
        return Problem(REFUSED[method], values={"found": method})
    if method is not None and method not in known_methods():
        return Problem("METHOD-UNKNOWN", values={"found": method, "names": ", ".join(known_methods())})
    if model is not None and model not in base_models():
        return Problem("MODEL-UNKNOWN", values={"found": model, "names": ", ".join(base_models())})
    of_format = [name for name, known in known_methods().items() if fmt in known.base_models]
    if method is not None and method not in of_format:
        return Problem(
            "METHOD-UNFIT", values={"method": method, "format": fmt, "found": fmt, "names": ", ".join(of_format)}
        )
    if not _possible(fmt, request):
        assert model is not None  # without a wish for a base model, some method takes every format that gets here
        takes = ", ".join(sorted(base_models()[model].formats))
        return Problem("MODEL-UNFIT", values={"model": model, "format": fmt, "found": fmt, "names": takes})
    return None


def _possible(fmt: Format, request: Request) -> list[str]:
    """The methods that can tune on rows of the format, and on what is asked for, in the catalogue's order."""
    return [
        name
        for name, known in known_methods().items()
        if fmt in known.base_models
        and request.method in (None, name)
        and base_models()[request.base_model or known.base_models[fmt]].tuning(name, fmt) is not None
    ]


def _method(possible: list[str], fmt: Format, present: set[Role], request: Request) -> tuple[str | None, Reason]:
    """The method among those possible; None where bare prompts may be for two and nothing says which."""
    if request.method is not None:
        return possible[0], "request"
    if fmt == "prompts":
        if len(possible) == 1:
            return possible[0], "request"
        return ("rlhf", "neighbours") if "preferences" in present else (None, "format")
    default = next(name for name, known in known_methods().items() if fmt in known.base_models)
    return possible[0], "format" if possible[0] == default else "request"


def _missing(method: str, present: set[Role]) -> tuple[Role, ...]:
    """Of each kind of file that is needed and not there, the role that it usually has."""
    return tuple(anyone[0] for anyone in known_methods()[method].needs if not present.intersection(anyone))


def _unmet(method: str, base_model: str, fmt: Format, request: Request) -> Iterator[Problem]:
    """Wishes that a method which can be started does not honour."""
    tuning = base_models()[base_model].tuning(method, fmt)
    if method in METHODS and tuning is not None:
        for unmet in unmet_wishes(METHODS[method], base_model, tuning, request):
            yield Problem(unmet.code, values=unmet.values)


def _unused(method: str, formats: Mapping[Role, Format], names: Mapping[Role, str]) -> Iterator[Problem]:
    """Files that the method does not read."""
    known = known_methods()[method]
    read = {role for anyone in known.needs for role in anyone} | set(known.may)
    for role, fmt in formats.items():
        if role not in read and played(role, fmt) not in read:
            yield Problem("PURPOSE-FILE-UNUSED", values={"found": names.get(role, f"{role}.jsonl"), "method": method})
