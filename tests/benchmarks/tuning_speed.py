"""How fast this machine tunes the base model, as a share of its matrix-multiply peak and against plain PEFT.

``python tests/benchmarks/tuning_speed.py TRAIN.jsonl [--threads N] [--steps N]``; run it on an idle machine.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from localcloud.vertex.base_model import ensure_base_model
from localcloud.vertex.chat import ChatFormat
from localcloud.vertex.training.data import batch_order, collate, read_examples
from localcloud.vertex.training.low_rank import fuse
from localcloud.vertex.training.model import Placement, add_adapter, load_model, trainable
from localcloud.vertex.training.supervised import masked_loss

BATCH_SIZE = 8
RANK = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--steps", type=int, default=8)
    arguments = parser.parse_args()
    placement = Placement.best(arguments.threads)
    base = ensure_base_model()
    chat = ChatFormat(base.folder)
    rows = read_examples(arguments.train, chat, 2048).rows
    model = add_adapter(load_model(base.folder, placement), RANK).train()
    blocks = sum(p.numel() for n, p in model.named_parameters() if "proj" in n and "lora" not in n)
    peak = _peak(placement)
    print(f"{base.name} on {placement.description}; peak {peak / 1e9:.0f} GFLOP/s in float32")
    order = batch_order([len(row.ids) for row in rows], BATCH_SIZE, 0)
    batches = [
        collate([rows[i] for i in numbers], chat.pad_id, placement.device)
        for numbers in itertools.islice(order, arguments.steps)
    ]
    tokens = statistics.mean(batch.ids.numel() for batch in batches)
    timed: dict[str, float] = {}
    for name, prepare in (("plain PEFT", None), ("fused", fuse)):
        if prepare is not None:
            prepare(model)
        timed[name] = _seconds_a_step(model, [lambda batch=batch: masked_loss(model, batch).nats for batch in batches])
        # Forward, and the gradient of the activations of frozen weights: four operations for each weight and token.
        share = 4 * blocks * tokens / timed[name] / peak
        print(f"{name}: {timed[name]:.2f} s a step, {tokens / timed[name]:.0f} padded tokens/s, {share:.0%} of peak")
    print(f"fused / plain: {timed['plain PEFT'] / timed['fused']:.2f} times as fast")


def _seconds_a_step(model: nn.Module, losses: list[Callable[[], torch.Tensor]]) -> float:
    optimizer = torch.optim.AdamW([parameter for _, parameter in trainable(model)], lr=1e-3)
    seconds = []
    for loss in [losses[0], *losses]:
        began = time.perf_counter()
        torch.autograd.backward(loss())
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:])


def _peak(placement: Placement) -> float:
    """Floating-point operations a second of a large matrix product."""
    a = torch.randn(1024, 1024, device=placement.device)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(5):
            a @ a
        if placement.device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - began) / 5)
    return 2 * 1024**3 / best


if __name__ == "__main__":
    main()
