"""What a tuning method is: what it accepts, the requests it sends, and what a finished job leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ..events import DatasetReady, Format
from ..settings import Settings
from .catalogue import Api, BaseModel, Family, known_methods
from .prices import Price, prices


class JobRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One job to start, in terms of an API and never of a method: the workflow sends it as it is.

    `id` names the request and is the same whenever it is planned again. `collection_url` is where jobs of that API
    live; the job is found again by ``pipelineJobId`` = `id`, or by the label ``droptune-request`` = `id`. `fields` is
    the partial response mask for a finished job.
    """

    id: str
    api: Api
    collection_url: str
    body: dict[str, Any]
    fields: str


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What the job will do, and what it will cost as far as the price list tells.

    `usd` is None where the price is that of accelerator time. `training_tokens` counts every pass over the data and is
    estimated at `characters_per_token`.
    """

    steps: int
    batch_size: int
    examples_seen: int
    epochs: float
    training_tokens: int
    characters_per_token: float
    usd: float | None
    price_as_of: str | None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A finished job as the workflow saw it last: its resource, cut down to the request's `fields`."""

    request_id: str
    job: dict[str, Any]


class TunedModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a method's last job left: resource names, as the job reported them."""

    model: str
    endpoint: str | None = None


@dataclass(frozen=True)
class Plan:
    """The jobs of one stage and their forecast."""

    requests: tuple[JobRequest, ...]
    forecast: Forecast


@dataclass(frozen=True)
class Method:
    """A way of tuning.

    `build` turns a data set into the requests of its only stage; `outcome` reads the tuned model from a finished job
    and raises Refused when the job does not name one. `wishes` are the hyperparameters of a request that it honours.
    """

    name: str
    family: Family
    wishes: frozenset[str]
    build: Callable[[DatasetReady, BaseModel, Settings], Plan]
    outcome: Callable[[Mapping[str, Any]], TunedModel]

    @property
    def default_base_models(self) -> Mapping[Format, str]:
        """What it tunes when no base model is asked for, by the format of the rows."""
        return known_methods()[self.name].base_models


CHARACTERS_PER_TOKEN = 4.0  # English prose; only forecasts use it, never a limit


def training_tokens(ready: DatasetReady, epochs: float) -> int:
    """Tokens of all passes over the training file, estimated from its characters."""
    return round(ready.train_characters / CHARACTERS_PER_TOKEN * epochs)


def price_of(base_model: BaseModel, method: str) -> Price | None:
    """The list price of a million training tokens, or None where tuning is priced by accelerator time."""
    return prices().of_training_tokens(base_model.name, method)


def cost(tokens: int, price: Price | None) -> float | None:
    """What so many training tokens cost in US dollars; None where that is not known."""
    return None if price is None or price.currency != "USD" else round(tokens / 1_000_000 * price.price, 4)


def resource_labels(ready: DatasetReady, request_id: str) -> dict[str, str]:
    """Labels of a job and its model: the user's own, and those by which Droptune finds them again."""
    return {**ready.request.labels, "droptune-run": ready.run_id, "droptune-request": request_id}
