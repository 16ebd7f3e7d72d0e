"""An approved model made findable in Model Registry: evaluation attached, labels set, aliases moved, way back recorded.

Three ledger steps keep a repeat harmless wherever the one before it broke off: promotion.json holds the decision before
anything is changed, the changes are made so that making them again changes nothing, registered.json says they are made.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from .errors import Refused
from .evaluation import report as reports
from .evaluation.examples import Task
from .evaluation.report import TUNED, Report
from .events import ModelApproved, ModelRegistered
from .ports import ModelVersion, Objects, Registry
from .runs import Ledger
from .settings import Settings

PROMOTION_FILE = "promotion.json"
REGISTERED_FILE = "registered.json"

CHALLENGER = "challenger"
CHAMPION = "champion"
DATASET_LABEL = "droptune-dataset"

_SCHEMAS = "gs://google-cloud-aiplatform/schema/modelevaluation"
SCHEMA_OF_TASK: Mapping[Task, str] = {
    "classification": f"{_SCHEMAS}/classification_metrics_1.0.0.yaml",
    "generation": f"{_SCHEMAS}/general_text_generation_metrics_1.0.0.yaml",
}


@dataclass(frozen=True)
class RegisterPorts:
    """`registry` gives the Model Registry of a region: champions are compared within one."""

    objects: Objects
    registry: Callable[[str], Registry]
    settings: Settings


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """What is to happen. `champions` were so when this was decided: at most one, unless set by hand."""

    version: Literal[1] = 1
    model: str
    promote: bool
    champions: tuple[str, ...]

    @property
    def replaced(self) -> str | None:
        return self.champions[0] if self.promote and self.champions else None


class AliasChange(msgspec.Struct, frozen=True, kw_only=True):
    """One call of models.mergeVersionAliases; a leading ``-`` removes."""

    model: str
    version_aliases: tuple[str, ...]


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What has happened. `rollback` are the calls that bring the former champion back.

    `overtaken_by` is a newer champion that this model left in place: its registration ended before ours was repeated.
    """

    version: Literal[1] = 1
    model: str
    evaluation: str
    aliases: tuple[str, ...]
    replaced: str | None
    rollback: tuple[AliasChange, ...]
    overtaken_by: str | None = None


def register(fact: ModelApproved, ports: RegisterPorts) -> ModelRegistered:
    """Register once, and say the same at every repeat without touching the registry again."""
    ledger = Ledger(ports.objects, ports.settings.runs_bucket)
    recorded = ledger.read(fact.run_id, REGISTERED_FILE)
    if recorded is None:
        ready = fact.tuning_succeeded.dataset_ready
        registry = ports.registry(ready.request.region or ports.settings.region)
        promotion = _decided(fact, ledger, registry)
        registered = _apply(promotion, fact, ledger, registry)
        recorded = _written(ledger, fact.run_id, REGISTERED_FILE, registered)
    done = msgspec.json.decode(recorded, type=Registered)
    return ModelRegistered(
        run_id=fact.run_id,
        dataset=fact.dataset,
        model_approved=fact,
        aliases=done.aliases,
        replaced=done.replaced,
    )


def label_value(text: str) -> str:
    """A label value: `text` itself where labels allow it, otherwise what they allow of it and a digest of it."""
    if re.fullmatch(r"[a-z0-9_-]{1,63}", text):
        return text
    slug = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")[:54]
    return f"{slug}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _decided(fact: ModelApproved, ledger: Ledger, registry: Registry) -> Promotion:
    """The decision on record, or one made now and recorded."""
    recorded = ledger.read(fact.run_id, PROMOTION_FILE)
    if recorded is None:
        model = registry.get(fact.tuning_succeeded.model).name
        promote = fact.tuning_succeeded.dataset_ready.request.promotion == "automatic"
        champions = tuple(champion.name for champion in _champions(fact, registry) if champion.name != model)
        promotion = Promotion(model=model, promote=promote, champions=champions)
        recorded = _written(ledger, fact.run_id, PROMOTION_FILE, promotion)
    return msgspec.json.decode(recorded, type=Promotion)


def _apply(promotion: Promotion, fact: ModelApproved, ledger: Ledger, registry: Registry) -> Registered:
    """Make the changes that are still missing."""
    report = _report(fact, ledger)
    evaluation = registry.import_evaluation(
        promotion.model, f"droptune-{fact.run_id}", SCHEMA_OF_TASK[report.task], _registry_metrics(report)
    )
    ready = fact.tuning_succeeded.dataset_ready
    registry.add_labels(
        promotion.model,
        {
            **ready.request.labels,  # a pipeline job's own labels do not reach its model
            "droptune-run": label_value(fact.run_id),
            DATASET_LABEL: label_value(fact.dataset),
            "droptune-method": label_value(ready.method),
            "droptune-base-model": label_value(ready.base_model),
            "droptune-verdict": "approved",
        },
    )
    others = [champion for champion in _champions(fact, registry) if champion.name != promotion.model]
    newer = [champion.name for champion in others if champion.name not in promotion.champions]
    if promotion.promote and newer:
        # Another run became champion between our decision and this repeat: taking the alias back would undo it.
        _add_aliases(registry, promotion.model, (CHALLENGER,))
        return Registered(
            model=promotion.model,
            evaluation=evaluation,
            aliases=(CHALLENGER,),
            replaced=None,
            rollback=(),
            overtaken_by=newer[0],
        )
    aliases = (CHALLENGER, CHAMPION) if promotion.promote else (CHALLENGER,)
    _add_aliases(registry, promotion.model, aliases)
    if promotion.promote:
        # Added first, removed second: two champions for a moment rather than none.
        for former in others:
            registry.merge_aliases(former.name, (f"-{CHAMPION}",))
    return Registered(
        model=promotion.model,
        evaluation=evaluation,
        aliases=aliases,
        replaced=promotion.replaced,
        rollback=_rollback(promotion),
    )


def _rollback(promotion: Promotion) -> tuple[AliasChange, ...]:
    if not promotion.promote:
        return ()
    demotion = AliasChange(model=promotion.model, version_aliases=(f"-{CHAMPION}",))
    if promotion.replaced is None:
        return (demotion,)
    return (AliasChange(model=promotion.replaced, version_aliases=(CHAMPION,)), demotion)


def _champions(fact: ModelApproved, registry: Registry) -> list[ModelVersion]:
    models = registry.with_label(DATASET_LABEL, label_value(fact.dataset))
    return [model for model in models if CHAMPION in model.aliases]


def _add_aliases(registry: Registry, model: str, aliases: tuple[str, ...]) -> None:
    present = registry.get(model).aliases
    missing = [alias for alias in aliases if alias not in present]
    if missing:
        registry.merge_aliases(model, missing)


def _report(fact: ModelApproved, ledger: Ledger) -> Report:
    data = ledger.read(fact.run_id, reports.FILE)
    if data is None:
        raise Refused(f"{fact.evaluation_uri} is gone; a model is not registered without its evaluation")
    return reports.decode(data)


def _registry_metrics(report: Report) -> dict[str, object]:
    """The tuned model's metrics in the fields of the schema that `SCHEMA_OF_TASK` names.

    One answer a row at every confidence makes micro-averaged precision and recall the same as exact match.
    """
    metrics = report.contestant(TUNED).metrics
    if report.task == "classification":
        value = metrics["exact_match"].value
        return {"confidenceMetrics": [{"confidenceThreshold": 0.0, "precision": value, "recall": value}]}
    return {"bleu": metrics["bleu"].value, "rougeLSum": metrics["rouge_l_sum"].value}


def _written(ledger: Ledger, run: str, name: str, value: Promotion | Registered) -> bytes:
    """Write once; the bytes that are there now, ours or an earlier writer's."""
    data = msgspec.json.format(msgspec.json.encode(value), indent=2)
    if ledger.write(run, name, data):
        return data
    earlier = ledger.read(run, name)
    assert earlier is not None, "an object that exists can be read"
    return earlier
