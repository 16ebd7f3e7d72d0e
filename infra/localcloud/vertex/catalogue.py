"""The models that requests may name, and the pipeline templates: served here, or known and refused by name.

Whatever a request names, the one local base model is what is tuned and what answers. A model found here by
``GET publishers/google/models/NAME`` is one that this endpoint still serves, retired by Google or not.
Sources: "Tune text models by using supervised tuning", "About supervised fine-tuning for Gemini models",
"Model versions and lifecycle" (Vertex AI documentation, 2026-09).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..http import GoogleError

ContextLength = Literal["8k", "32k"]


@dataclass(frozen=True)
class Family:
    """Row limits are (least, most). Above `share_from_rows` evaluation rows, they may be `share` of the training's."""

    name: str
    train_rows: tuple[int, int]
    eval_rows: tuple[int, int]
    share_from_rows: int | None = None
    share: float = 1.0


PALM_TEXT = Family("PaLM text and code", train_rows=(10, 10_000), eval_rows=(10, 250))
GEMINI = Family("Gemini", train_rows=(1, 10_000_000), eval_rows=(1, 5_000), share_from_rows=1_000, share=0.3)


@dataclass(frozen=True)
class PublishedModel:
    """A model of publisher Google; `adapter_sizes` is empty where the request cannot choose."""

    name: str
    version_id: str
    family: Family
    context_length: ContextLength = "8k"
    adapter_sizes: tuple[int, ...] = ()


def _gemini(name: str, *adapter_sizes: int) -> PublishedModel:
    return PublishedModel(name, "default", GEMINI, adapter_sizes=adapter_sizes)


MODELS: Mapping[str, PublishedModel] = {
    model.name: model
    for model in (
        PublishedModel("text-bison@002", "002", PALM_TEXT),
        PublishedModel("text-bison-32k@002", "002", PALM_TEXT, "32k"),
        PublishedModel("code-bison@002", "002", PALM_TEXT),
        PublishedModel("code-bison-32k@002", "002", PALM_TEXT, "32k"),
        _gemini("gemini-1.0-pro-002", 1, 4),
        _gemini("gemini-1.5-pro-002", 1, 4),
        _gemini("gemini-1.5-flash-002", 1, 4, 8, 16),
        _gemini("gemini-2.0-flash-001", 1, 2, 4, 8),
        _gemini("gemini-2.0-flash-lite-001", 1, 2, 4, 8),
        _gemini("gemini-2.5-pro", 1, 2, 4, 8),
        _gemini("gemini-2.5-flash", 1, 2, 4, 8, 16),
        _gemini("gemini-2.5-flash-lite", 1, 2, 4, 8, 16),
        _gemini("gemini-3.1-flash-lite", 1, 2, 4, 8, 16),
        _gemini("gemini-3.5-flash", 1, 2, 4, 8, 16),
        _gemini("gemini-3.5-flash-lite", 1, 2, 4, 8, 16),
    )
}


def published_model(name: str) -> PublishedModel | None:
    """The served model of that name; a PaLM model also goes by its name without version."""
    return MODELS.get(name) or MODELS.get(f"{name}@002")


# A pipeline template is known by its path below https://us-kfp.pkg.dev/ml-pipeline/.
TEMPLATE_ROOT = "https://us-kfp.pkg.dev/ml-pipeline/"
TRAINED_TEMPLATES: Mapping[str, Family] = {"large-language-model-pipelines/tune-large-model/v2.0.0": PALM_TEXT}
UNTRAINED_TEMPLATES: Mapping[str, str] = {
    "large-language-model-pipelines/tune-large-chat-model": "chat tuning",
    "llm-text-embedding/tune-text-embedding-model": "embedding tuning",
    "google-cloud-registry/rlhf-train-template": "RLHF",
    "distillation/distillation": "distilling step by step",
}


def template_family(template_uri: str) -> Family:
    """What a template tunes; UNIMPLEMENTED for one that is known, INVALID_ARGUMENT for one that is not."""
    path = template_uri.removeprefix(TEMPLATE_ROOT)
    if path in TRAINED_TEMPLATES:
        return TRAINED_TEMPLATES[path]
    name, _, version = path.rpartition("/")
    if name in UNTRAINED_TEMPLATES:
        raise GoogleError(
            "UNIMPLEMENTED",
            f"template {name.rpartition('/')[2]} {version} ({UNTRAINED_TEMPLATES[name]}) is known but this local "
            f"Vertex AI has no trainer for it yet; it trains {', '.join(TRAINED_TEMPLATES)}",
        )
    raise GoogleError(
        "INVALID_ARGUMENT",
        f"templateUri {template_uri!r} is not known; this local Vertex AI runs no pipelines but Google's tuning "
        f"templates: {', '.join(TEMPLATE_ROOT + path for path in TRAINED_TEMPLATES)}",
    )
