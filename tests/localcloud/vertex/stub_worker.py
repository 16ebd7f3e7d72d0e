"""Keeps the worker's contract without a model: ``stub_worker.py MODE JOB_DIR``.

MODE: tune; wait (until JOB_DIR/go exists); refuse (error.json); crash (exit 3); die (SIGKILL, always); die-once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from localcloud.process import die_with_parent, write_atomically


def main(mode: str, folder: Path) -> int:
    die_with_parent(0.05)
    spec = json.loads((folder / "spec.json").read_text())
    with (folder / "starts").open("a") as file:
        file.write(f"{os.getpid()}\n")
    starts = len((folder / "starts").read_text().split())
    progress = (folder / "progress.jsonl").open("a")
    for step in range(1, spec["steps"] + 1):
        metrics = {"/train_total_loss": 1 / step, "/train_fraction_of_correct_next_step_preds": 0.5}
        line = {"phase": "training", "step": step, "steps": spec["steps"], "seconds_left": 1.0, "metrics": metrics}
        progress.write(json.dumps(line) + "\n")
        progress.flush()
    if mode == "die" or (mode == "die-once" and starts == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "crash":
        print("worker fell over")
        return 3
    if mode == "refuse":
        error = {"status": "INVALID_ARGUMENT", "message": "row 3 has no output_text"}
        write_atomically(folder / "error.json", json.dumps(error))
        return 1
    while mode == "wait" and not (folder / "go").exists():
        time.sleep(0.01)
    (folder / "adapter").mkdir(exist_ok=True)
    (folder / "adapter" / "weights").write_text("stub")
    rows = sum(1 for line in Path(spec["train_path"]).read_text().splitlines() if line)
    result = {
        "adapter": "adapter",
        "steps": spec["steps"],
        "train_rows": rows,
        "train_tokens": rows * 10,
        "truncated_rows": 1,
        "final_metrics": metrics,
        "seconds": 0.1,
        "device": "stub",
        "base_model": {"name": "Stub Base 1M"},
        "seed": spec["seed"],
        "hyperparameters": {},
    }
    write_atomically(folder / "result.json", json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
