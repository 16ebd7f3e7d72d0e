"""What a killed job continues from: trained weights, optimizer state and step, in one file that is never half."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .model import trainable

EVERY_STEPS = 20
EVERY_SECONDS = 15.0
# Writing may cost at most one part in this many of the time between two checkpoints.
COST_SHARE = 20


@dataclass
class Checkpoints:
    """The checkpoint of one job, rewritten every `EVERY_STEPS` steps or `EVERY_SECONDS`.

    Data order and learning rate are functions of seed and step and nothing is drawn at random while training, so
    there is no generator state to keep.
    """

    path: Path

    def __post_init__(self) -> None:
        self._saved_at = time.monotonic()
        self._saved_step = 0
        self._cost_seconds = 0.0

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any] | None:
        """The loop's state after loading weights and optimizer; None when there is no checkpoint."""
        if not self.path.exists():
            return None
        saved = torch.load(self.path, map_location="cpu", weights_only=True)
        with torch.no_grad():
            for name, parameter in trainable(model):
                parameter.copy_(saved["weights"][name])
        optimizer.load_state_dict(saved["optimizer"])
        state: dict[str, Any] = saved["state"]
        self._saved_step = state["step"]
        return state

    def due(self, step: int) -> bool:
        seconds = time.monotonic() - self._saved_at
        wanted = step - self._saved_step >= EVERY_STEPS or seconds >= EVERY_SECONDS
        return wanted and seconds >= COST_SHARE * self._cost_seconds

    def save(self, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """`state` must hold "step": how many steps are done."""
        began = time.monotonic()
        weights = {name: parameter.detach() for name, parameter in trainable(model)}
        part = self.path.with_name(f"{self.path.name}.part")
        torch.save({"weights": weights, "optimizer": optimizer.state_dict(), "state": state}, part)
        part.replace(self.path)
        self._saved_at = time.monotonic()
        self._saved_step = state["step"]
        self._cost_seconds = self._saved_at - began

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
