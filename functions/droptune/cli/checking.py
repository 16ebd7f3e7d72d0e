"""Data sets on this machine, checked as a run would check them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..datasets.check import check_files
from ..datasets.join import FILES, JOB
from ..datasets.report import Report
from ..errors import Refused
from ..events import Role
from ..request import Request, from_yaml
from .group import InputError


def check_path(path: Path, held_out: Path | None = None) -> Report:
    """The report on a file of training rows, or on a folder by the roles of its files.

    `held_out` are the evaluation rows of a file. OSError when a file cannot be read, InputError for a folder that is
    no data set.
    """
    if not path.is_dir():
        files: dict[Role, Path] = {"train": path}
        if held_out is not None:
            files["eval"] = held_out
        return check_files(files, name=path.stem)
    if held_out is not None:
        raise InputError("--eval is for single files; a folder has its eval.jsonl.")
    found: Mapping[Role, Path] = {role: path / name for name, role in FILES.items() if (path / name).exists()}
    if not found:
        raise InputError(f"{path} holds none of {', '.join(FILES)}. Name a .jsonl file, or a folder with those names.")
    return check_files(found, _wishes(path / JOB), name=path.resolve().name)


def _wishes(job: Path) -> Request:
    if not job.exists():
        return Request()
    try:
        return from_yaml(job.read_bytes())
    except Refused as error:
        raise InputError(str(error)) from error
