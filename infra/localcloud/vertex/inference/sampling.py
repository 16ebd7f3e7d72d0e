"""Chooses the next token of one answer, the same way whatever else is in its batch."""

from __future__ import annotations

import torch
from torch import Tensor


class Sampler:
    """Greedy at temperature 0; else a draw from the top k, then from the smallest set with probability top p."""

    def __init__(self, temperature: float, top_p: float, top_k: int, seed: int) -> None:
        self._temperature = temperature
        self._top_p = top_p
        self._top_k = top_k
        self._generator = torch.Generator().manual_seed(seed)

    def choose(self, logits: Tensor) -> Tensor:
        """The token id (a scalar) for logits of shape (vocabulary,)."""
        if self._temperature == 0:
            return logits.argmax()
        return self._draw(logits)

    def _draw(self, logits: Tensor) -> Tensor:
        count = min(self._top_k, len(logits)) if self._top_k > 0 else len(logits)
        values, tokens = logits.topk(count)
        chances = (values / self._temperature).softmax(0)
        # The most likely token is always kept, so that top_p 0 is greedy.
        outside = chances.cumsum(0) - chances >= self._top_p
        outside[0] = False
        chances = chances.masked_fill(outside, 0.0).cpu()
        return tokens[torch.multinomial(chances, 1, generator=self._generator).to(tokens.device)][0]
