"""Which objects make up a data set, which of them are there, and which are still missing.

A data set is one ``NAME.jsonl`` at the root of the bucket, or a folder ``NAME/`` with a file for each role and
optionally ``job.yaml``. Pure: it is given names and listings, and reads no object.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from ..errors import NotOurs
from ..events import Role
from ..methods.catalogue import known_methods
from ..ports import StoredObject
from ..request import JOB as JOB
from ..request import InvalidRequest, Request

ROLES: tuple[Role, ...] = get_args(Role)
NAMES: Mapping[Role, str] = {role: f"{role}.tsv" if role == "labels" else f"{role}.jsonl" for role in ROLES}
FILES: Mapping[str, Role] = {name: role for role, name in NAMES.items()}
# Files that only make sense together. Evaluation rows go with any of them.
TOGETHER: tuple[frozenset[Role], ...] = (
    frozenset({"train"}),
    frozenset({"prompts", "preferences"}),
    frozenset({"corpus", "queries", "labels"}),
)
# What job.yaml may list besides eval.jsonl. Prompts alone are distilled, preferences alone are tuned on as they are.
LISTS: tuple[frozenset[Role], ...] = (*TOGETHER, frozenset({"prompts"}), frozenset({"preferences"}))
# What a folder brings along when it is uploaded whole.
_COMPANIONS = ("readme", "license", "licence")
# What others call these files.
_MEANT: Mapping[str, str] = {
    **dict.fromkeys(("training", "tuning", "train_data"), "train.jsonl"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "test", "evaluation", "evaluate"), "eval.jsonl"),
    **dict.fromkeys(("prompt",), "prompts.jsonl"),
    **dict.fromkeys(("preference", "prefs", "comparisons"), "preferences.jsonl"),
    **dict.fromkeys(("documents", "docs", "passages"), "corpus.jsonl"),
    **dict.fromkeys(("query", "questions"), "queries.jsonl"),
    **dict.fromkeys(("label", "qrels", "relevance"), "labels.tsv"),
    **dict.fromkeys(("config", "request"), "job.yaml"),
    **{name.partition(".")[0]: name for name in (*FILES, JOB)},  # with another ending
}


class BadName(Exception):
    """An object whose name is not that of a data set's file: the finding's code, and the values of its message."""

    def __init__(self, code: str, values: Mapping[str, str]) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def is_folder_member(name: str) -> bool:
    """Whether the object is a file of a folder; False for a data set of its own.

    BadName for any other name, NotOurs for what a folder upload brings along.
    """
    *folders, last = name.split("/")
    if not last or any(part.startswith(".") for part in (*folders, last)) or last.lower().startswith(_COMPANIONS):
        raise NotOurs(f"{name}: not a data file")
    if not folders and last.endswith(".jsonl"):
        return False
    if len(folders) == 1 and folders[0]:
        if last in FILES or last == JOB:
            return True
        if (meant := _MEANT.get(last.partition(".")[0].lower())) is not None:
            raise BadName("ROLE-NAME", {"found": name, "meant": f"{folders[0]}/{meant}"})
    raise BadName("OBJECT-NAME", {"found": name})


@dataclass(frozen=True)
class Folder:
    """What lies in a folder: a file for each role, and ``job.yaml``."""

    files: Mapping[Role, StoredObject]
    job: StoredObject | None

    def needs(self, request: Request) -> tuple[Role, ...]:
        """As the function `needs`, of what lies in this folder."""
        return needs(self.files, request)

    def unused(self, needed: Collection[Role]) -> tuple[str, ...]:
        """The names of files that are there and not needed."""
        return tuple(NAMES[role] for role in ROLES if role in self.files and role not in needed)


def needs(present: Collection[Role], request: Request) -> tuple[Role, ...]:
    """The roles that have to be there before anything starts, and that are then used.

    ``job.yaml`` decides by its `files`, or by what its `method` needs; without either, what is present decides.
    InvalidRequest when the list makes no data set, or when what is there could be two.
    """
    if request.files:
        return _listed(request.files)
    method = known_methods().get(request.method or "")
    needed = {_one_of(anyone, present) for anyone in method.needs} if method is not None else set(_whole(present))
    # Rows that are trained on as they are come with evaluation rows, unless job.yaml says that none will come.
    return _in_order(needed | {"eval"} if "train" in needed else needed)


def _one_of(anyone: tuple[Role, ...], present: Collection[Role]) -> Role:
    """The role that is there of those of which one is needed; the usual one while none is."""
    found = [role for role in anyone if role in present]
    if len(found) > 1:
        raise _mixed(present, found[:1])
    return found[0] if found else anyone[0]


def _whole(present: Collection[Role]) -> frozenset[Role]:
    """All files that go together with those that are there."""
    leading = {role for role in present if role != "eval"} or {"train"}
    found = [together for together in TOGETHER if together.intersection(leading)]
    if len(found) > 1:
        raise _mixed(present, found[0])
    return found[0]


def _mixed(present: Collection[Role], suggested: Collection[Role]) -> InvalidRequest:
    """That a line in job.yaml has to say what is meant, with the line for one of the possibilities."""
    listed = [role for role in present if role in suggested or role == "eval"]
    line = f"files: [{', '.join(names(_in_order(listed)))}]"
    return InvalidRequest("SET-MIXED", {"found": ", ".join(names(_in_order(present))), "line": line})


def folder(name: str, listed: Iterable[StoredObject]) -> Folder:
    """The pieces of folder `name` among the objects listed below it."""
    by_name = {stored.name.removeprefix(f"{name}/"): stored for stored in listed}
    files = {role: by_name[file] for file, role in FILES.items() if file in by_name}
    return Folder(files=files, job=by_name.get(JOB))


def names(roles: Iterable[Role]) -> list[str]:
    """The names of the files of these roles."""
    return [NAMES[role] for role in roles]


def _listed(files: Iterable[str]) -> tuple[Role, ...]:
    """The roles of the files that ``job.yaml`` lists, which have to make up a data set."""
    if unknown := [name for name in files if name not in FILES]:
        raise InvalidRequest("REQUEST-FILE", {"found": ", ".join(unknown), "names": ", ".join(FILES)})
    roles = _in_order(FILES[name] for name in files)
    if frozenset(roles) - {"eval"} not in LISTS:
        raise InvalidRequest("REQUEST-FILES", {"found": ", ".join(names(roles))})
    return roles


def _in_order(roles: Iterable[Role]) -> tuple[Role, ...]:
    wanted = frozenset(roles)
    return tuple(role for role in ROLES if role in wanted)
