"""Dated list prices of tuning, read from ``prices.yaml`` beside this file; a file of the user's may replace entries."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from ..errors import Refused


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An amount of money for a unit, as `source` had it at `as_of`."""

    price: float
    currency: str
    as_of: str
    source: str


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`training_tokens` by base model and method, for a million; `accelerator_hours` by method and region."""

    training_tokens: dict[str, dict[str, Price]] = {}
    accelerator_hours: dict[str, dict[str, Price]] = {}

    def of_training_tokens(self, base_model: str, method: str) -> Price | None:
        """For a million tokens of all passes over the training file; None where it is not known."""
        return self.training_tokens.get(base_model, {}).get(method)

    def of_accelerator_hour(self, method: str, region: str) -> Price | None:
        """For an hour of a whole job; None where it is not known."""
        return self.accelerator_hours.get(method, {}).get(region)


@cache
def prices(override: Path | None = None) -> Prices:
    """The price table, entries of the file `override` before our own.

    Refused, naming the place, when that file has another shape; OSError when it cannot be read.
    """
    own = _read(Path(__file__).with_suffix(".yaml"))
    if override is None:
        return own
    users = _read(override)
    return Prices(
        training_tokens=_merged(own.training_tokens, users.training_tokens),
        accelerator_hours=_merged(own.accelerator_hours, users.accelerator_hours),
    )


def _read(path: Path) -> Prices:
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return msgspec.convert(content or {}, Prices)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Refused(f"price table {path}: {error}; it has the shape of droptune/methods/prices.yaml") from error


def _merged(own: dict[str, dict[str, Price]], users: dict[str, dict[str, Price]]) -> dict[str, dict[str, Price]]:
    return {name: {**own.get(name, {}), **users.get(name, {})} for name in {**own, **users}}
