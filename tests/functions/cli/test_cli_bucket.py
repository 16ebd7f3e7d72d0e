"""Buckets as the command line uses them, on a real storage server."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from droptune.cli.bucket import CloudBucket
from droptune.cli.group import CliError


@pytest.fixture
def client(storage_address: str) -> Any:
    options = {"api_endpoint": storage_address}
    return storage.Client(project="p", credentials=AnonymousCredentials(), client_options=options)


def bucket(client: Any, address: str, name: str) -> CloudBucket:
    requests.post(f"{address}/storage/v1/b", params={"project": "p"}, json={"name": name}, timeout=10)
    return CloudBucket(client, name)


def test_what_was_uploaded_is_listed_and_read(client: Any, storage_address: str, tmp_path: Path) -> None:
    """Folders, names, times and bytes come back; an upload tells its generation; deleting twice is fine."""
    found = bucket(client, storage_address, "cli-read")
    file = tmp_path / "train.jsonl"
    file.write_text('{"input_text": "a", "output_text": "b"}\n')
    generation = found.upload(file, "set/train.jsonl", {"droptune-train-steps": "5"})
    assert found.folders() == ["set"]
    (entry,) = found.list("set")
    assert entry.name == "train.jsonl" and abs(entry.created - time.time()) < 60
    assert found.read("set/train.jsonl") == file.read_bytes()
    assert found.created("set/train.jsonl", generation) == entry.created
    stored = client.bucket("cli-read").get_blob("set/train.jsonl")
    assert stored.metadata == {"droptune-train-steps": "5"}
    found.delete("set/train.jsonl")
    found.delete("set/train.jsonl")
    assert found.folders() == []


def test_what_is_not_there_is_told_apart_from_what_cannot_be_reached(client: Any, storage_address: str) -> None:
    """A missing object is a KeyError; a missing bucket is an error that names the next command."""
    found = bucket(client, storage_address, "cli-missing")
    with pytest.raises(KeyError):
        found.read("nothing")
    assert found.created("nothing", 1) is None
    with pytest.raises(CliError, match="droptune doctor"):
        CloudBucket(client, "cli-no-such-bucket").list("x")
