"""The training loop, in plain sight: batches in, a tuned model and its metrics out. Methods bring the loss."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..chat import Marked
from .checkpoint import Checkpoints
from .data import Batch, batch_order, collate, split_by_tokens
from .job import JobError, Spec
from .model import Placement, trainable
from .progress import Progress, Reporter, Speed

WARM_UP_SHARE = 0.1
FINAL_RATE_SHARE = 0.05
CLIP_NORM = 1.0
# Early stopping: this many evaluations in a row without a better token accuracy.
PATIENCE_EVALUATIONS = 2


@dataclass(frozen=True)
class Scores:
    """How well a batch was predicted, summed over its predictions: nats, right tokens, and rows right throughout."""

    nats: Tensor
    correct: int
    predictions: int
    exact_rows: int


# (model, batch) -> scores; differentiable in `nats`.
Loss = Callable[[nn.Module, Batch], Scores]


@dataclass(frozen=True)
class Outcome:
    """How the loop ended."""

    steps: int
    metrics: dict[str, float]


def learning_rate(step: int, steps: int, peak: float) -> float:
    """The rate of step `step` (from 0): linear warm-up over a tenth, then linear decay to a twentieth of the peak."""
    warm_up = max(1, round(WARM_UP_SHARE * steps))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    left = (steps - step) / max(1, steps - warm_up)
    return peak * (FINAL_RATE_SHARE + (1 - FINAL_RATE_SHARE) * left)


def run(
    model: nn.Module,
    loss: Loss,
    train: Sequence[Marked],
    held_out: Sequence[Marked],
    pad_id: int,
    spec: Spec,
    placement: Placement,
    checkpoints: Checkpoints,
    report: Reporter,
) -> Outcome:
    """Tune `model` in place for `spec.steps` steps, or fewer with early stopping, from the last checkpoint if any."""
    parameters = [parameter for _, parameter in trainable(model)]
    optimizer = torch.optim.AdamW(parameters, lr=spec.learning_rate, weight_decay=0.0)
    saved = checkpoints.restore(model, optimizer)
    done = saved["step"] if saved else 0
    history: list[float] = saved["history"] if saved else []
    metrics: dict[str, float] = saved["metrics"] if saved else {}
    speed = Speed()
    order = batch_order([len(row.ids) for row in train], spec.batch_size, spec.seed)
    model.train()
    for step, numbers in enumerate(itertools.islice(order, done, spec.steps), start=done):
        began = time.monotonic()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, spec.steps, spec.learning_rate)
        rows = [train[number] for number in numbers]
        metrics |= _step(model, loss, rows, pad_id, placement, step)
        torch.nn.utils.clip_grad_norm_(parameters, CLIP_NORM)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        done = step + 1
        speed.add(time.monotonic() - began, len(rows), sum(len(row.ids) for row in rows))
        last = done == spec.steps
        rows_a_second, tokens_a_second, steps_a_second = speed.rates()
        seconds_left = (spec.steps - done) / steps_a_second
        report(Progress("training", done, spec.steps, rows_a_second, tokens_a_second, seconds_left, dict(metrics)))
        if held_out and (last or done % spec.eval_interval == 0):
            report(Progress("evaluating", done, spec.steps, seconds_left=seconds_left, metrics=dict(metrics)))
            metrics |= evaluate(model, loss, held_out, pad_id, placement)
            report(Progress("training", done, spec.steps, seconds_left=seconds_left, metrics=dict(metrics)))
            history.append(metrics["/eval_fraction_of_correct_next_step_preds"])
            if spec.early_stopping and _stagnates(history):
                break
        if not last and checkpoints.due(done):
            checkpoints.save(model, optimizer, {"step": done, "metrics": dict(metrics), "history": history})
    return Outcome(done, metrics)


def _step(
    model: nn.Module, loss: Loss, rows: Sequence[Marked], pad_id: int, placement: Placement, step: int
) -> dict[str, float]:
    """Leave the gradient of the mean loss over the batch's predictions in the parameters; return its metrics."""
    batches = [collate(group, pad_id, placement.device) for group in split_by_tokens(rows, placement.max_batch_tokens)]
    predictions = sum(batch.predictions for batch in batches)
    nats, correct = 0.0, 0
    for batch in batches:
        with placement.autocast():
            scores = loss(model, batch)
        torch.autograd.backward(scores.nats / predictions)
        nats += float(scores.nats.detach())
        correct += scores.correct
    if not math.isfinite(nats):
        raise JobError("INVALID_ARGUMENT", f"the loss is {nats} at step {step + 1}: lower the learning rate")
    return {
        "/train_total_loss": nats / predictions,
        "/train_fraction_of_correct_next_step_preds": correct / predictions,
        "/train_num_predictions": float(predictions),
    }


@torch.inference_mode()
def evaluate(
    model: nn.Module, loss: Loss, rows: Sequence[Marked], pad_id: int, placement: Placement
) -> dict[str, float]:
    """Metrics of `rows`, one forward pass each.

    ``exact_match`` (Differs: not a metric of the service) is the share of rows that greedy decoding would answer
    exactly: it does so precisely when every token of the answer is the most likely one after the true tokens before it.
    """
    was_training = model.training
    model.eval()
    nats, correct, predictions, exact = 0.0, 0, 0, 0
    for group in split_by_tokens(rows, placement.max_batch_tokens):
        with placement.autocast():
            scores = loss(model, collate(group, pad_id, placement.device))
        nats += float(scores.nats)
        correct += scores.correct
        predictions += scores.predictions
        exact += scores.exact_rows
    model.train(was_training)
    return {
        "/eval_total_loss": nats / predictions,
        "/eval_fraction_of_correct_next_step_preds": correct / predictions,
        "/eval_num_predictions": float(predictions),
        "exact_match": exact / len(rows),
    }


def _stagnates(history: Sequence[float]) -> bool:
    if len(history) <= PATIENCE_EVALUATIONS:
        return False
    return max(history[-PATIENCE_EVALUATIONS:]) <= max(history[:-PATIENCE_EVALUATIONS])
