"""Writes a Llama in the folder layout that Hugging Face libraries open, without torch or transformers."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

PROVENANCE_FILE = "provenance.json"

# The ChatML layout of SmolLM2. Differs: the publisher's template puts a default system line (31 tokens) before every
# chat that has none; here a prompt holds only what the caller wrote.
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@dataclass(frozen=True)
class LlamaShape:
    """The sizes that define a Llama with tied embeddings."""

    vocabulary: int
    width: int
    feed_forward_width: int
    blocks: int
    heads: int
    key_value_heads: int
    context_length: int
    rope_theta: float
    norm_epsilon: float

    def config(self, bos_id: int, end_id: int, pad_id: int) -> dict[str, Any]:
        """The content of config.json."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": self.vocabulary,
            "hidden_size": self.width,
            "intermediate_size": self.feed_forward_width,
            "num_hidden_layers": self.blocks,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.key_value_heads,
            "head_dim": self.width // self.heads,
            "max_position_embeddings": self.context_length,
            "rope_theta": self.rope_theta,
            "rope_parameters": {"rope_type": "default", "rope_theta": self.rope_theta},
            "rms_norm_eps": self.norm_epsilon,
            "hidden_act": "silu",
            "attention_bias": False,
            "mlp_bias": False,
            "tie_word_embeddings": True,
            "bos_token_id": bos_id,
            "eos_token_id": end_id,
            "pad_token_id": pad_id,
            "dtype": "float32",
        }


@dataclass(frozen=True)
class SpecialTokens:
    """The texts of the tokens that structure a chat."""

    start: str
    end: str
    pad: str
    unknown: str | None = None


def byte_level_tokenizer(model: models.BPE) -> Tokenizer:
    """A tokenizer over bytes that gives every digit a token of its own, as SmolLM2's does."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def special(text: str) -> AddedToken:
    """`text` as a token that is never split or normalised."""
    return AddedToken(text, special=True, normalized=False)


def write_folder(
    folder: Path,
    shape: LlamaShape,
    weights: Mapping[str, np.ndarray[Any, np.dtype[np.float32]]],
    tokenizer: Tokenizer,
    tokens: SpecialTokens,
    provenance: Mapping[str, Any],
    licence: str | None = None,
) -> Path:
    """`folder`, complete: it appears in one rename, so a crash or a second writer leaves nothing half."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        start, end, pad = (_token_id(tokenizer, text) for text in (tokens.start, tokens.end, tokens.pad))
        _write_json(part / "config.json", shape.config(start, end, pad))
        _write_json(
            part / "generation_config.json",
            {"bos_token_id": start, "eos_token_id": end, "pad_token_id": pad, "do_sample": False},
        )
        _write_json(
            part / "tokenizer_config.json",
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "bos_token": tokens.start,
                "eos_token": tokens.end,
                "pad_token": tokens.pad,
                "unk_token": tokens.unknown,
                "model_max_length": shape.context_length,
                "clean_up_tokenization_spaces": False,
                "chat_template": CHAT_TEMPLATE,
            },
        )
        _write_json(part / PROVENANCE_FILE, provenance)
        if licence is not None:
            (part / "LICENSE").write_text(licence, encoding="utf-8")
        tokenizer.save(str(part / "tokenizer.json"))
        save_file(dict(weights), part / "model.safetensors", metadata={"format": "pt"})
        part.chmod(0o755)
        try:
            part.rename(folder)
        except OSError:
            if not (folder / "config.json").exists():
                raise
            # Another process finished the same folder first; both are equal.
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _token_id(tokenizer: Tokenizer, text: str) -> int:
    found = tokenizer.token_to_id(text)
    if found is None:
        raise ValueError(f"the tokenizer has no token {text!r}")
    return int(found)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
