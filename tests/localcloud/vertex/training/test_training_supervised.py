"""Tuning changes the weights for real, deterministically, and survives being killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_tuning
import torch
from safetensors.torch import load_file
from tiny_tuning import LABELS, QUESTIONS

import localcloud
from localcloud.vertex import worker
from localcloud.vertex.chat import ChatFormat, Turn
from localcloud.vertex.training import TRAINERS, JobError
from localcloud.vertex.training.checkpoint import Checkpoints
from localcloud.vertex.training.data import collate
from localcloud.vertex.training.loop import FINAL_RATE_SHARE, Scores, learning_rate, run
from localcloud.vertex.training.low_rank import fuse
from localcloud.vertex.training.model import Placement, add_adapter, load_model, trainable
from localcloud.vertex.training.progress import Progress
from localcloud.vertex.training.supervised import masked_loss

KILLED_AT = 30


def ignore(progress: Progress) -> None:
    """A reporter for whom nothing is news."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tuning.tiny_base(tmp_path_factory.mktemp("models") / "tiny")


def test_eight_rows_are_learned_by_heart(base: Path, tmp_path: Path) -> None:
    """Sixty steps on eight rows answer all eight exactly, from an untrained model."""
    seen: list[Progress] = []
    result = TRAINERS["supervised"](tiny_tuning.job(tmp_path, base), seen.append)
    assert result.final_metrics["exact_match"] == 1.0
    assert result.final_metrics["/eval_fraction_of_correct_next_step_preds"] == 1.0
    assert result.final_metrics["/train_total_loss"] < 0.1 < seen[1].metrics["/train_total_loss"]
    assert result.train_rows == 8
    steps = [progress.step for progress in seen if progress.rows_per_second is not None]
    assert steps == list(range(1, 61))
    assert [p.phase for p in (seen[0], seen[-1])] == ["loading", "saving"]


def test_the_number_of_predictions_is_the_number_of_answer_tokens(base: Path, tmp_path: Path) -> None:
    """The loss covers the answers and their end tokens only, never the prompts."""
    result = TRAINERS["supervised"](tiny_tuning.job(tmp_path, base, steps=1), ignore)
    chat = ChatFormat(base)
    expected = sum(len(chat.answer_ids(label)) for label in LABELS)
    assert result.final_metrics["/eval_num_predictions"] == expected
    assert result.final_metrics["/train_num_predictions"] == expected


def test_a_killed_job_ends_with_the_same_weights(base: Path, tmp_path: Path) -> None:
    """After SIGKILL a job continues from its checkpoint and ends as if it had never been killed."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "import tiny_tuning\n"
        "from localcloud.vertex.training import TRAINERS\n"
        "def report(progress):\n"
        f"    if progress.step == {KILLED_AT}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "TRAINERS['supervised'](tiny_tuning.job(Path(sys.argv[1]), Path(sys.argv[2])), report)\n"
    )
    killed = tmp_path / "killed"
    # The sources come first: a folder tests/localcloud must not be taken for the package.
    paths = [Path(localcloud.__file__).parents[1], Path(tiny_tuning.__file__).parent]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    died = subprocess.run([sys.executable, "-c", program, str(killed), str(base)], env=environment, check=False)
    assert died.returncode == -signal.SIGKILL
    seen: list[Progress] = []
    resumed = TRAINERS["supervised"](tiny_tuning.job(killed, base), seen.append)
    assert 1 < seen[1].step <= KILLED_AT
    whole = TRAINERS["supervised"](tiny_tuning.job(tmp_path / "whole", base), ignore)
    assert resumed.final_metrics == pytest.approx(whole.final_metrics, rel=1e-3)
    ours, theirs = (load_file(folder / "model" / "model.safetensors") for folder in (killed, tmp_path / "whole"))
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=1e-4)


def test_an_adapter_opens_in_peft(base: Path, tmp_path: Path) -> None:
    """Low-rank tuning changes the adapter only, which the PEFT library opens by itself."""
    from peft import PeftModel

    result = TRAINERS["supervised"](tiny_tuning.job(tmp_path, base, tuning_mode="lora", steps=20), ignore)
    plain = load_model(base, Placement(torch.device("cpu")))
    chat = ChatFormat(tmp_path / result.adapter)
    ids = torch.tensor([chat.prompt_ids([Turn("user", "Which rate?")])])
    before = plain(input_ids=ids).logits
    opened = PeftModel.from_pretrained(plain, str(tmp_path / result.adapter))
    assert not torch.allclose(opened(input_ids=ids).logits, before)
    with opened.disable_adapter():
        torch.testing.assert_close(opened(input_ids=ids).logits, before)


def test_fused_layers_compute_what_peft_computes(base: Path) -> None:
    """Loss and gradients of the faster low-rank pass are those of PEFT's own."""
    chat = ChatFormat(base)
    rows = [chat.training_ids([Turn("user", q), Turn("assistant", a)]) for q, a in zip(QUESTIONS, LABELS, strict=True)]
    batch = collate(rows, chat.pad_id, torch.device("cpu"))
    torch.manual_seed(0)
    model = add_adapter(load_model(base, Placement(torch.device("cpu"))), 4)
    for _, parameter in trainable(model):  # adapters start at no change at all: make them matter
        torch.nn.init.normal_(parameter, std=0.1)

    def gradients() -> dict[str, torch.Tensor]:
        model.zero_grad()
        masked_loss(model, batch).nats.backward()
        return {name: parameter.grad.clone() for name, parameter in trainable(model) if parameter.grad is not None}

    expected = gradients()
    fuse(model)
    found = gradients()
    assert found.keys() == expected.keys() and found
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-4)


def test_early_stopping_ends_a_run_that_no_longer_improves(base: Path, tmp_path: Path) -> None:
    """Once everything is right the token accuracy cannot rise, so training stops before its last step."""
    job = tiny_tuning.job(tmp_path, base, steps=400, eval_interval=20, early_stopping=True)
    assert TRAINERS["supervised"](job, ignore).steps < 400


def test_a_rate_that_explodes_is_reported_as_such(base: Path, tmp_path: Path) -> None:
    """A loss that is no number ends the job with advice instead of a useless model."""
    job = tiny_tuning.job(tmp_path, base)
    placement = Placement(torch.device("cpu"))
    model = load_model(base, placement)
    chat = ChatFormat(base)
    rows = [chat.training_ids([Turn("user", "a"), Turn("assistant", "b")])]

    def not_a_number(model: torch.nn.Module, batch: object) -> Scores:
        return Scores(next(model.parameters()).sum() * float("nan"), 0, 1, 0)

    checkpoints = Checkpoints(tmp_path / "checkpoint.pt")
    with pytest.raises(JobError, match="lower the learning rate"):
        run(model, not_a_number, rows, [], chat.pad_id, job.spec, placement, checkpoints, ignore)


def test_the_rate_warms_up_and_decays() -> None:
    """The rate rises over a tenth of the steps to its peak, then falls towards a twentieth of it."""
    rates = [learning_rate(step, 100, 1.0) for step in range(100)]
    assert rates[9] == max(rates) == 1.0
    assert rates == sorted(rates[:10]) + sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(FINAL_RATE_SHARE, abs=0.02)


def test_the_worker_leaves_a_result(base: Path, tmp_path: Path) -> None:
    """A finished job has result.json, a tuned model beside it, and no checkpoint; a repeat changes nothing."""
    rows = tiny_tuning.write_rows(tmp_path / "rows.jsonl")
    spec = {**tiny_tuning.QUICK, "steps": 25, "train_path": str(rows), "base_model": str(base)}
    (tmp_path / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    assert worker.main([str(tmp_path)]) == 0
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert result["steps"] == 25
    assert result["base_model"]["name"] == "tiny"
    assert (tmp_path / result["adapter"] / "model.safetensors").exists()
    assert not (tmp_path / "checkpoint.pt").exists()
    lines = (tmp_path / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    assert worker.main([str(tmp_path)]) == 0
    assert (tmp_path / "progress.jsonl").read_text(encoding="utf-8").splitlines() == lines


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"stepz": 1}, "stepz"),
        ({"method": "hypnosis"}, "allowed: supervised"),
        ({"train_path": "/nowhere.jsonl"}, "nowhere"),
        ({"base_model": "/nowhere"}, "not a model folder"),
    ],
)
def test_the_worker_refuses_by_name(base: Path, tmp_path: Path, change: dict[str, object], message: str) -> None:
    """A spec that cannot be done ends with error.json naming what is wrong, and exit code 1."""
    rows = tiny_tuning.write_rows(tmp_path / "rows.jsonl")
    spec = {"train_path": str(rows), "base_model": str(base), "threads": 1, **change}
    (tmp_path / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    assert worker.main([str(tmp_path)]) == 1
    error = json.loads((tmp_path / "error.json").read_text(encoding="utf-8"))
    assert error["status"] == "INVALID_ARGUMENT"
    assert message in error["message"]
