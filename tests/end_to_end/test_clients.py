"""What users type: the demo with the real base model, and gcloud against the local cloud."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from cloud_process import DEMO, Cloud, ended

DROPTUNE = [sys.executable, "-c", "from droptune.cli import main; main()"]


def droptune(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in ("STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST")}
    environment = {**clean, "DROPTUNE_DATA": str(data), "NO_COLOR": "1"}
    return subprocess.run([*DROPTUNE, *arguments], env=environment, capture_output=True, text=True, timeout=900)


@pytest.mark.real_model
@pytest.mark.timeout(1200)  # beside other tests it has less than a core
def test_the_demo_tunes_the_real_model_and_it_wins(tmp_path: Path) -> None:
    """`droptune demo` ends with a registered champion that beats the base model at its best, and leaves no process."""
    told = droptune("demo", data=tmp_path / "cloud")
    assert told.returncode == 0, told.stderr[-3000:]
    assert "Verdict: approved" in told.stdout
    assert "champion" in told.stdout
    scores = {
        line.split("  ")[0].strip(): float(line[15:].split()[0])
        for line in told.stdout.splitlines()
        if line.startswith(("tuned ", "base zero-shot", "base few-shot"))
    }
    assert scores["tuned"] > 0.8
    folder = next(line.split()[1] for line in told.stdout.splitlines() if line.startswith("Folder"))
    assert (Path(folder) / "evaluation.json").exists()
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or ())]


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_gcloud_drops_a_file_and_reads_the_outcome(cloud: Cloud, tmp_path: Path) -> None:
    """With the exports of `droptune env`, plain gcloud starts a run, lists its execution and pulls the message."""
    exports = droptune("env", data=cloud.data)
    assert exports.returncode == 0, exports.stderr
    broken = tmp_path / "from-gcloud.jsonl"
    broken.write_bytes(b"\n".join((DEMO / "train.jsonl").read_bytes().splitlines()[:5]))

    def gcloud(command: str) -> str:
        script = f"{exports.stdout}\ngcloud {command}"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    gcloud(f"storage cp {broken} gs://droptune-local-intake/")
    ledger = cloud.wait("from-gcloud", ended)
    run = next(iter(ledger)).partition("/")[0]
    assert run in gcloud(
        "pubsub subscriptions pull notifications-inbox --auto-ack --limit 100 --format 'json(message)'"
    )
    assert "tune" in gcloud("workflows list --location us-central1 --format 'value(name)'")


def test_the_commands_tell_a_run_in_every_way(cloud: Cloud) -> None:
    """runs, show and logs find a rejected run; its exit codes and its next command are those of a rejection."""
    rows = (DEMO / "train.jsonl").read_bytes().splitlines()[:20]
    cloud.put("told.jsonl", b"\n".join([*rows, b'{"input_text": "no answer"}']))
    ledger = cloud.wait("told", ended)
    run = next(iter(ledger)).partition("/")[0]
    assert run in droptune("runs", data=cloud.data).stdout
    shown = droptune("show", run, data=cloud.data)
    assert "droptune check" in shown.stdout
    assert "told.jsonl line 21" in shown.stdout
    assert "rejected" in droptune("logs", run, data=cloud.data).stdout
    nothing = droptune("dead-letters", data=cloud.data)
    assert nothing.returncode == 0, nothing.stderr
