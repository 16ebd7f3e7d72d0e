"""Cloud Storage of the local cloud, as far as the pipeline relies on it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import requests


def upload(address: str, bucket: str, name: str, body: bytes, **query: object) -> requests.Response:
    """A multipart upload, the form whose preconditions hold."""
    boundary = "part"
    head = f"--{boundary}\r\nContent-Type: application/json\r\n\r\n{json.dumps({'name': name})}\r\n"
    content = f"{head}--{boundary}\r\nContent-Type: text/plain\r\n\r\n".encode() + body + f"\r\n--{boundary}--".encode()
    return requests.post(
        f"{address}/upload/storage/v1/b/{bucket}/o",
        params={"uploadType": "multipart", **query},
        data=content,
        headers={"Content-Type": f"multipart/related; boundary={boundary}"},
        timeout=10,
    )


def new_bucket(address: str, name: str) -> str:
    requests.post(f"{address}/storage/v1/b", params={"project": "p"}, json={"name": name}, timeout=10)
    return name


def test_an_object_that_must_not_exist_is_created_once(storage_address: str) -> None:
    """The ledger and the claim of a run rest on this."""
    bucket = new_bucket(storage_address, "once")
    codes = [upload(storage_address, bucket, "a/claim.json", b"x", ifGenerationMatch=0).status_code for _ in range(2)]
    assert codes == [200, 412]


def test_objects_survive_the_death_of_the_server(start_service: Callable[..., Any], tmp_path: Path) -> None:
    """Name, generation and bytes are the same after SIGKILL and a new start on the same folder."""
    first = start_service("storage")
    address = first.addresses["rest"]
    bucket = new_bucket(address, "kept")
    before = upload(address, bucket, "dir/n.jsonl", b"rows").json()
    first.kill()
    again = start_service("storage").addresses["rest"]
    after = requests.get(f"{again}/storage/v1/b/{bucket}/o/dir%2Fn.jsonl", timeout=10).json()
    assert (after["name"], after["generation"], after["crc32c"]) == (
        "dir/n.jsonl",
        before["generation"],
        before["crc32c"],
    )
    assert (tmp_path / "storage" / bucket / "dir" / "n.jsonl").read_bytes() == b"rows"


def test_the_server_program_ends_with_its_keeper(start_service: Callable[..., Any]) -> None:
    """Neither SIGTERM nor SIGKILL of the Python process leaves fake-gcs-server behind."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        service = start_service("storage")
        children = psutil.Process(service.process.pid).children(recursive=True)
        assert children
        os.kill(service.process.pid, number)
        service.process.wait(20)
        alive = psutil.wait_procs(children, timeout=10)[1]
        assert not alive
