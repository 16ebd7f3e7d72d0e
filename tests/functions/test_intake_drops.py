"""Every rule about what is dropped, each with a drop that breaks it and one that does not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from intake_world import EVAL, PREFERENCES, PROMPTS, TRAIN, World

from droptune.datasets.rules import LANGUAGES, all_rules, fill, rule
from droptune.validate import validate

FOLDERS = ("OBJECT", "ROLE", "REQUEST", "SET")
Drops = Mapping[str, bytes]
SUPERVISED: Drops = {"bank/train.jsonl": TRAIN, "bank/eval.jsonl": EVAL}


def asking(job: bytes, others: Drops = SUPERVISED) -> Drops:
    return {"bank/job.yaml": job, **others}


# Code -> what breaks the rule, and what does not; each the objects of a bucket, in the order of their arrival.
CASES: Mapping[str, tuple[Drops, Drops]] = {
    "OBJECT-NAME": ({"data.csv": TRAIN}, {"data.jsonl": TRAIN}),
    "ROLE-NAME": ({"bank/validation.jsonl": EVAL}, SUPERVISED),
    "SET-MISSING": ({"bank/train.jsonl": TRAIN}, asking(b"files: [train.jsonl]", {"bank/train.jsonl": TRAIN})),
    "SET-MIXED": (
        {**SUPERVISED, "bank/preferences.jsonl": PREFERENCES},
        asking(b"files: [train.jsonl, eval.jsonl]", {**SUPERVISED, "bank/preferences.jsonl": PREFERENCES}),
    ),
    "SET-UNUSED": (
        {"bank/eval.jsonl": EVAL, "bank/prompts.jsonl": PROMPTS, "bank/preferences.jsonl": PREFERENCES},
        {"bank/prompts.jsonl": PROMPTS, "bank/preferences.jsonl": PREFERENCES},
    ),
    "REQUEST-INVALID": (asking(b"train_steps: many"), asking(b"train_steps: 3")),
    "REQUEST-KEY": (asking(b"colour: blue"), asking(b"base_model: text-bison@002")),
    "REQUEST-YAML": (asking(b"labels: {team: a"), asking(b"labels: {team: a}")),
    "REQUEST-NOT-OBJECT": (asking(b"- train_steps"), asking(b"")),
    "REQUEST-TOO-LARGE": (asking(b"#" * 100_000), asking(b"#" * 60_000)),
    "REQUEST-FILE": (asking(b"files: [train.jsonl, x.jsonl]"), asking(b"files: [train.jsonl]")),
    "REQUEST-FILES": (asking(b"files: [eval.jsonl]"), asking(b"files: [train.jsonl, eval.jsonl]")),
}


def codes(drops: Drops) -> set[str]:
    """The codes in all reports after the objects came and then every event was delivered."""
    world = World()
    for event in [world.upload(name, data) for name, data in drops.items()]:
        validate(event, world.ports)
    return {finding["code"] for report in world.reports() for finding in report["findings"]}


@pytest.mark.parametrize("code", CASES)
def test_a_rule_finds_what_breaks_it_and_nothing_else(code: str) -> None:
    """The wrong drop has the finding, the right one has not."""
    wrong, right = CASES[code]
    assert code in codes(wrong)
    assert code not in codes(right)


def test_a_replaced_object_is_told_and_one_that_stays_is_not() -> None:
    """The one rule that needs time to pass between upload and event."""
    world = World()
    old = world.upload("bank.jsonl", TRAIN)
    new = world.upload("bank.jsonl", TRAIN)
    validate(new, world.ports)
    assert "OBJECT-REPLACED" not in {finding["code"] for report in world.reports() for finding in report["findings"]}
    validate(old, world.ports)
    assert "OBJECT-REPLACED" in {finding["code"] for report in world.reports() for finding in report["findings"]}


def test_every_rule_about_drops_has_its_cases() -> None:
    """A new rule needs a wrong and a right drop."""
    known = {one.code for one in all_rules() if one.code.partition("-")[0] in FOLDERS}
    assert known == {*CASES, "OBJECT-REPLACED"}


@pytest.mark.parametrize("code", CASES)
def test_a_finding_is_said_without_places_left_open(code: str) -> None:
    """In every language each place of the words has its value."""
    world = World()
    for event in [world.upload(name, data) for name, data in CASES[code][0].items()]:
        validate(event, world.ports)
    [finding, *_] = [one for report in world.reports() for one in report["findings"] if one["code"] == code]
    words = rule(code)
    for language in LANGUAGES:
        for text in (words.message, words.allowed, words.fix):
            said = fill(text[language], finding["values"])
            assert not any(
                f"{{{name}}}" in said for name in ("found", "line", "meant", "names", "keys", "used", "most")
            )
