"""What the paths of ``droptune check`` name: data sets of one or several files, on this machine or in a bucket."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import msgspec

from ..datasets.check import Source, local_source
from ..datasets.embedding import holds_rows
from ..datasets.join import FILES, JOB, names, needs
from ..errors import ObjectGone, Retryable
from ..events import Role
from ..request import MAX_JOB_BYTES, InvalidRequest, Request, from_yaml
from .group import CliError
from .paths import SCHEME, require_file, shown

# Words in the names of files that belong together: cards_train.jsonl, cards-eval.jsonl.
ROLE_WORDS: Mapping[str, Role] = {
    **dict.fromkeys(("train", "training", "tuning"), "train"),
    **dict.fromkeys(("eval", "evaluation", "validation", "valid", "val", "dev", "test"), "eval"),
    "prompts": "prompts",
    "preferences": "preferences",
    "corpus": "corpus",
    "queries": "queries",
    "labels": "labels",
}
_ROLE_WORD = re.compile(rf"(?:^|[_.-])({'|'.join(ROLE_WORDS)})(?=$|[_.-])")
ENDINGS = (".jsonl", ".tsv")


@dataclass(frozen=True)
class DataSet:
    """Files that are judged together.

    `path` is what the user typed, where one path names the whole of it. `refused` is what is wrong with ``job.yaml``,
    and `missing` are the files for which a run of this folder would wait.
    """

    name: str
    path: str | None
    sources: Mapping[Role, Source]
    request: Request
    refused: InvalidRequest | None = None
    missing: tuple[str, ...] = ()


def data_sets(
    paths: Sequence[str], role: Role | None, wishes: Request, project: str | None, data: Path
) -> list[DataSet]:
    """The data sets that the paths name: a folder of files named by their roles is one, and so are files that go
    together by their names (``cards_train.jsonl``, ``cards_eval.jsonl``); any other file is one of its own.

    `role` is that of every file. CliError or OSError for what cannot be read, a folder without data among it.
    """
    found: list[DataSet] = []
    files: list[tuple[str, Source]] = []
    for path in paths:
        if path.startswith(SCHEME):
            from .remote import remote_files

            folder, named = remote_files(path, project, data)
        else:
            folder, named = _local_files(Path(path))
        in_folder = {
            FILES[PurePosixPath(name).name]: source for name, source in named if PurePosixPath(name).name in FILES
        }
        if folder is not None and in_folder:
            found.append(_folder(folder, path, _in_order(in_folder), wishes))
        elif folder is not None and not named:
            raise CliError(
                f"{shown(path)} holds no data. Name a .jsonl file, or a folder with {', '.join(FILES)} "
                "or other .jsonl files; folders in it are not looked into."
            )
        else:
            files += [(name if folder is not None else path, source) for name, source in named]
    return found + list(_together(files, role, wishes))


@dataclass(frozen=True)
class Folder:
    """A folder's name, and the bytes of its ``job.yaml`` if it has one."""

    name: str
    job: bytes | None

    def request(self) -> Request:
        """What ``job.yaml`` asks for; InvalidRequest when it asks for what cannot be."""
        if self.job is None:
            return Request()
        if len(self.job) > MAX_JOB_BYTES:
            raise InvalidRequest("REQUEST-TOO-LARGE", {"found": len(self.job), "most": MAX_JOB_BYTES})
        return from_yaml(self.job)


def _folder(folder: Folder, path: str, sources: Mapping[Role, Source], wishes: Request) -> DataSet:
    """A folder as a run would take it, the command's own wishes counting more than ``job.yaml``."""
    try:
        asked = folder.request()
        request = msgspec.structs.replace(
            asked, method=wishes.method or asked.method, base_model=wishes.base_model or asked.base_model
        )
        needed = needs(sources, request)
    except InvalidRequest as error:
        return DataSet(folder.name, path, sources, wishes, refused=error)
    missing = tuple(names(role for role in needed if role not in sources))
    return DataSet(folder.name, path, sources, request, missing=missing)


def _local_files(path: Path) -> tuple[Folder | None, list[tuple[str, Source]]]:
    if not path.is_dir():
        require_file(path)
        return None, [(str(path), _local(path))]
    job = path / JOB
    folder = Folder(shown(path.resolve().name), job.read_bytes() if job.is_file() else None)
    inside = sorted(
        each for each in path.iterdir() if each.suffix in ENDINGS and not each.name.startswith(".") and each.is_file()
    )
    return folder, [(str(each), _local(each)) for each in inside]


def _local(path: Path) -> Source:
    """The file, named by its path: of several data sets each may have a ``train.jsonl``."""
    return replace(local_source(path), name=shown(path))


def _together(files: Iterable[tuple[str, Source]], role: Role | None, wishes: Request) -> Iterator[DataSet]:
    """Files joined by the words for roles in their names, as long as no two have the same.

    The word for labels, which are no rows, means something else in the name of a file that holds rows.
    """
    sets: dict[str, dict[Role, tuple[str, Source]]] = {}
    for path, source in files:
        stem = PurePosixPath(path).stem
        word = None if role is not None else next(iter(_ROLE_WORD.finditer(stem)), None)
        if word is not None and ROLE_WORDS[word[1]] == "labels" and _holds_rows(source):
            word = None
        own = role or (ROLE_WORDS[word[1]] if word else "train")
        key = path if word is None else f"{PurePosixPath(path).parent}/{stem[: word.start()]}\0{stem[word.end() :]}"
        group = sets.setdefault(key, {})
        if own in group:
            sets[path] = {own: (path, source)}
        else:
            group[own] = (path, source)
    for group in sets.values():
        # A file alone is judged as training data unless the user says what it is: its name may mean something else.
        if len(group) == 1 and role is None:
            ((own, (path, source)),) = group.items()
            group = {"labels" if own == "labels" else "eval" if own == "eval" else "train": (path, source)}
        path, _ = next(iter(group.values()))
        name = PurePosixPath(path).stem
        if len(group) > 1:
            name = _ROLE_WORD.sub("", name).strip("_.-") or PurePosixPath(path).parent.name or "data"
        sources = _in_order({own: source for own, (_, source) in group.items()})
        yield DataSet(shown(name), path if len(group) == 1 else None, sources, wishes)


def _holds_rows(source: Source) -> bool:
    try:
        with source.open() as stream:
            return holds_rows(stream)
    except (Retryable, ObjectGone) as error:
        raise CliError(f"{error}. Try again.") from error


def _in_order(sources: Mapping[Role, Source]) -> dict[Role, Source]:
    return {role: sources[role] for role in FILES.values() if role in sources}
