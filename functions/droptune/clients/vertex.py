"""Vertex AI over REST: text generation, Model Registry, and which base models are served.

Shapes: the reference pages of projects.locations.endpoints, publishers.models and models in the v1 API.
"""

from __future__ import annotations

import datetime
import re
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ..errors import Refused
from ..events import DatasetReady
from ..methods.catalogue import BaseModel, base_models
from ..ports import ModelVersion, Prompt, Turn
from ..settings import Settings
from .rest import CONNECTIONS, GoogleRest

PREDICT_INSTANCES = 64  # prompts in one :predict call
PAGE_SIZE = 100
ENUM_MARGIN_TOKENS = 8

# How a family of base models is told to think as little as it can, and the tokens that this may still take of
# maxOutputTokens: without it a short limit is spent on thoughts and the answer is empty.
THINKING: Mapping[str, tuple[dict[str, Any], int]] = {
    r"gemini-2\.5-flash": ({"thinkingBudget": 0}, 0),
    r"gemini-2\.5-pro": ({"thinkingBudget": 128}, 128),
    r"gemini-[3-9].*flash": ({"thinkingLevel": "MINIMAL"}, 64),
}

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class VertexPredictor:
    """The `Predictor` port for one base model and the models tuned from it.

    PaLM models answer ``:predict``, Gemini models ``:generateContent``. Labels are chosen by controlled generation,
    which is ``:generateContent`` for both; a service that has it for Gemini only refuses, and so does `choose`.
    """

    def __init__(self, rest: GoogleRest, settings: Settings, region: str, base_model: BaseModel) -> None:
        self._rest = rest
        self._settings = settings
        self._region = region
        self._base_model = base_model

    def generate(self, target: str, prompts: Sequence[Prompt], max_output_tokens: int) -> list[str]:
        """One greedy answer per prompt; "" where the service answers nothing, as when it blocks a prompt.

        A PaLM text model takes one text. A prompt of several turns goes to ``:generateContent`` even so: an endpoint
        that does not answer it for PaLM models refuses.
        """
        if self._base_model.family == "palm_text" and all(len(prompt) == 1 for prompt in prompts):
            return self._predict(target, prompts, max_output_tokens)
        return self._generate_content(target, prompts, self._generation_config(max_output_tokens))

    def choose(self, target: str, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[str]:
        """The likeliest label per prompt, by an enumeration as the response's schema."""
        longest = max(len(label.encode()) for label in labels)
        config = self._generation_config(longest + ENUM_MARGIN_TOKENS) | {
            "responseMimeType": "text/x.enum",
            "responseSchema": {"type": "STRING", "enum": list(labels)},
        }
        return self._generate_content(target, prompts, config)

    def count_tokens(self, base_model: str, texts: Sequence[str]) -> list[int]:
        """One ``:countTokens`` request for each text; the count may include what the model puts around it."""
        url = f"{self._url(base_model)}:countTokens"

        def count(text: str) -> int:
            palm = self._base_model.family == "palm_text"
            body = {"instances": [{"content": text}]} if palm else _contents((Turn("user", text),))
            reply = self._rest.call("POST", url, body=body)
            if "totalTokens" not in reply:
                raise Refused(f"{url} answers without totalTokens")
            return int(reply["totalTokens"])

        return self._each(count, texts)

    def _predict(self, target: str, prompts: Sequence[Prompt], max_output_tokens: int) -> list[str]:
        url = f"{self._url(target)}:predict"

        def ask(chunk: Sequence[Prompt]) -> list[str]:
            body = {
                "instances": [{"content": turn.text} for (turn,) in chunk],
                "parameters": {"temperature": 0, "maxOutputTokens": max_output_tokens},
            }
            predictions = self._rest.call("POST", url, body=body).get("predictions", [])
            if len(predictions) != len(chunk):
                raise Refused(f"{target} gave {len(predictions)} predictions for {len(chunk)} instances")
            return [str(prediction.get("content", "")) for prediction in predictions]

        starts = range(0, len(prompts), PREDICT_INSTANCES)
        chunks = [prompts[start : start + PREDICT_INSTANCES] for start in starts]
        return [answer for answers in self._each(ask, chunks) for answer in answers]

    def _generate_content(self, target: str, prompts: Sequence[Prompt], config: Mapping[str, Any]) -> list[str]:
        url = f"{self._url(target)}:generateContent"

        def ask(prompt: Prompt) -> str:
            return _text(self._rest.call("POST", url, body={**_contents(prompt), "generationConfig": config}))

        return self._each(ask, prompts)

    def _each(self, ask: Callable[[Asked], Answer], items: Sequence[Asked]) -> list[Answer]:
        """`ask` for each item, `CONNECTIONS` at a time, in order."""
        executor = ThreadPoolExecutor(max_workers=CONNECTIONS, thread_name_prefix="predict")
        try:
            return list(executor.map(ask, items))
        finally:
            executor.shutdown(cancel_futures=True)  # after one refusal the rest need not be asked

    def _generation_config(self, max_output_tokens: int) -> dict[str, Any]:
        for pattern, (thinking, room) in THINKING.items():
            if re.match(pattern, self._base_model.name):
                limit = max_output_tokens + room
                return {"temperature": 0, "maxOutputTokens": limit, "thinkingConfig": thinking}
        return {"temperature": 0, "maxOutputTokens": max_output_tokens}

    def _url(self, target: str) -> str:
        if target.startswith("projects/"):
            return resource_url(self._settings, target)
        parent = f"projects/{self._settings.project}/locations/{self._region}"
        return f"{self._settings.vertex(self._region)}/v1/{parent}/publishers/google/models/{target}"


def predictor_for(ready: DatasetReady, rest: GoogleRest, settings: Settings) -> VertexPredictor:
    """The predictor of a run: in its region, in the dialect of its base model."""
    region = ready.request.region or settings.region
    return VertexPredictor(rest, settings, region, base_models()[ready.base_model])


class VertexRegistry:
    """The `Registry` port. `with_label` looks in `region`; a model's name says itself where the model is."""

    def __init__(self, rest: GoogleRest, settings: Settings, region: str) -> None:
        self._rest = rest
        self._settings = settings
        self._region = region

    def get(self, model: str) -> ModelVersion:
        """A model version by name; the default version where the name holds none."""
        return _model_version(self._rest.call("GET", resource_url(self._settings, model)))

    def with_label(self, key: str, value: str) -> Sequence[ModelVersion]:
        """The default versions of the region's models that carry a label."""
        url = f"{self._settings.vertex(self._region)}/v1/{self._parent}/models"
        return [_model_version(item) for item in self._pages(url, "models", {"filter": f"labels.{key}={value}"})]

    def merge_aliases(self, model: str, changes: Sequence[str]) -> None:
        """Add or remove (leading ``-``) aliases of exactly that version."""
        url = f"{resource_url(self._settings, model)}:mergeVersionAliases"
        self._rest.call("POST", url, body={"versionAliases": list(changes)})

    def add_labels(self, model: str, labels: Mapping[str, str]) -> None:
        """Set labels; the service replaces labels as a whole, so the others are read first and sent along."""
        url = resource_url(self._settings, model)
        present = self._rest.call("GET", url).get("labels", {})
        if not labels.items() <= present.items():
            self._rest.call("PATCH", url, body={"labels": {**present, **labels}}, query={"updateMask": "labels"})

    def import_evaluation(self, model: str, display_name: str, schema_uri: str, metrics: Mapping[str, Any]) -> str:
        """Attach an evaluation; the one of that display name when there is one, since importing is not idempotent."""
        url = f"{resource_url(self._settings, model)}/evaluations"
        for evaluation in self._pages(url, "modelEvaluations", {}):
            if evaluation.get("displayName") == display_name:
                return str(evaluation["name"])
        body = {
            "modelEvaluation": {
                "displayName": display_name,
                "metricsSchemaUri": schema_uri,
                "metrics": dict(metrics),
            }
        }
        return str(self._rest.call("POST", f"{url}:import", body=body, repeatable=False)["name"])

    @property
    def _parent(self) -> str:
        return f"projects/{self._settings.project}/locations/{self._region}"

    def _pages(self, url: str, field: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        token = ""
        while True:
            page = {**query, "pageSize": str(PAGE_SIZE), **({"pageToken": token} if token else {})}
            reply = self._rest.call("GET", url, query=page)
            yield from reply.get(field, [])
            token = reply.get("nextPageToken", "")
            if not token:
                return


class VertexBaseModels:
    """The `BaseModels` port. Google's own service needs no call for a model that the catalogue knows as retired."""

    def __init__(
        self,
        rest: GoogleRest,
        settings: Settings,
        today: Callable[[], datetime.date] = lambda: datetime.datetime.now(datetime.UTC).date(),
    ) -> None:
        self._rest = rest
        self._settings = settings
        self._today = today

    def serves(self, base_model: str) -> bool:
        """Whether the endpoint in use knows the publisher model."""
        known = base_models().get(base_model)
        if self._settings.on_google_endpoint and known and known.retired and known.retired <= self._today():
            return False
        url = f"{self._settings.vertex()}/v1/publishers/google/models/{base_model}"
        try:
            self._rest.call("GET", url)
        except Refused:
            return False
        return True


def resource_url(settings: Settings, name: str) -> str:
    """The address of ``projects/P/locations/L/…`` at the service of its own location."""
    found = re.fullmatch(r"projects/[^/]+/locations/([^/]+)/.+", name)
    if found is None:
        raise Refused(f"{name!r} is no resource name; one looks like projects/P/locations/L/models/M@1")
    return f"{settings.vertex(found[1])}/v1/{urllib.parse.quote(name)}"


def _model_version(item: Mapping[str, Any]) -> ModelVersion:
    """A model as the service writes it: the name may lack the version, which `versionId` has."""
    name = str(item["name"]).partition("@")[0]
    return ModelVersion(
        name=f"{name}@{item['versionId']}",
        aliases=tuple(item.get("versionAliases", [])),
        labels=dict(item.get("labels", {})),
        endpoints=tuple(deployed["endpoint"] for deployed in item.get("deployedModels", [])),
    )


def _contents(prompt: Prompt) -> dict[str, Any]:
    system = "\n\n".join(turn.text for turn in prompt if turn.role == "system")
    contents = [{"role": turn.role, "parts": [{"text": turn.text}]} for turn in prompt if turn.role != "system"]
    return {"contents": contents} | ({"systemInstruction": {"parts": [{"text": system}]}} if system else {})


def _text(reply: Mapping[str, Any]) -> str:
    candidates = reply.get("candidates", [])
    parts = candidates[0].get("content", {}).get("parts", []) if candidates else []
    return "".join(str(part.get("text", "")) for part in parts if not part.get("thought"))
