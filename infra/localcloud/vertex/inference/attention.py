"""Attention of many rows to a beginning that they share, without a copy of it for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

NAME = "localcloud_shared_prefix"
# For each layer, keys and values of shape (1, key-value heads, length, head width).
Prefix = Sequence[tuple[Tensor, Tensor]]


def register() -> str:
    """The name under which transformers models find `attend`."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
    return NAME


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    scaling: float,
    shared_prefix: Prefix | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """(rows, length, heads, head width) of queries (rows, heads, length, head width) over prefix, then own keys.

    `attention_mask` is additive and covers own keys only, (rows, 1, length, own length): everything sees the prefix.
    With a prefix the scores of all rows are one matrix product. Query heads that share a key-value head are
    folded into the length, so keys are not repeated either. Without a prefix this is torch's own attention.
    """
    if shared_prefix is None:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        output, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, is_causal=False, **kwargs
        )
        return output, None
    prefix_key, prefix_value = shared_prefix[module.layer_idx]
    rows, heads, length, width = query.shape
    shared = key.shape[1]
    folded = heads // shared * length
    query = (query * scaling).reshape(rows, shared, folded, width)
    together = query.transpose(0, 1).reshape(shared, rows * folded, width)
    to_prefix = (together @ prefix_key[0].transpose(1, 2)).view(shared, rows, folded, -1).transpose(0, 1)
    to_own = query @ key.transpose(2, 3)
    to_own = to_own + attention_mask.repeat(1, 1, heads // shared, 1)
    weights = torch.cat([to_prefix, to_own], dim=-1).softmax(-1, dtype=torch.float32).to(value.dtype)
    known = to_prefix.shape[-1]
    of_prefix, of_own = weights[..., :known], weights[..., known:]
    of_prefix = of_prefix.transpose(0, 1).reshape(shared, rows * folded, -1)
    output = (of_prefix @ prefix_value[0]).view(shared, rows, folded, width).transpose(0, 1) + of_own @ value
    return output.reshape(rows, heads, length, width).transpose(1, 2), None
