"""A file is dropped; a registered model, or the reason why not, comes out. Nothing here is a fake."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import requests
from cloud_process import DEMO, RUNS, Cloud, ended

TRAIN = (DEMO / "train.jsonl").read_bytes()
EVAL = (DEMO / "eval.jsonl").read_bytes()


def outcome(ledger: dict[str, dict[str, object]], suffix: str) -> dict[str, object]:
    return next(value for name, value in ledger.items() if name.endswith(f"/{suffix}"))


def test_a_dropped_folder_becomes_a_registered_champion(cloud: Cloud) -> None:
    """PaLM text: validated, planned, tuned through pipelineJobs, evaluated, registered, notified."""
    cloud.put("banking/job.yaml", b"train_steps: 150\nfiles: [train.jsonl, eval.jsonl]\nlabels: {team: cards}\n")
    cloud.put("banking/eval.jsonl", EVAL)
    cloud.put("banking/train.jsonl", TRAIN)
    ledger = cloud.wait("banking", ended)
    runs = {name.partition("/")[0] for name in ledger if name.endswith("/claim.json")}
    assert len(runs) == 1
    evaluation = outcome(ledger, "evaluation.json")
    assert evaluation["verdict"] == "approved"
    assert evaluation["rows"] == 150
    registered = outcome(ledger, "registered.json")
    assert set(registered["aliases"]) >= {"challenger", "champion"}  # type: ignore[call-overload]
    model = cloud.job(str(outcome(ledger, "tuned.json")["model"]).replace("@", "%40"))
    assert "champion" in model["versionAliases"]
    assert model["labels"]["team"] == "cards"
    inbox = f"{cloud.addresses['pubsub_rest']}/v1/projects/droptune-local/subscriptions/notifications-inbox:pull"
    messages = requests.post(inbox, json={"maxMessages": 100}, timeout=30).json()["receivedMessages"]
    assert len(messages) >= 2


def test_a_single_gemini_file_is_split_tuned_and_judged(cloud: Cloud) -> None:
    """Gemini contents at the bucket's root: tuned through tuningJobs on rows that are not the held-out ones."""
    rows = [json.loads(line) for line in TRAIN.splitlines()[:200]]
    contents = [
        {
            "contents": [
                {"role": "user", "parts": [{"text": row["input_text"]}]},
                {"role": "model", "parts": [{"text": row["output_text"]}]},
            ]
        }
        for row in rows
    ]
    data = "\n".join(json.dumps(row) for row in contents).encode()
    cloud.put("cards.jsonl", data, epochs="2", base_model="gemini-2.5-flash-lite")
    ledger = cloud.wait("cards", ended)
    run = next(iter(ledger)).partition("/")[0]
    job = cloud.job(str(outcome(ledger, "job-1.json")["name"]))
    assert job["state"] == "JOB_STATE_SUCCEEDED"
    assert job["baseModel"] == "gemini-2.5-flash-lite"
    parts = {
        role: set(cloud.storage.bucket(RUNS).blob(f"{run}/data/{role}.jsonl").download_as_bytes().splitlines())
        for role in ("train", "eval")
    }
    assert parts["train"].isdisjoint(parts["eval"])
    assert parts["train"] | parts["eval"] == set(data.splitlines())
    assert outcome(ledger, "evaluation.json")["verdict"] in ("approved", "rejected")


def test_a_bad_file_is_rejected_with_every_finding(cloud: Cloud) -> None:
    """All faults at once, with line and fix, and no job."""
    lines = TRAIN.splitlines()[:30]
    lines[4] = b'{"input_text": "no answer"}'
    lines[9] = b'{"input_text": 7, "output_text": ""}'
    lines[20] = b"{not json"
    cloud.put("broken.jsonl", b"\n".join(lines))
    ledger = cloud.wait("broken", ended)
    report = outcome(ledger, "report.json")
    assert report["status"] == "rejected"
    errors = [f for f in report["findings"] if f["severity"] == "error"]  # type: ignore[attr-defined]
    assert {5, 10, 21} <= {finding["line"] for finding in errors}
    assert all(finding["fix"] for finding in errors)
    assert not [name for name in ledger if name.endswith(("claim.json", "job-1.json"))]


def test_the_same_event_three_times_starts_one_job(cloud: Cloud) -> None:
    """Delivery is at least once; the claim makes it one run."""
    blob = cloud.put("thrice.jsonl", b"\n".join(TRAIN.splitlines()[:60]), train_steps="2")
    resource = {
        "bucket": blob.bucket.name,
        "name": blob.name,
        "generation": str(blob.generation),
        "size": str(blob.size),
        "metadata": blob.metadata,
    }
    headers = {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "again",
        "ce-type": "google.cloud.storage.object.v1.finalized",
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{blob.bucket.name}",
    }
    for _ in range(3):
        reply = requests.post(f"{cloud.addresses['functions']}/validate/", json=resource, headers=headers, timeout=30)
        assert reply.ok
    cloud.wait("thrice", ended)
    jobs = cloud.vertex("pipelineJobs?pageSize=100")["pipelineJobs"]
    assert len([job for job in jobs if job["displayName"].startswith("thrice-")]) == 1


SERVICES = ("storage", "pubsub", "eventarc", "functions", "workflows", "vertex")


def test_any_process_may_be_killed_while_a_run_is_under_way(cloud: Cloud) -> None:
    """Every service, the tuning process and the predicting one are killed in turn; the run ends, and ends once."""
    name = "kill"
    cloud.put(f"{name}.jsonl", b"\n".join(TRAIN.splitlines()[:120]), train_steps="60")
    cloud.wait(name, lambda ledger: any(key.endswith("/job-1.json") for key in ledger))
    for victim in SERVICES:
        before = {process.pid for process in cloud.children(victim)}
        for process in cloud.children(victim):
            process.kill()
        cloud.until(lambda victim=victim, before=before: {p.pid for p in cloud.children(victim)} - before)
    cloud.until(lambda: cloud.children("worker"))
    for process in cloud.children("worker"):
        process.kill()
    cloud.wait(name, lambda ledger: any(key.endswith("/tuned.json") for key in ledger))
    cloud.until(lambda: cloud.children("model_server"))
    for process in cloud.children("model_server"):
        process.kill()
    ledger = cloud.wait(name, ended)
    for once in ("claim", "job-1", "tuned", "evaluation"):
        assert len([key for key in ledger if key.endswith(f"/{once}.json")]) == 1, sorted(ledger)
    jobs = cloud.vertex("pipelineJobs?pageSize=100")["pipelineJobs"]
    assert len([job for job in jobs if job["displayName"].startswith(f"{name}-")]) == 1


def test_a_cloud_that_was_killed_goes_on_where_it_was(own_cloud: Cloud) -> None:
    """SIGKILL of everything in the middle of a job; after a new start on the same folder the run ends well."""
    own_cloud.put("phoenix.jsonl", b"\n".join(TRAIN.splitlines()[:120]), train_steps="20")
    own_cloud.wait("phoenix", lambda ledger: any(key.endswith("job-1.json") for key in ledger))
    tree = psutil.Process(own_cloud.process.pid).children(recursive=True)
    own_cloud.process.kill()
    own_cloud.process.wait()
    assert not psutil.wait_procs(tree, timeout=30)[1]
    own_cloud.start()
    ledger = own_cloud.wait("phoenix", ended)
    assert [key for key in ledger if key.endswith("/tuned.json")]


def test_two_clouds_run_side_by_side_and_leave_nothing(cloud: Cloud, own_cloud: Cloud) -> None:
    """Each has its own ports, folder and runs; Ctrl-C ends a whole tree."""
    assert not set(cloud.addresses.values()) & set(own_cloud.addresses.values())
    own_cloud.put("mine.jsonl", b'{"input_text": "a"}\n')
    own_cloud.wait("mine", ended)
    assert cloud.ledger("mine") == {}
    tree = psutil.Process(own_cloud.process.pid).children(recursive=True)
    os.kill(own_cloud.process.pid, signal.SIGINT)
    assert own_cloud.process.wait(60) == 0
    assert not psutil.wait_procs(tree, timeout=10)[1]
    assert not (own_cloud.data / "cloud.json").exists()


def test_logs_are_json_lines_without_rows(cloud: Cloud) -> None:
    """One place for all processes; severity on every line; never a row of data."""
    cloud.put("quiet.jsonl", b"\n".join(TRAIN.splitlines()[:10]) + b'\n{"input_text": "SECRET-ROW"}\n')
    cloud.wait("quiet", ended)
    log = Path(cloud.data / "log.jsonl").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert all("severity" in line and "message" in line for line in lines)
    assert "SECRET-ROW" not in log
    runs = {line.get("run_id") for line in lines}
    assert any(run and run.startswith("quiet-") for run in runs)
