"""How long a dropped file takes to become a job, and what a hundred at once do to the local cloud.

    python tests/benchmarks/drops.py [--count 100]

Starts a local cloud of its own with a tiny base model made from scratch. Prints JSON:
seconds from the end of an upload to the job's record in the ledger (median and worst of several drops, cloud warm),
and for COUNT files dropped at once: outcomes per file, jobs per usable file, seconds until the last outcome, and the
memory of all processes before and after. One in four files is usable; the others are refused for different reasons.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import requests

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
from cloud_process import DEMO, RUNS, Cloud, ended

from localcloud.vertex.tiny_base import make_tiny_base

ROWS = (DEMO / "train.jsonl").read_bytes().splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--latency-drops", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = make_tiny_base(Path(folder) / "base", [row.decode() for row in ROWS])
        cloud = Cloud(Path(folder) / "cloud", base)
        try:
            print(json.dumps({"drop_to_job_seconds": latency(cloud, arguments.latency_drops)}, indent=2))
            print(json.dumps({"many": many(cloud, arguments.count)}, indent=2))
        finally:
            cloud.stop()


def latency(cloud: Cloud, count: int) -> dict[str, float]:
    """Seconds from uploaded to job recorded; the first drop, which warms the functions, is told apart."""
    seconds = []
    for number in range(count + 1):
        name = f"latency{number}"
        cloud.put(f"{name}.jsonl", b"\n".join(ROWS[number : number + 200]), train_steps="1")
        began = time.monotonic()
        while not any("/job-1.json" in b.name for b in cloud.storage.list_blobs(RUNS, prefix=f"{name}-")):
            time.sleep(0.005)  # the ledger is a bucket: its objects are the only signal
        seconds.append(time.monotonic() - began)
        cloud.wait(name, ended)
    return {
        "first": round(seconds[0], 3),
        "median": round(statistics.median(seconds[1:]), 3),
        "worst": round(max(seconds[1:]), 3),
    }


def many(cloud: Cloud, count: int) -> dict[str, object]:
    """Drop `count` files from 16 threads at once."""
    before = memory(cloud)
    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        list(
            pool.map(
                lambda number: cloud.put(f"many{number:03d}.jsonl", content(number), train_steps="1"), range(count)
            )
        )
    uploaded = time.monotonic() - began
    outcomes: dict[str, list[str]] = {}
    peak = before
    while len(outcomes) < count and time.monotonic() - began < 3600:
        time.sleep(1)  # as above
        peak = max(peak, memory(cloud))
        outcomes = finished(cloud)
    jobs = requests.get(
        f"{cloud.addresses['vertex']}/v1/projects/droptune-local/locations/us-central1/pipelineJobs?pageSize=100",
        timeout=30,
    ).json()["pipelineJobs"]
    jobs_of = Counter(job["displayName"].rpartition("-")[0] for job in jobs if job["displayName"].startswith("many"))
    return {
        "files": count,
        "with_exactly_one_outcome": sum(len(found) == 1 for found in outcomes.values()),
        "usable": len([n for n in range(count) if usable(n)]),
        "jobs": dict(Counter(jobs_of.values())),
        "kinds": dict(Counter(found[0] for found in outcomes.values())),
        "upload_seconds": round(uploaded, 1),
        "seconds": round(time.monotonic() - began, 1),
        "memory_mb": {"before": before, "peak": peak, "after": memory(cloud)},
    }


def usable(number: int) -> bool:
    return number % 4 == 0


def content(number: int) -> bytes:
    """A usable file, one with a broken row, one with too few rows, or one that is no data set at all."""
    rows = list(ROWS[number * 3 : number * 3 + 30])
    match number % 4:
        case 1:
            rows[number % 30] = b'{"input_text": 3}'
        case 2:
            rows = rows[:5]
        case 3:
            rows = [b"<html>"]
    return b"\n".join(rows)


def finished(cloud: Cloud) -> dict[str, list[str]]:
    """Data set to the kinds of outcome that were told of it."""
    kinds = ("dataset-rejected", "tuning-failed", "evaluation-failed", "model-rejected", "model-registered")
    found: dict[str, list[str]] = {}
    for blob in cloud.storage.list_blobs(RUNS, prefix="many"):
        run, _, name = blob.name.partition("/")
        for kind in kinds:
            if name == f"notified-{kind}.json":
                found.setdefault(run.rpartition("-")[0], []).append(kind)
    return found


def memory(cloud: Cloud) -> int:
    """Resident megabytes of the cloud without its tuning and prediction processes."""
    total = 0
    for process in psutil.Process(cloud.process.pid).children(recursive=True):
        try:
            if not any("worker" in part or "model_server" in part for part in process.cmdline()):
                total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total // 1_000_000


if __name__ == "__main__":
    main()
