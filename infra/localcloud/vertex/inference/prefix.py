"""The keys and values of what all prompts of a batch begin with, computed once and kept for the next batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .attention import Prefix

# Below this many tokens sharing saves less than handling it costs.
MIN_PREFIX_TOKENS = 8
# A kept prefix is used again when it covers at least this share of what could be shared.
REUSE_SHARE = 0.8


@dataclass(frozen=True)
class Shared:
    """How many tokens of each prompt are done, and their keys and values (None when nothing is shared)."""

    length: int = 0
    prefix: Prefix | None = None


class PrefixCache:
    """Remembers the last shared prefix: evaluations ask with the same instruction batch after batch."""

    def __init__(self) -> None:
        self._model = ""
        self._ids: list[int] = []
        self._shared = Shared()

    def shared(self, model: str, decoder: nn.Module, prompts: Sequence[list[int]]) -> Shared:
        """What the prompts begin with. At least one token of each is left, since its logits are what follows.

        `model` names the weights of `decoder`.
        """
        length = min(_common_length(prompts), min(map(len, prompts)) - 1)
        lone = len(prompts) == 1
        if self._fits(model, prompts[0], length, lone):
            return self._shared
        if lone or length < MIN_PREFIX_TOKENS:
            return Shared()
        ids = prompts[0][:length]
        self._model, self._ids = model, ids
        self._shared = Shared(length, _keys_and_values(decoder, ids))
        return self._shared

    def _fits(self, model: str, prompt: list[int], length: int, lone: bool) -> bool:
        """Whether the kept prefix is worth using; a lone prompt is glad of any, it would compute none of its own."""
        known = len(self._ids)
        if model != self._model or known < MIN_PREFIX_TOKENS or known > length:
            return False
        return prompt[:known] == self._ids and (lone or known >= REUSE_SHARE * length)


def causal_mask(seen: Tensor) -> Tensor:
    """The additive mask (rows, 1, length, length) of causal attention to the places where `seen` (rows, length) is 1.

    Padding is on the left. It sees itself, so that its softmax stays finite.
    """
    length = seen.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=seen.device).tril()
    allowed = causal & seen.bool()[:, None, None, :] | torch.eye(length, dtype=torch.bool, device=seen.device)
    return additive(allowed)


def additive(allowed: Tensor) -> Tensor:
    """0 where attention is allowed, the lowest float32 elsewhere."""
    mask = torch.zeros(allowed.shape, device=allowed.device)
    return mask.masked_fill(~allowed, torch.finfo(torch.float32).min)


def _common_length(prompts: Sequence[list[int]]) -> int:
    # The longest common beginning of all is that of the smallest and the largest in lexical order.
    low, high = min(prompts), max(prompts)
    return next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))


def _keys_and_values(decoder: nn.Module, ids: list[int]) -> Prefix:
    from transformers import DynamicCache

    cache: Any = DynamicCache()
    device = next(decoder.parameters()).device
    seen = torch.ones(1, len(ids), dtype=torch.long, device=device)
    decoder(
        input_ids=torch.tensor([ids], device=device),
        attention_mask=causal_mask(seen),
        past_key_values=cache,
        use_cache=True,
    )
    return [(layer.keys, layer.values) for layer in cache.layers]
