"""Model Registry: versions, aliases, updates, deletion, evaluations; and endpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vertex_harness import PARENT, Bucket, LocalVertex

from localcloud.clock import ManualClock
from localcloud.http import GoogleError
from localcloud.vertex.models import Models
from localcloud.vertex.records import ModelVersion
from localcloud.vertex.store import Store

SCHEMAS = "gs://google-cloud-aiplatform/schema/modelevaluation/"
NAME = f"{PARENT}/models/55"


def registry(folder: Path, versions: int = 2, database: str = "s.sqlite3") -> Models:
    """A registry with one model of `versions` versions, the first of them the default."""
    store = Store(folder / database)
    for number in range(1, versions + 1):
        version = ModelVersion(
            model=NAME,
            version=str(number),
            display_name="m",
            description="",
            labels={},
            aliases=("default",) if number == 1 else (),
            create_time=0,
            update_time=0,
            adapter=f"a{number}",
            base_model="gemini-2.5-flash",
            local_base="b",
        )
        store.models.insert(version.name, version)
    return Models(store, ManualClock(), folder)


@pytest.fixture
def tuned(vertex: LocalVertex, bucket: Bucket) -> Any:
    """A finished tuning job."""
    return vertex.wait(vertex.tune(bucket.write_rows("a.jsonl", 12))["name"])


def test_versions_by_number_and_alias(tmp_path: Path) -> None:
    """A model is found by version number, by alias, and without either as its default version."""
    models = registry(tmp_path)
    models.merge_aliases(f"{NAME}@2", ["champion"])
    assert models.get(NAME).version == models.get(f"{NAME}@default").version == models.get(f"{NAME}@1").version == "1"
    assert models.get(f"{NAME}@champion").version == models.get(f"{NAME}@2").version == "2"
    for missing in (f"{NAME}@3", f"{NAME}@nobody", f"{PARENT}/models/5"):
        with pytest.raises(GoogleError, match=r"models/5"):
            models.get(missing)


def test_alias_moves_between_versions(tmp_path: Path) -> None:
    """An alias belongs to one version: adding it to another moves it, and so moves the default."""
    models = registry(tmp_path)
    models.merge_aliases(f"{NAME}@1", ["champion"])
    models.merge_aliases(f"{NAME}@2", ["champion", "default"])
    assert models.get(f"{NAME}@1").aliases == ()
    assert models.get(NAME).version == "2" and set(models.get(NAME).aliases) == {"champion", "default"}


def test_alias_removal(tmp_path: Path) -> None:
    """A leading dash removes; adding and removing one alias in a call changes nothing; the default stays."""
    models = registry(tmp_path)
    models.merge_aliases(NAME, ["challenger", "old"])
    assert set(models.merge_aliases(NAME, ["-old", "champion", "both", "-both"]).aliases) == {
        "challenger",
        "champion",
        "default",
    }
    with pytest.raises(GoogleError, match="default cannot be removed"):
        models.merge_aliases(NAME, ["-default"])


@pytest.mark.parametrize("alias", ["", "-", "1", "1a", "Champion", "a", "a_b", "a.", "a" * 129, "--x"])
def test_bad_aliases(tmp_path: Path, alias: str) -> None:
    """An alias that could be taken for a version number, or breaks the form, is refused."""
    with pytest.raises(GoogleError) as refused:
        registry(tmp_path).merge_aliases(NAME, [alias])
    assert refused.value.status == "INVALID_ARGUMENT"


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["default", "aa", "bb", "-aa", "-bb"])), max_size=12))
def test_each_alias_has_one_version(changes: list[tuple[int, str]]) -> None:
    """After any changes every alias belongs to one version at most, and the default to exactly one."""
    models = registry(Path(), versions=3, database=":memory:")
    for number, alias in changes:
        models.merge_aliases(f"{NAME}@{number}", [alias])
    held = [alias for version in models.versions(NAME) for alias in version.aliases]
    assert len(held) == len(set(held)) and held.count("default") == 1


def test_deleting_versions(tmp_path: Path) -> None:
    """A version that is not the default can be deleted; the default one goes with its model only."""
    models = registry(tmp_path)
    models.delete_version(f"{NAME}@2")
    assert [version.version for version in models.versions(NAME)] == ["1"]
    with pytest.raises(GoogleError, match="default"):
        models.delete_version(f"{NAME}@1")
    models.delete(NAME)
    with pytest.raises(GoogleError, match="does not exist"):
        models.get(NAME)


def test_aliases_over_rest(vertex: LocalVertex, tuned: Any) -> None:
    """mergeVersionAliases answers with the model, and the alias then names it in the path."""
    model = tuned["tunedModel"]["model"]
    answer = vertex.post(f"{model}:mergeVersionAliases", {"versionAliases": ["champion"]})
    assert answer["versionAliases"] == ["default", "champion"]
    bare = model.partition("@")[0]
    assert vertex.get(f"{bare}%40champion")["versionId"] == "1"
    assert [m["versionId"] for m in vertex.get(f"{bare}:listVersions")["models"]] == ["1"]


def test_patch_changes_what_the_mask_names(vertex: LocalVertex, tuned: Any) -> None:
    """A patch replaces labels as a whole and leaves what the mask does not name."""
    model = tuned["tunedModel"]["model"].partition("@")[0]
    body = {"labels": {"a": "b"}, "description": "d", "displayName": "ignored"}
    patched = vertex.http.patch(f"/v1/{model}", json=body, params={"updateMask": "labels,description"}).json()
    assert (patched["labels"], patched["description"], patched["displayName"]) == ({"a": "b"}, "d", "mine")
    assert vertex.get(model) == patched
    assert vertex.refused("PATCH", model, body, updateMask="versionId")[0] == "INVALID_ARGUMENT"
    assert vertex.refused("PATCH", model, body)[0] == "INVALID_ARGUMENT"


def test_models_are_listed_by_label(vertex: LocalVertex, tuned: Any) -> None:
    """Models are found by the labels that Google's clients filter on."""
    for text in ('labels.google-vertex-llm-tuning-base-model-id="gemini-2-5-flash"', "labels.tune-type:*"):
        assert len(vertex.get(f"{PARENT}/models", filter=text)["models"]) == 1
    assert vertex.get(f"{PARENT}/models", filter='display_name="other"') == {}


def test_model_goes_after_its_endpoint(vertex: LocalVertex, tuned: Any) -> None:
    """A deployed model cannot be deleted; undeployed it can, and its weights go with it."""
    model, endpoint = tuned["tunedModel"]["model"].partition("@")[0], tuned["tunedModel"]["endpoint"]
    (weights,) = (vertex.data / "vertex" / "jobs").glob("*/adapter")
    assert vertex.refused("DELETE", model)[0] == "FAILED_PRECONDITION"
    assert vertex.refused("DELETE", endpoint)[0] == "FAILED_PRECONDITION"
    deployed = vertex.get(endpoint)["deployedModels"][0]["id"]
    vertex.post(f"{endpoint}:undeployModel", {"deployedModelId": deployed})
    assert vertex.refused("POST", f"{endpoint}:predict", {"instances": [{"prompt": "x"}]})[0] == "FAILED_PRECONDITION"
    assert vertex.http.delete(f"/v1/{endpoint}").json()["done"]
    assert vertex.http.delete(f"/v1/{model}").json()["done"]
    assert vertex.refused("GET", model)[0] == "NOT_FOUND" and not weights.exists()


def test_deploying_to_an_endpoint_of_one_s_own(vertex: LocalVertex, tuned: Any) -> None:
    """A created endpoint answers once a model is deployed to it, and takes one model only."""
    operation = vertex.post(f"{PARENT}/endpoints", {"displayName": "mine", "labels": {"a": "b"}})
    endpoint = operation["response"]["name"]
    assert operation["response"]["@type"].endswith("aiplatform.v1.Endpoint")
    body = {"deployedModel": {"model": tuned["tunedModel"]["model"], "automaticResources": {"minReplicaCount": 1}}}
    deployed = vertex.post(f"{endpoint}:deployModel", body)["response"]["deployedModel"]
    assert deployed["modelVersionId"] == "1"
    answer = vertex.post(f"{endpoint}:predict", {"instances": [{"prompt": "hi"}]})
    assert answer["deployedModelId"] == deployed["id"]
    assert vertex.refused("POST", f"{endpoint}:deployModel", body)[0] == "UNIMPLEMENTED"


def test_evaluations_are_imported(vertex: LocalVertex, tuned: Any) -> None:
    """An imported evaluation is found in the list and by name, under the version that it was imported to."""
    model = tuned["tunedModel"]["model"]
    sent = {
        "displayName": "held out",
        "metricsSchemaUri": f"{SCHEMAS}general_text_generation_metrics_1.0.0.yaml",
        "metrics": {"exactMatch": 0.9},
        "metadata": {"rows": 150},
    }
    evaluation = vertex.post(f"{model}/evaluations:import", {"modelEvaluation": sent})
    assert {key: evaluation[key] for key in sent} == sent
    assert vertex.get(f"{model}/evaluations") == {"modelEvaluations": [evaluation]}
    assert vertex.get(evaluation["name"]) == evaluation


def test_bad_evaluations_are_refused(vertex: LocalVertex, tuned: Any) -> None:
    """An evaluation needs metrics and one of the published schemas."""
    good = {"metricsSchemaUri": f"{SCHEMAS}classification_metrics_1.0.0.yaml", "metrics": {}}
    path = f"{tuned['tunedModel']['model']}/evaluations:import"
    for change in ({"metricsSchemaUri": "gs://elsewhere/x.yaml"}, {"metricsSchemaUri": None}, {"metrics": None}):
        assert vertex.refused("POST", path, {"modelEvaluation": {**good, **change}})[0] == "INVALID_ARGUMENT"


def test_what_the_registry_cannot_do_is_refused_by_name(vertex: LocalVertex) -> None:
    """Uploads and copies are refused as unimplemented, naming them."""
    for path in ("models:upload", "models:copy"):
        status, message = vertex.refused("POST", f"{PARENT}/{path}", {})
        assert status == "UNIMPLEMENTED" and path in message
