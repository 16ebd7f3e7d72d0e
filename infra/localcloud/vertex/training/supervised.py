"""Supervised tuning: make the model's turns of each chat more likely, given what was said before them."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..chat import ChatError, ChatFormat
from .checkpoint import Checkpoints
from .data import IGNORED, Batch, read_examples
from .job import JobError, TuningJob
from .loop import Scores, run
from .low_rank import fuse
from .model import Placement, add_adapter, body, head, load_model, save_tuned
from .progress import Progress, Reporter
from .result import TuningResult

ADAPTER = "adapter"
MODEL = "model"


def masked_loss(model: nn.Module, batch: Batch) -> Scores:
    """Cross entropy over the labelled tokens only: prompts are read, not learned.

    Logits are taken at labelled positions alone, which is most of the saving with a large vocabulary.
    """
    hidden = body(model)(input_ids=batch.ids, use_cache=False)[0][:, :-1]
    labels = batch.labels[:, 1:]
    labelled = labels != IGNORED
    targets = labels[labelled]
    logits = head(model, hidden[labelled])
    right = torch.zeros_like(labelled)
    right[labelled] = logits.detach().argmax(-1) == targets
    return Scores(
        nats=functional.cross_entropy(logits, targets, reduction="sum"),
        correct=int(right.sum()),
        predictions=len(targets),
        exact_rows=int((right | ~labelled).all(dim=1).sum()),
    )


def tune(job: TuningJob, report: Reporter) -> TuningResult:
    """Tune by low-rank updates, or all weights, and save the outcome in the job's folder. JobError says why not."""
    spec = job.spec
    report(Progress("loading", 0, spec.steps))
    placement = Placement.best(spec.threads)
    torch.manual_seed(spec.seed)
    try:
        chat = ChatFormat(job.base)
        train = read_examples(spec.train_path, chat, spec.max_tokens)
        held_out = read_examples(spec.eval_path, chat, spec.max_tokens) if spec.eval_path else None
        model = load_model(job.base, placement)
    except (ChatError, ValueError) as error:
        raise JobError("INVALID_ARGUMENT", str(error)) from error
    if spec.tuning_mode == "lora":
        model = add_adapter(model, spec.adapter_size)
        if placement.device.type == "cpu":  # on a GPU autocast decides the precision of each operation
            fuse(model)
    checkpoints = Checkpoints(job.folder / "checkpoint.pt")
    held_out_rows = held_out.rows if held_out else []
    outcome = run(model, masked_loss, train.rows, held_out_rows, chat.pad_id, spec, placement, checkpoints, report)
    report(Progress("saving", outcome.steps, spec.steps, metrics=outcome.metrics))
    made = ADAPTER if spec.tuning_mode == "lora" else MODEL
    save_tuned(model, job.base, job.folder / made)
    return TuningResult(
        adapter=made,
        steps=outcome.steps,
        train_rows=len(train.rows),
        train_tokens=train.tokens,
        truncated_rows=train.truncated + (held_out.truncated if held_out else 0),
        final_metrics=outcome.metrics,
        device=placement.description,
    )
