"""A base model of a few hundred thousand random weights, made in a moment: what tests tune for real."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import models, pre_tokenizers, trainers

from .hf_folder import LlamaShape, SpecialTokens, byte_level_tokenizer, special, write_folder

_TOKENS = SpecialTokens(start="<|im_start|>", end="<|im_end|>", pad="<|im_end|>")


def make_tiny_base(folder: Path, texts: Iterable[str], seed: int = 0, vocabulary: int = 600) -> Path:
    """`folder` with an untrained Llama (128 wide, 2 blocks) whose tokenizer was trained on `texts`.

    It knows nothing, so tune it with ``tuning_mode="full"``: low-rank changes of random weights learn little.
    """
    tokenizer = byte_level_tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[special(_TOKENS.start), special(_TOKENS.end)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # The words of the chat layout are trained in, so that "assistant" is one token as in a real model.
    tokenizer.train_from_iterator([*texts, *["user\n", "assistant\n", "system\n"] * 4], trainer)
    shape = LlamaShape(
        vocabulary=tokenizer.get_vocab_size(),
        width=128,
        feed_forward_width=384,
        blocks=2,
        heads=4,
        key_value_heads=2,
        context_length=2048,
        rope_theta=10_000.0,
        norm_epsilon=1e-5,
    )
    provenance = {"name": "tiny", "source": "random weights", "seed": seed}
    return write_folder(folder, shape, _random_weights(shape, seed), tokenizer, _TOKENS, provenance)


def _random_weights(shape: LlamaShape, seed: int) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    random = np.random.default_rng(seed)

    def normal(*size: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        # By the number of inputs: the usual 0.02 is for models many times as wide, and learns slowly here.
        return random.normal(0.0, size[-1] ** -0.5, size).astype(np.float32)

    key_value_width = shape.width // shape.heads * shape.key_value_heads
    weights = {"model.embed_tokens.weight": normal(shape.vocabulary, shape.width)}
    for block in range(shape.blocks):
        prefix = f"model.layers.{block}."
        weights |= {
            f"{prefix}input_layernorm.weight": np.ones(shape.width, np.float32),
            f"{prefix}post_attention_layernorm.weight": np.ones(shape.width, np.float32),
            f"{prefix}self_attn.q_proj.weight": normal(shape.width, shape.width),
            f"{prefix}self_attn.k_proj.weight": normal(key_value_width, shape.width),
            f"{prefix}self_attn.v_proj.weight": normal(key_value_width, shape.width),
            f"{prefix}self_attn.o_proj.weight": normal(shape.width, shape.width),
            f"{prefix}mlp.gate_proj.weight": normal(shape.feed_forward_width, shape.width),
            f"{prefix}mlp.up_proj.weight": normal(shape.feed_forward_width, shape.width),
            f"{prefix}mlp.down_proj.weight": normal(shape.width, shape.feed_forward_width),
        }
    return weights | {"model.norm.weight": np.ones(shape.width, np.float32)}
