"""Registration: evaluation, labels, aliases and the way back, the same after any crash and any repeat."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fakes import MemoryObjects
from fakes_vertex import MemoryRegistry
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from run_facts import BASE, ENDPOINT, MODEL, RUN, SETTINGS, dataset_ready, model_approved

from droptune.errors import Retryable
from droptune.evaluation import report as reports
from droptune.evaluation.examples import Task
from droptune.evaluation.report import Comparison, Contestant, Report
from droptune.events import Interval, ModelRegistered
from droptune.register import DATASET_LABEL, RegisterPorts, label_value, register
from droptune.request import Request

OLD = "projects/p/locations/us-central1/models/9@1"
NEWER = "projects/p/locations/us-central1/models/13@1"


class CrashingObjects(MemoryObjects):
    """Fails once when an object of that name is to be written."""

    crash_at = ""

    def create(self, bucket: str, name: str, data: bytes, content_type: str) -> bool:
        if self.crash_at and name.endswith(self.crash_at):
            self.crash_at = ""
            raise Retryable("storage is unreachable")
        return super().create(bucket, name, data, content_type)


class World:
    """A registry with the approved model, and the run's ledger."""

    def __init__(self, request: Request | None = None, task: Task = "classification") -> None:
        self.fact = model_approved(dataset_ready(request=request))
        self.objects = CrashingObjects()
        self.registry = MemoryRegistry()
        self.registry.add(MODEL)
        self.regions: list[str] = []
        data = reports.encode(_report(task))
        self.objects.create("p-runs", f"{RUN}/evaluation.json", data, "application/json")

    def add_champion(self, name: str) -> None:
        self.registry.add(name, aliases=("champion", "default", "stable"), labels={DATASET_LABEL: "banking"})

    def register(self) -> ModelRegistered:
        def registry(region: str) -> MemoryRegistry:
            self.regions.append(region)
            return self.registry

        return register(self.fact, RegisterPorts(self.objects, registry, SETTINGS))

    def ledger(self, name: str) -> dict[str, Any]:
        data = self.objects.read("p-runs", f"{RUN}/{name}")
        assert data is not None
        record: dict[str, Any] = json.loads(data)
        return record

    @property
    def champions(self) -> list[str]:
        return [version.name for version in self.registry.models.values() if "champion" in version.aliases]


def _report(task: Task) -> Report:
    names = ("exact_match",) if task == "classification" else ("rouge_l", "rouge_l_sum", "bleu", "exact_match")
    metrics = {name: Interval(value=(9 - place) / 10, low=0, high=1, rows=150) for place, name in enumerate(names)}
    return Report(
        run_id=RUN,
        task=task,
        metric=names[0],
        rows=150,
        held_out_rows=150,
        sampled=False,
        held_out_uri="gs://p-runs/x",
        held_out_generation=1,
        labels=10,
        tokenization=None,
        contestants=(
            Contestant(name="tuned", target=ENDPOINT, detail="", template="{prompt}", metrics=metrics),
            Contestant(name="base few-shot", target=BASE, detail="", template="", metrics=metrics),
        ),
        comparison=Comparison(baseline="base few-shot", test="", p_value=0.0, difference=0.1),
        verdict="approved",
        reason="better",
        misses=(),
        model=MODEL,
        endpoint=ENDPOINT,
    )


def test_an_approved_model_becomes_champion() -> None:
    """The former champion loses that alias and nothing else, and is named as replaced."""
    world = World()
    world.add_champion(OLD)
    fact = world.register()
    assert (fact.aliases, fact.replaced) == (("challenger", "champion"), OLD)
    assert world.champions == [MODEL]
    assert world.registry.get(OLD).aliases == ("default", "stable")
    assert world.registry.get(MODEL).aliases == ("challenger", "champion", "default")


def test_the_first_model_replaces_nobody() -> None:
    """A champion of another data set is not touched."""
    world = World()
    world.registry.add(OLD, aliases=("champion",), labels={DATASET_LABEL: "other"})
    assert world.register().replaced is None
    assert world.champions == [MODEL, OLD]


def test_manual_promotion_leaves_the_champion() -> None:
    """The model is there as challenger and a person decides."""
    world = World(Request(promotion="manual"))
    world.add_champion(OLD)
    fact = world.register()
    assert (fact.aliases, fact.replaced) == (("challenger",), None)
    assert world.champions == [OLD]
    assert world.ledger("registered.json")["rollback"] == []


def test_labels_say_where_a_model_comes_from() -> None:
    """Run, data set, method, base model and verdict; labels that were there stay."""
    world = World()
    world.registry.add(MODEL, labels={"team": "support"})
    world.register()
    labels = dict(world.registry.get(MODEL).labels)
    base = labels.pop("droptune-base-model")
    assert base.startswith("text-bison-002-")
    assert labels == {
        "team": "support",
        "droptune-run": RUN,
        "droptune-dataset": "banking",
        "droptune-method": "palm_text_sft",
        "droptune-verdict": "approved",
    }


def test_the_record_says_how_to_go_back() -> None:
    """Two alias changes: the former champion first, so that there is always one."""
    world = World()
    world.add_champion(OLD)
    world.register()
    record = world.ledger("registered.json")
    assert record["replaced"] == OLD
    assert record["rollback"] == [
        {"model": OLD, "version_aliases": ["champion"]},
        {"model": MODEL, "version_aliases": ["-champion"]},
    ]
    for change in record["rollback"]:
        world.registry.merge_aliases(change["model"], change["version_aliases"])
    assert world.champions == [OLD]


@pytest.mark.parametrize(
    ("task", "schema", "metrics"),
    [
        (
            "classification",
            "classification_metrics_1.0.0.yaml",
            {"confidenceMetrics": [{"confidenceThreshold": 0.0, "precision": 0.9, "recall": 0.9}]},
        ),
        ("generation", "general_text_generation_metrics_1.0.0.yaml", {"bleu": 0.7, "rougeLSum": 0.8}),
    ],
)
def test_the_evaluation_is_imported_under_its_tasks_schema(task: Task, schema: str, metrics: dict[str, Any]) -> None:
    """The tuned model's metrics, in the schema's field names."""
    world = World(task=task)
    world.register()
    assert world.registry.evaluations == {
        (MODEL, f"droptune-{RUN}"): (f"gs://google-cloud-aiplatform/schema/modelevaluation/{schema}", metrics)
    }


@pytest.mark.parametrize("where", [0, 1, 2, 3, "promotion.json", "registered.json"])
def test_a_crash_anywhere_is_made_good_by_the_next_delivery(where: int | str) -> None:
    """After the repeat everything is as without the crash: fact, aliases, labels, one evaluation, record."""
    smooth, crashed = World(), World()
    for world in (smooth, crashed):
        world.add_champion(OLD)
    if isinstance(where, int):
        crashed.registry.crash_before = where
    else:
        crashed.objects.crash_at = where
    with pytest.raises(Retryable):
        crashed.register()
    assert crashed.register() == smooth.register()
    assert crashed.registry.models == smooth.registry.models
    assert crashed.registry.evaluations == smooth.registry.evaluations
    assert crashed.ledger("registered.json") == smooth.ledger("registered.json")


def test_a_repeat_changes_nothing() -> None:
    """Once registered.json is there the registry is left alone, even when another model was promoted since."""
    world = World()
    world.add_champion(OLD)
    first = world.register()
    world.registry.merge_aliases(MODEL, ("-champion",))
    world.add_champion(NEWER)
    changes = world.registry.changes
    assert world.register() == first
    assert world.registry.changes == changes
    assert world.champions == [NEWER]


def test_a_late_repeat_does_not_dethrone_a_newer_champion() -> None:
    """It broke off after the decision, another run was promoted, then it came again: it stays challenger."""
    world = World()
    world.add_champion(OLD)
    world.registry.crash_before = 0
    with pytest.raises(Retryable):
        world.register()
    world.registry.merge_aliases(OLD, ("-champion",))
    world.add_champion(NEWER)
    fact = world.register()
    assert (fact.aliases, fact.replaced) == (("challenger",), None)
    assert world.champions == [NEWER]
    assert world.ledger("registered.json")["overtaken_by"] == NEWER


def test_the_very_same_champion_replaces_nobody() -> None:
    """A model that a person had promoted already stays champion."""
    world = World()
    world.add_champion(MODEL)
    assert world.register().replaced is None
    assert world.champions == [MODEL]


def test_a_model_named_without_version_is_found() -> None:
    """The ledger always holds the full name of the version."""
    world = World()
    succeeded = structs.replace(world.fact.tuning_succeeded, model=MODEL.removesuffix("@1"))
    world.fact = structs.replace(world.fact, tuning_succeeded=succeeded)
    world.register()
    assert world.ledger("promotion.json")["model"] == MODEL
    assert world.champions == [MODEL]


def test_champions_are_looked_for_in_the_runs_region() -> None:
    """Model Registry is regional, and so are champions."""
    world = World(Request(region="europe-west4"))
    world.register()
    assert world.regions == ["europe-west4"]


@given(st.text(min_size=1, max_size=100), st.text(min_size=1, max_size=100))
def test_label_values_are_legal_and_tell_names_apart(first: str, second: str) -> None:
    """Any text gives 1 to 63 allowed characters; different texts give different values."""
    values = [label_value(first), label_value(second)]
    assert all(re.fullmatch(r"[a-z0-9_-]{1,63}", value) for value in values)
    assert (values[0] == values[1]) == (first == second)
