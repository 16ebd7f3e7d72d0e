"""Files in a bucket, for commands that read them in place."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path, PurePosixPath

from ..clients.storage import CloudStorage
from ..datasets.check import Source
from ..datasets.join import JOB
from ..errors import ObjectGone, Retryable
from ..ports import StoredObject
from .checking import ENDINGS, SCHEME, Folder
from .cloud import PROJECT, running
from .group import CliError

EMULATOR = "STORAGE_EMULATOR_HOST"


def remote_files(address: str, project: str | None, data: Path) -> tuple[Folder | None, list[tuple[str, Source]]]:
    """The object at a ``gs://`` address, or the data files below it when it is a folder; CliError when there is none.

    Objects are read from the local cloud that runs on `data`, unless `project` names one of Google Cloud's.
    """
    bucket, _, name = address.removeprefix(SCHEME).partition("/")
    objects = _storage(project, data)
    try:
        found = None if not name or name.endswith("/") else objects.stat(bucket, name)
        if found is not None:
            return None, [(address, _source(found, objects))]
        prefix = name if not name or name.endswith("/") else f"{name}/"
        inside = [each for each in objects.list(bucket, prefix) if "/" not in each.name.removeprefix(prefix)]
        if not inside:
            raise CliError(f"{address}: no such object, and nothing below it. Check the address, or name a --project.")
        job = next((each for each in inside if each.name == f"{prefix}{JOB}"), None)
        asked = objects.read(bucket, job.name) if job else None
    except (ObjectGone, Retryable) as error:
        raise CliError(f"{address} cannot be read: {error}") from error
    except Exception as error:
        raise CliError(f"{address} cannot be read: {error}. Check the address, your login and --project.") from error
    files = [each for each in inside if PurePosixPath(each.name).suffix in ENDINGS]
    named = [(f"{SCHEME}{bucket}/{each.name}", _source(each, objects)) for each in files]
    return Folder(PurePosixPath(prefix).name or bucket, asked), named


def _source(stored: StoredObject, objects: CloudStorage) -> Source:
    return Source(
        PurePosixPath(stored.name).name, stored.size_bytes, partial(objects.stream, stored), stored.generation
    )


def _storage(project: str | None, data: Path) -> CloudStorage:
    cloud = running(data) if project is None else None
    if cloud is not None and "storage" in cloud.addresses:
        os.environ.setdefault(EMULATOR, cloud.addresses["storage"])
    return CloudStorage(project or (cloud.project if cloud else PROJECT))
