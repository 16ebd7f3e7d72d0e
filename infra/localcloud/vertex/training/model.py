"""Loads a base model, adds a low-rank adapter to it, and saves what was tuned so that other tools can open it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json")
# Scales that some architectures apply to their logits and `head` does not.
_LOGIT_SCALES = ("logits_scaling", "logit_scale", "lm_head_multiplier")


@dataclass(frozen=True)
class Placement:
    """Where a model runs and in which precision.

    float32 on CPUs: bfloat16 is about three times slower there, and on some virtual machines that announce AMX it is
    an illegal instruction. bfloat16 matrix products on GPUs.
    """

    device: torch.device

    @classmethod
    def best(cls, threads: int | None = None) -> Placement:
        """A GPU when there is one, else the CPU with `threads` threads (one for each core when None)."""
        torch.set_num_threads(threads or _cores())
        return cls(torch.device("cuda" if torch.cuda.is_available() else "cpu"))

    def autocast(self) -> AbstractContextManager[Any]:
        if self.device.type == "cuda":
            return torch.autocast("cuda", dtype=torch.bfloat16)
        return nullcontext()

    @property
    def max_batch_tokens(self) -> int:
        """How many tokens go through the model at once; bounds the memory of their activations."""
        return 32_768 if self.device.type == "cuda" else 2_048

    @property
    def description(self) -> str:
        if self.device.type == "cuda":
            return str(torch.cuda.get_device_name(self.device))
        return f"cpu, {torch.get_num_threads()} threads"


def load_model(folder: Path, placement: Placement, attention: str = "sdpa") -> nn.Module:
    """The causal model in `folder`, in float32, evaluation mode. ValueError when `head` cannot compute its logits."""
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # logs are lines; the bars would be torn into them
    config = AutoConfig.from_pretrained(folder)
    unusual = [name for name in _LOGIT_SCALES if getattr(config, name, 1) not in (1, None)]
    if unusual:
        raise ValueError(f"models whose config sets {', '.join(unusual)} are not supported")
    model: nn.Module = AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation=attention
    )
    return model.to(placement.device).eval()


def add_adapter(model: nn.Module, rank: int) -> nn.Module:
    """A PEFT model around `model`: low-rank updates of every linear layer are all that can be trained."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    wrapped: nn.Module = get_peft_model(model, config)
    return wrapped


def save_tuned(model: nn.Module, base: Path, folder: Path) -> None:
    """Write the adapter (or, without one, the whole model) with the base's tokenizer; `folder` appears complete."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    model.save_pretrained(part)  # type: ignore[operator]
    for name in TOKENIZER_FILES:
        if (base / name).is_file() and not (part / name).exists():
            shutil.copy(base / name, part / name)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def kind_of(folder: Path) -> Literal["adapter", "model"]:
    """Whether `folder` holds what low-rank or what full tuning leaves."""
    return "adapter" if (folder / "adapter_config.json").is_file() else "model"


def trainable(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The parameters that tuning changes, by name, in a stable order."""
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)


def body(model: nn.Module) -> nn.Module:
    """The part of a causal model, or of a PEFT model around one, that turns ids into hidden states."""
    causal: Any = model.get_base_model() if hasattr(model, "get_base_model") else model  # type: ignore[operator]
    decoder: nn.Module = causal.get_decoder()
    return decoder


def head(model: nn.Module, hidden: Tensor) -> Tensor:
    """float32 logits of hidden states: (n, width) -> (n, vocabulary). The costly part, so call it where needed only."""
    causal: Any = model.get_base_model() if hasattr(model, "get_base_model") else model  # type: ignore[operator]
    logits: Tensor = causal.get_output_embeddings()(hidden).float()
    cap = getattr(causal.config, "final_logit_softcapping", None)
    return logits if cap is None else cap * torch.tanh(logits / cap)


def _cores() -> int:
    """How many cores this process may use, which in a container can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
