"""The tuning methods that can be started, one line each, and the choice among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import Refused
from ..events import Format
from ..request import Request
from .base import Method
from .catalogue import BaseModel, Tuning, base_models
from .gemini_sft import GEMINI_SFT
from .palm_text_sft import PALM_TEXT_SFT

METHODS: dict[str, Method] = {method.name: method for method in (PALM_TEXT_SFT, GEMINI_SFT)}

__all__ = ["METHODS", "Choice", "Unmet", "choose", "startable", "unmet_wishes"]


@dataclass(frozen=True)
class Choice:
    """A method and the base model that it will tune."""

    method: Method
    base_model: BaseModel


class Unmet(NamedTuple):
    """A wish that would do nothing, or be refused after submission: a finding's code and values, and as a sentence."""

    code: str
    values: Mapping[str, str | int | float]
    words: str


def startable(method: str | None, base_model: str | None) -> Choice | None:
    """The choice of a method and base model by name; None where this version cannot start that method."""
    if method is None or base_model is None or method not in METHODS or base_model not in base_models():
        return None
    return Choice(METHODS[method], base_models()[base_model])


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
        tuning = None if name is None else known[name].tuning(method.name, fmt)
        if name is None or tuning is None:
            continue
        for unmet in unmet_wishes(method, name, tuning, request):
            raise Refused(unmet.words)
        return Choice(method, known[name])
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


def unmet_wishes(method: Method, base_model: str, tuning: Tuning, request: Request) -> Iterator[Unmet]:
    """The wishes of a request that the method or the base model cannot honour."""
    useless = [name for name in HYPERPARAMETERS if getattr(request, name) is not None and name not in method.wishes]
    if useless:
        allowed = ", ".join(sorted(method.wishes))
        yield Unmet(
            "METHOD-HYPERPARAMETER",
            {"method": method.name, "found": ", ".join(useless), "names": allowed},
            f"{method.name} has no {' or '.join(useless)}: remove it; it takes {allowed}",
        )
    if request.train_steps is not None and request.epochs is not None:
        yield Unmet(
            "METHOD-STEPS-AND-EPOCHS",
            {"found": f"train_steps: {request.train_steps}, epochs: {request.epochs}"},
            "train_steps and epochs exclude each other: keep one",
        )
    size = request.adapter_size
    if size is not None and "adapter_size" in method.wishes and size not in tuning.adapter_sizes:
        sizes = ", ".join(map(str, tuning.adapter_sizes)) or "-"
        yield Unmet(
            "MODEL-ADAPTER-SIZE",
            {"model": base_model, "found": size, "names": sizes},
            f"adapter_size {size} is not offered for {base_model}; offered: {sizes}",
        )
    if request.region is not None and tuning.regions and request.region not in tuning.regions:
        regions = ", ".join(tuning.regions)
        yield Unmet(
            "MODEL-REGION",
            {"model": base_model, "found": request.region, "names": regions},
            f"{base_model} is not tuned in region {request.region}; it is in {regions}",
        )
