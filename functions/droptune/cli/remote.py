"""Files in a bucket, for commands that read them in place."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path, PurePosixPath

import click

from ..clients.storage import CloudStorage
from ..datasets.check import Source
from ..datasets.join import JOB
from ..errors import ObjectGone, Retryable
from ..ports import StoredObject
from .checking import ENDINGS, Folder
from .cloud import PROJECT, running
from .group import CliError
from .paths import SCHEME

EMULATOR = "STORAGE_EMULATOR_HOST"


def remote_files(address: str, project: str | None, data: Path) -> tuple[Folder | None, list[tuple[str, Source]]]:
    """The object at a ``gs://`` address, or the data files below it when it is a folder; CliError when there is none.

    Objects are read from the local cloud that runs on `data`, or from the storage that STORAGE_EMULATOR_HOST names,
    unless `project` is one of Google Cloud's.
    """
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError

    bucket, _, name = address.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise click.UsageError(f"{address} names no bucket. An address is gs://BUCKET/NAME or gs://BUCKET/FOLDER/.")
    objects = _storage(project, data)
    try:
        found = None if not name or name.endswith("/") else objects.stat(bucket, name)
        if found is not None:
            return None, [(address, _source(found, address, objects))]
        prefix = name if not name or name.endswith("/") else f"{name}/"
        inside = [each for each in objects.list(bucket, prefix) if "/" not in each.name.removeprefix(prefix)]
        if not inside:
            raise CliError(f"{address}: no such object, and nothing below it. Check the address, or name a --project.")
        job = next((each for each in inside if each.name == f"{prefix}{JOB}"), None)
        asked = objects.read(bucket, job.name) if job else None
    except (ObjectGone, Retryable) as error:
        raise CliError(f"{address} cannot be read: {error}") from error
    except (GoogleAPICallError, GoogleAuthError) as error:
        raise CliError(f"{address} cannot be read: {error}. Check the address, your login and --project.") from error
    visible = [each for each in inside if not PurePosixPath(each.name).name.startswith(".")]
    files = [each for each in visible if PurePosixPath(each.name).suffix in ENDINGS]
    addresses = [f"{SCHEME}{bucket}/{each.name}" for each in files]
    named = [(own, _source(each, own, objects)) for own, each in zip(addresses, files, strict=True)]
    return Folder(PurePosixPath(prefix).name or bucket, asked), named


def _source(stored: StoredObject, address: str, objects: CloudStorage) -> Source:
    return Source(address, stored.size_bytes, partial(objects.stream, stored), stored.generation)


def _storage(project: str | None, data: Path) -> CloudStorage:
    if project is not None:
        return CloudStorage(project)
    if EMULATOR in os.environ:
        return CloudStorage(PROJECT)
    cloud = running(data)
    if cloud is None or "storage" not in cloud.addresses:
        raise CliError(
            f"no local cloud runs on {data}. Start one with `droptune up` (another terminal), "
            "or name a --project of Google Cloud."
        )
    os.environ[EMULATOR] = cloud.addresses["storage"]
    return CloudStorage(cloud.project)
