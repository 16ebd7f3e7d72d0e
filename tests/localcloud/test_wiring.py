"""The wiring file as the local cloud reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from localcloud.wiring import Wiring, WiringError, read

PIPELINE = Path(__file__).parents[2] / "infra" / "pipeline.yaml"


@pytest.fixture
def wired() -> Wiring:
    return read(PIPELINE, "p", "us-central1", "http://127.0.0.1:1")


def test_placeholders_are_filled_in_everywhere(wired: Wiring) -> None:
    """No name and no variable keeps a brace."""
    texts = [
        *wired.buckets,
        *wired.functions_environment.values(),
        *(value for workflow in wired.workflows for value in workflow.environment.values()),
    ]
    assert not [text for text in texts if "{" in text]


def test_bucket_and_function_keys_become_names_and_addresses(wired: Wiring) -> None:
    """Functions are told bucket names; the workflow is told where `plan` answers."""
    assert wired.functions_environment["DROPTUNE_RUNS_BUCKET"] == "p-runs"
    assert wired.workflows[0].environment["PLAN_URL"] == "http://127.0.0.1:1/plan/"


def test_every_trigger_has_a_source_a_target_and_an_end(wired: Wiring) -> None:
    """One source, one destination, and a bound on deliveries."""
    for trigger in wired.triggers:
        assert (trigger.bucket is None) != (trigger.topic is None)
        assert (trigger.function is None) != (trigger.workflow is None)
        assert 5 <= trigger.delivery.max_delivery_attempts <= 100


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"functions_environment": {"X": "{nonsense}"}}, "placeholder {nonsense}"),
        ({"functions_environment": {"X": "{bucket.attic}"}}, "placeholder {bucket.attic}"),
        ({"triggers": {"t": {"event": "e", "bucket": "attic", "function": "validate"}}}, "triggers.t.bucket"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_are_known(
    tmp_path: Path, change: dict[str, object], says: str
) -> None:
    """A slip in the wiring is found before anything starts."""
    raw = yaml.safe_load(PIPELINE.read_text())
    raw.update(change)
    copy = tmp_path / "infra" / "pipeline.yaml"
    copy.parent.mkdir()
    copy.write_text(yaml.safe_dump(raw))
    with pytest.raises(WiringError, match=says):
        read(copy, "p", "us-central1", "http://127.0.0.1:1")


def test_a_file_that_is_not_yaml_is_refused_with_its_place(tmp_path: Path) -> None:
    """The message names the file and the line."""
    broken = tmp_path / "pipeline.yaml"
    broken.write_text("buckets: [\n")
    with pytest.raises(WiringError, match=r"pipeline.yaml is not YAML(.|\n)*line 2"):
        read(broken, "p", "us-central1", "http://127.0.0.1:1")
