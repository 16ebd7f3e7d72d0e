"""Processes of the local cloud: who binds where, and who dies with whom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from localcloud.process import LOOPBACK, listen, write_atomically


def test_servers_listen_on_loopback_only() -> None:
    """Nobody else on the network reaches the local cloud."""
    with listen() as bound:
        assert bound.getsockname()[0] == LOOPBACK


def test_a_written_file_is_whole_and_leaves_no_part(tmp_path: Path) -> None:
    """A reader sees the old text or the new one."""
    target = tmp_path / "deep" / "state.json"
    write_atomically(target, "one")
    write_atomically(target, "two")
    assert target.read_text() == "two"
    assert list(target.parent.iterdir()) == [target]


PARENT = """
import subprocess, sys
from localcloud.process import child_environment
program = "import time; from localcloud.process import die_with_parent; die_with_parent(0.05); "
program += "print('up', flush=True); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", program], env=child_environment(), stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""


def test_a_child_ends_when_its_parent_is_killed() -> None:
    """However the parent ended, no process stays behind."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    child.wait(timeout=20)
    assert not child.is_running()
