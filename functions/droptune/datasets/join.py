"""Which objects make up a data set, which of them are there, and which are still missing.

A data set is one ``NAME.jsonl`` at the root of the bucket, or a folder ``NAME/`` with a file for each role and
optionally ``job.yaml``. Pure: it is given names and listings, and reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from ..errors import NotOurs, Refused
from ..events import Role
from ..ports import StoredObject
from ..request import Request

JOB = "job.yaml"
ROLES: tuple[Role, ...] = get_args(Role)
FILES: dict[str, Role] = {f"{role}.jsonl": role for role in ROLES}
# Files of methods that are known but not available: refused by name rather than as a stray file.
OTHER_FILES = frozenset({"prompts.jsonl", "preferences.jsonl", "corpus.jsonl", "queries.jsonl", "labels.tsv"})
# What a folder brings along when it is uploaded whole.
_COMPANIONS = ("readme", "license", "licence")


class BadName(Exception):
    """An object whose name is not that of a data set's file. `code` is the finding's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_folder_member(name: str) -> bool:
    """Whether the object is a file of a folder; False for a data set of its own.

    BadName for any other name, NotOurs for what a folder upload brings along.
    """
    *folders, last = name.split("/")
    if not last or any(part.startswith(".") for part in (*folders, last)) or last.lower().startswith(_COMPANIONS):
        raise NotOurs(f"{name}: not a data file")
    if last in OTHER_FILES and len(folders) == 1:
        raise BadName("ROLE-UNAVAILABLE")
    if not folders and last.endswith(".jsonl"):
        return False
    if len(folders) == 1 and folders[0] and (last in FILES or last == JOB):
        return True
    raise BadName("OBJECT-NAME")


@dataclass(frozen=True)
class Folder:
    """What lies in a folder: a file for each role, and ``job.yaml``."""

    files: Mapping[Role, StoredObject]
    job: StoredObject | None

    def needs(self, request: Request) -> tuple[Role, ...]:
        """The roles that have to be there before anything starts; Refused when job.yaml lists what cannot be.

        ``job.yaml`` decides by its `files`; without it, and when it lists none, training and evaluation are needed.
        """
        if not request.files:
            return ROLES
        for name in request.files:
            if name in OTHER_FILES:
                raise Refused(f"job.yaml: `files` lists {name}, of a tuning method that is not available")
            if name not in FILES:
                raise Refused(f"job.yaml: `files` lists {name!r}; allowed: {', '.join(FILES)}")
        if "train.jsonl" not in request.files:
            raise Refused("job.yaml: `files` does not list train.jsonl; there is nothing to train on without it")
        return tuple(role for role in ROLES if f"{role}.jsonl" in request.files)


def folder(name: str, listed: Iterable[StoredObject]) -> Folder:
    """The pieces of folder `name` among the objects listed below it."""
    by_name = {stored.name.removeprefix(f"{name}/"): stored for stored in listed}
    files = {role: by_name[file] for file, role in FILES.items() if file in by_name}
    return Folder(files=files, job=by_name.get(JOB))
