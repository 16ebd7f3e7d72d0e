"""infra/pipeline.yaml says only what its schema allows, and every name in it leads somewhere."""

from __future__ import annotations

import ast
import copy
import json
import re
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from droptune import events

ROOT = Path(__file__).parents[2]
MAIN = ROOT / "functions" / "main.py"


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "infra" / "pipeline.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((ROOT / "infra" / "pipeline.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _keys(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of every mapping, with the place of the mapping."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield place, key
            yield from _keys(inner, f"{place}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _keys(inner, f"{place}/{index}")


def _roles(pipeline: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    for section in ("functions", "workflows"):
        for name, member in pipeline[section].items():
            for role in member["roles"]:
                yield f"{section}.{name}", role


def test_every_key_is_text(pipeline: dict[str, Any]) -> None:
    """YAML 1.1, which PyYAML and Terraform read, takes bare on, off, yes and no for booleans, keys included."""
    assert [f"{place}/{key!r}" for place, key in _keys(pipeline) if not isinstance(key, str)] == []


def test_pipeline_follows_its_schema(pipeline: dict[str, Any], validator: jsonschema.Draft202012Validator) -> None:
    """The file holds nothing that its schema does not describe."""
    problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(pipeline)]
    assert problems == []


def test_schema_is_strict_and_described() -> None:
    """Every object of the schema refuses unknown keys, and every property says what it means."""
    schema = json.loads((ROOT / "infra" / "pipeline.schema.json").read_text(encoding="utf-8"))

    def walk(node: Any, place: str) -> Iterator[str]:
        if isinstance(node, list):
            for index, inner in enumerate(node):
                yield from walk(inner, f"{place}/{index}")
        if not isinstance(node, dict):
            return
        if node.get("type") == "object" and node.get("additionalProperties") in (None, True):
            yield f"{place} takes any key"
        for name, inner in node.get("properties", {}).items():
            described = inner if "$ref" not in inner else {**schema["$defs"][inner["$ref"].split("/")[-1]], **inner}
            if "type" in node and "description" not in described and "properties" not in described:
                yield f"{place}/{name} has no description"
        for key, inner in node.items():
            yield from walk(inner, f"{place}/{key}")

    assert list(walk(schema, "")) == []


def _unknown_key(p: dict[str, Any]) -> None:
    p["triggers"]["dropped"]["colour"] = "blue"


def _two_destinations(p: dict[str, Any]) -> None:
    p["triggers"]["dropped"]["workflow"] = "tune"


def _bucket_for_message(p: dict[str, Any]) -> None:
    p["triggers"]["ready"]["bucket"] = "intake"


def _function_address_in_function(p: dict[str, Any]) -> None:
    p["functions_environment"]["PLAN_URL"] = "{function.plan}"


def _unknown_placeholder(p: dict[str, Any]) -> None:
    p["workflows"]["tune"]["environment"]["PLAN_URL"] = "{secret.plan}"


def _role_without_reason(p: dict[str, Any]) -> None:
    del p["functions"]["plan"]["roles"][0]["why"]


def _slow_event(p: dict[str, Any]) -> None:
    p["functions"]["validate"]["timeout_seconds"] = 1800


def _few_attempts(p: dict[str, Any]) -> None:
    p["trigger_delivery"]["dead_letter"]["max_delivery_attempts"] = 3


def _long_trigger_name(p: dict[str, Any]) -> None:
    p["triggers"]["notify-" + "x" * 20] = p["triggers"]["tuned"]


@pytest.mark.parametrize(
    "spoil",
    [
        _unknown_key,
        _two_destinations,
        _bucket_for_message,
        _function_address_in_function,
        _unknown_placeholder,
        _role_without_reason,
        _slow_event,
        _few_attempts,
        _long_trigger_name,
    ],
)
def test_schema_refuses(
    spoil: Callable[[dict[str, Any]], None], pipeline: dict[str, Any], validator: jsonschema.Draft202012Validator
) -> None:
    """What Google Cloud or the local cloud would refuse later is refused by the schema."""
    spoiled = copy.deepcopy(pipeline)
    spoil(spoiled)
    before = {error.json_path for error in validator.iter_errors(pipeline)}
    assert {error.json_path for error in validator.iter_errors(spoiled)} - before


def test_every_trigger_leads_from_something_declared_to_something_declared(pipeline: dict[str, Any]) -> None:
    """A trigger's bucket, topic, function and workflow are declared in the same file."""
    sections = {"bucket": "buckets", "topic": "topics", "function": "functions", "workflow": "workflows"}
    missing = [
        f"triggers.{name}.{key}: {trigger[key]!r}"
        for name, trigger in pipeline["triggers"].items()
        for key, section in sections.items()
        if key in trigger and trigger[key] not in pipeline[section]
    ]
    assert missing == []


def test_every_subscription_reads_a_declared_topic(pipeline: dict[str, Any]) -> None:
    """A subscription's topic is declared in the same file."""
    assert {s["topic"] for s in pipeline.get("subscriptions", {}).values()} <= set(pipeline["topics"])


def test_dead_letter_names_are_free(pipeline: dict[str, Any]) -> None:
    """NAME-dead is made for every trigger and subscription, so nothing else may be called so."""
    names = [*pipeline["triggers"], *pipeline.get("subscriptions", {})]
    made = [f"{name}-dead" for name in names]
    assert len(set(made)) == len(made)
    assert not set(made) & {*pipeline["topics"], *pipeline.get("subscriptions", {})}


def test_every_role_is_on_something_declared(pipeline: dict[str, Any]) -> None:
    """A role's resource is a bucket, topic or function of the same file, or the project."""
    missing = []
    for who, role in _roles(pipeline):
        kind, _, key = role["resource"].partition(".")
        if kind != "project" and key not in pipeline[f"{kind}s"]:
            missing.append(f"{who}: {role['resource']}")
    assert missing == []


def test_every_placeholder_resolves(pipeline: dict[str, Any]) -> None:
    """{bucket.KEY} and {function.KEY} name a bucket and a function of the same file."""
    known = {
        "{project}",
        "{region}",
        *(f"{{bucket.{key}}}" for key in pipeline["buckets"]),
        *(f"{{function.{key}}}" for key in pipeline["functions"]),
    }
    texts = [
        *pipeline["functions_environment"].values(),
        *(text for workflow in pipeline["workflows"].values() for text in workflow["environment"].values()),
    ]
    assert {placeholder for text in texts for placeholder in re.findall(r"\{[^}]*\}", text)} <= known


def test_paths_exist(pipeline: dict[str, Any]) -> None:
    """The functions' folder and every workflow's source are in the repository."""
    paths = [pipeline["functions_source"], *(workflow["source"] for workflow in pipeline["workflows"].values())]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_entry_point_is_in_main(pipeline: dict[str, Any]) -> None:
    """functions/main.py defines what the functions name as entry point, and no other public function."""
    tree = ast.parse(MAIN.read_text(encoding="utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
    assert defined == {function["entry_point"] for function in pipeline["functions"].values()}


def test_every_entry_point_has_the_signature_that_the_file_says(pipeline: dict[str, Any]) -> None:
    """functions_framework decides by its decorator how a function is called; the file must say the same."""
    decorated = {
        node.name: {name for decorator in node.decorator_list for name in _names(decorator)}
        for node in ast.parse(MAIN.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    expected = {"cloudevent": "cloud_event", "http": "http"}
    wrong = [
        f"{name}: {function['signature']}, decorated with {decorated.get(function['entry_point'])}"
        for name, function in pipeline["functions"].items()
        if expected[function["signature"]] not in decorated.get(function["entry_point"], set())
    ]
    assert wrong == []


def _names(decorator: ast.expr) -> Iterator[str]:
    for node in ast.walk(decorator):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


def test_topics_are_the_facts(pipeline: dict[str, Any]) -> None:
    """There is one topic for each fact of droptune.events and one for notifications, and no other."""
    facts = {fact.__struct_config__.tag for fact in typing.get_args(events.Fact)}
    assert set(pipeline["topics"]) == facts | {events.NOTIFICATIONS_TOPIC}
