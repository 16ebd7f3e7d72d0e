"""The tuning methods, one line each, and the choice among them."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Refused
from ..events import Format
from ..request import Request
from .base import Method
from .catalogue import BaseModel, base_models
from .gemini_sft import GEMINI_SFT
from .palm_text_sft import PALM_TEXT_SFT

METHODS: dict[str, Method] = {method.name: method for method in (PALM_TEXT_SFT, GEMINI_SFT)}

__all__ = ["METHODS", "Choice", "choose"]


@dataclass(frozen=True)
class Choice:
    """A method and the base model that it will tune."""

    method: Method
    base_model: BaseModel


def choose(fmt: Format, request: Request) -> Choice:
    """The method and base model for rows of `fmt`, as the request wishes; Refused, saying what fits, when none does."""
    known = base_models()
    if request.base_model is not None and request.base_model not in known:
        raise Refused(f"base_model {request.base_model!r} is not in the catalogue; known: {', '.join(known)}")
    if request.method is not None and request.method not in METHODS:
        raise Refused(f"method {request.method!r} is not available; available: {', '.join(METHODS)}")
    for method in METHODS.values():
        if request.method not in (None, method.name):
            continue
        name = request.base_model or method.default_base_models.get(fmt)
        if name is None:
            continue
        base_model = known[name]
        if base_model.family == method.family and fmt in base_model.formats:
            _check_wishes(method, base_model, request)
            return Choice(method, base_model)
    wishes = " and ".join(
        f"{key} {value}" for key, value in (("method", request.method), ("base_model", request.base_model)) if value
    )
    accepted = sorted({f for method in METHODS.values() for f in method.default_base_models})
    raise Refused(
        f"rows of format {fmt} cannot be tuned"
        + (f" with {wishes}" if wishes else " by any available method")
        + f"; formats that can: {', '.join(accepted)}"
    )


HYPERPARAMETERS = ("train_steps", "epochs", "learning_rate_multiplier", "adapter_size")


def _check_wishes(method: Method, base_model: BaseModel, request: Request) -> None:
    """Refuse what would silently do nothing, or be refused after submission."""
    useless = [name for name in HYPERPARAMETERS if getattr(request, name) is not None and name not in method.wishes]
    if useless:
        raise Refused(
            f"{method.name} has no {' or '.join(useless)}: remove it; it takes {', '.join(sorted(method.wishes))}"
        )
    if request.train_steps is not None and request.epochs is not None:
        raise Refused("train_steps and epochs exclude each other: keep one")
    if request.adapter_size is not None and request.adapter_size not in base_model.adapter_sizes:
        sizes = ", ".join(map(str, base_model.adapter_sizes))
        raise Refused(f"adapter_size {request.adapter_size} is not offered for {base_model.name}; offered: {sizes}")
    if request.region is not None and base_model.regions and request.region not in base_model.regions:
        regions = ", ".join(base_model.regions)
        raise Refused(f"{base_model.name} is not tuned in region {request.region}; it is in {regions}")
