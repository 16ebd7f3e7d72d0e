"""Turns a Llama GGUF into a Hugging Face folder, exactly: dequantised weights, rotary order, digit splitter.

Done by hand because the loaders of transformers take 20-30 s for the same bits and lose the tokenizer's digit
splitter, which the GGUF names as ``tokenizer.ggml.pre = smollm``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from tokenizers import Tokenizer, models

from .hf_folder import LlamaShape, SpecialTokens, byte_level_tokenizer, special, write_folder

_CONTROL_TOKEN = 3  # gguf.TokenType.CONTROL
_TENSOR_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
Weights = Mapping[str, "np.ndarray[Any, np.dtype[np.float32]]"]


def convert(gguf: Path, folder: Path, provenance: Mapping[str, Any], licence: str | None) -> Path:
    """`folder`, written from `gguf`. ValueError when it is not a tied Llama with the smollm tokenizer."""
    reader = GGUFReader(gguf)
    fields = _Fields(reader)
    found = (fields["general.architecture"], fields["tokenizer.ggml.model"], fields["tokenizer.ggml.pre"])
    if found != ("llama", "gpt2", "smollm"):
        raise ValueError(f"{gguf.name} holds {found}; only ('llama', 'gpt2', 'smollm') can be converted")
    shape = LlamaShape(
        vocabulary=fields["llama.vocab_size"],
        width=fields["llama.embedding_length"],
        feed_forward_width=fields["llama.feed_forward_length"],
        blocks=fields["llama.block_count"],
        heads=fields["llama.attention.head_count"],
        key_value_heads=fields["llama.attention.head_count_kv"],
        context_length=fields["llama.context_length"],
        rope_theta=fields["llama.rope.freq_base"],
        norm_epsilon=fields["llama.attention.layer_norm_rms_epsilon"],
    )
    tokens = fields["tokenizer.ggml.tokens"]
    names = SpecialTokens(
        start=tokens[fields["tokenizer.ggml.bos_token_id"]],
        end=tokens[fields["tokenizer.ggml.eos_token_id"]],
        pad=tokens[fields["tokenizer.ggml.padding_token_id"]],
        unknown=tokens[fields["tokenizer.ggml.unknown_token_id"]],
    )
    weights = dict(_weights(reader, shape))
    return write_folder(folder, shape, weights, _tokenizer(fields), names, provenance, licence)


class _Fields:
    """Metadata of a GGUF by key; ValueError naming a missing one."""

    def __init__(self, reader: GGUFReader) -> None:
        self._fields = reader.fields

    def __getitem__(self, key: str) -> Any:
        if key not in self._fields:
            raise ValueError(f"the GGUF has no {key}")
        return self._fields[key].contents()


def _weights(reader: GGUFReader, shape: LlamaShape) -> Iterator[tuple[str, np.ndarray[Any, np.dtype[np.float32]]]]:
    for tensor in reader.tensors:
        name, kind = _tensor_name(tensor.name)
        weight = dequantize(tensor.data, tensor.tensor_type)
        if kind == "attn_q":
            weight = _undo_rotary_order(weight, shape.heads)
        elif kind == "attn_k":
            weight = _undo_rotary_order(weight, shape.key_value_heads)
        yield name, np.ascontiguousarray(weight, dtype=np.float32)


def _tensor_name(name: str) -> tuple[str, str]:
    """(Hugging Face name, GGUF kind) of ``blk.3.attn_q.weight`` and its like."""
    parts = name.split(".")
    block = f"model.layers.{parts[1]}." if parts[0] == "blk" else ""
    kind = parts[-2]
    if kind not in _TENSOR_NAMES or parts[-1] != "weight":
        raise ValueError(f"the GGUF holds the tensor {name}, which a Llama with tied embeddings has not")
    return f"{block}{_TENSOR_NAMES[kind]}.weight", kind


def _undo_rotary_order(
    weight: np.ndarray[Any, np.dtype[np.float32]], heads: int
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """GGUF interleaves the two halves of each head's rotation; Hugging Face keeps one after the other."""
    return weight.reshape(heads, weight.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)


def _tokenizer(fields: _Fields) -> Tokenizer:
    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ", 1)) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = byte_level_tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    kinds = fields["tokenizer.ggml.token_type"]
    tokenizer.add_special_tokens([special(t) for t, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL_TOKEN])
    return tokenizer
