"""The state file: one owner, refused when damaged, and a full disk that loses nothing."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from workflows_echo import echo_server

from localcloud.process import CannotStart
from localcloud.workflows.service.store import Store

PARENT = "projects/p/locations/l"
# Records something every few milliseconds, in branches that stop together.
BUSY = """
main:
  params: [base]
  steps:
    - a: {assign: [{seen: []}]}
    - b:
        parallel:
          shared: [seen]
          for:
            value: i
            range: [1, 4]
            steps:
              - c:
                  for:
                    value: j
                    range: [1, 20]
                    steps:
                      - wait: {call: sys.sleep, args: {seconds: 0.02}}
                      - note: {assign: [{seen: "${list.concat(seen, i * 100 + j)}"}]}
              - ask: {call: http.get, args: {url: "${base + \\"/\\" + string(i)}"}, result: r}
    - d: {return: "${len(seen)}"}
"""


def test_a_second_service_on_the_folder_is_refused(start_service: Callable[..., Any], tmp_path: Path) -> None:
    """Two engines would run every execution twice: the second one does not start, and says why."""
    start_service("workflows")
    second = subprocess.run(
        [sys.executable, "-m", "localcloud", "workflows", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 3
    assert "is another local Workflows running on this folder?" in second.stderr


@pytest.mark.parametrize("damage", ["foreign", "torn", "shortened"])
def test_a_damaged_file_is_refused(damage: str, tmp_path: Path) -> None:
    """A file that is not a whole database of ours is neither used nor overwritten."""
    path = tmp_path / "w.sqlite3"
    store = Store(path)
    for number in range(200):
        store.save_revision(f"{PARENT}/workflows/w{number}", "000001-abc", 1, {"description": "x" * 200})
    store.close()
    content = path.read_bytes()
    torn = content[: len(content) // 2] + b"\xff" * 4096 + content[len(content) // 2 + 4096 :]
    path.write_bytes({"foreign": b"not a database" * 100, "torn": torn, "shortened": content[:5000]}[damage])
    before = path.read_bytes()
    with pytest.raises(CannotStart, match=r"cannot use .*w\.sqlite3: .*damaged or not ours; move it away"):
        Store(path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """The message names the file and what to check."""
    (tmp_path / "w.sqlite3").mkdir()
    with pytest.raises(CannotStart, match="check that the folder exists, can be written"):
        Store(tmp_path / "w.sqlite3")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux to take a process's disk away")
def test_a_full_disk_loses_nothing(start_service: Callable[..., Any], tmp_path: Path) -> None:
    """Without room nothing new is accepted; what runs goes on from its journal when there is room again."""
    with echo_server() as (address, paths):
        service = start_service("workflows")
        rest = f"{service.addresses['rest']}/v1/{PARENT}/workflows"
        requests.post(f"{rest}?workflowId=w", json={"sourceContents": BUSY}, timeout=10).raise_for_status()
        argument = {"argument": json.dumps(address)}
        created = requests.post(f"{rest}/w/executions", json=argument, timeout=10).json()
        time.sleep(0.1)
        _limit_files(service, (tmp_path / "workflows.sqlite3-wal").stat().st_size)
        refused = requests.post(f"{rest}/w/executions", json=argument, timeout=10)
        assert (refused.status_code, refused.json()["error"]["status"]) == (503, "UNAVAILABLE")
        assert "free disk space" in refused.json()["error"]["message"]
        time.sleep(0.5)
        assert _execution(service, created["name"])["state"] == "ACTIVE"
        _limit_files(service, resource.RLIM_INFINITY)
        deadline = time.monotonic() + 20
        while (found := _execution(service, created["name"]))["state"] == "ACTIVE":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert (found["state"], found["result"]) == ("SUCCEEDED", "80")
        assert set(paths.all) == {"/1", "/2", "/3", "/4"}
        listed = requests.get(f"{rest}/w/executions", timeout=10).json()["executions"]
        assert [execution["name"] for execution in listed] == [created["name"]]


def _limit_files(service: Any, size_bytes: int) -> None:
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def _execution(service: Any, name: str) -> Any:
    return requests.get(f"{service.addresses['rest']}/v1/{name}", timeout=10).json()
