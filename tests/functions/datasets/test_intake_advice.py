"""Advice: the decision table, its arithmetic and its prices."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.datasets.advice import Facts, advise, guess_task, texts
from droptune.datasets.purpose import purpose
from droptune.datasets.report import Advice, Tokens
from droptune.datasets.rules import LANGUAGES
from droptune.events import Format, Role
from droptune.methods.catalogue import base_models, known_methods
from droptune.methods.prices import prices
from droptune.request import Request

TODAY = datetime.date(2026, 11, 21)
FORMATS: tuple[Format, ...] = get_args(Format)
MILLION = Tokens(total=1_000_000, low=900_000, high=1_200_000, basis="estimated")


def facts(fmt: Format, rows: Mapping[Role, int] | None = None, request: Request | None = None, **more: Any) -> Facts:
    meant = purpose({"train": fmt}, request or Request())
    return Facts(meant, "rows.jsonl", rows or {"train": 700}, request or Request(), **more)


def advised(known: Facts) -> dict[str, Advice]:
    """The advice by code; what it says is complete in both languages."""
    for language in LANGUAGES:
        for each in advise(known, TODAY, language):
            assert "{" not in each.message, each.message
            assert each.source
    return {each.code: each for each in advise(known, TODAY)}


def test_few_rows_are_for_prompting_first() -> None:
    """Tuning is worth it from about 100 labelled rows."""
    assert "ADVICE-PROMPT-FIRST" in advised(facts("gemini_contents", {"train": 99}))
    assert "ADVICE-SFT" in advised(facts("gemini_contents", {"train": 100}))


@pytest.mark.parametrize(
    ("known", "task", "steps"),
    [
        (facts("text", labels=10, prompt_characters=60, answer_characters=12), "CLASSIFICATION", (100, 500)),
        (facts("text", prompt_characters=900, answer_characters=20), "EXTRACTION", (100, 500)),
        (facts("text", prompt_characters=3_000, answer_characters=400), "SUMMARIZATION", (200, 1_000)),
        (facts("chat", prompt_characters=300, answer_characters=80), "CHAT", (1_000, 1_000)),
        (facts("gemini_contents", turns=6, answer_characters=80), "CHAT", (1_000, 1_000)),
    ],
)
def test_the_task_is_guessed_and_brings_its_table(known: Facts, task: str, steps: tuple[int, int]) -> None:
    """Labels and lengths tell the task; the documentation's table has rows and steps for it."""
    values = advised(known)[f"ADVICE-TASK-{task}"].values
    assert (values["from"], values["to"]) == steps


def test_no_task_is_guessed_where_nothing_tells() -> None:
    """Long answers to short prompts may be anything."""
    assert guess_task(facts("text", prompt_characters=50, answer_characters=800)) is None


def test_palm_steps_are_epochs_by_computing_region() -> None:
    """240 rows, 20 steps: 0.67 epochs at 8 rows a step, 2 at 24."""
    values = advised(facts("text", {"train": 240}, Request(train_steps=20)))["ADVICE-STEPS"].values
    assert (values["gpu_epochs"], values["tpu_epochs"]) == (0.67, 2.0)
    assert (values["gpu_epoch"], values["tpu_epoch"]) == (30, 10)


@pytest.mark.parametrize(("rows", "grid"), [(499, False), (500, True), (1_000, True), (1_001, False)])
def test_the_grid_is_for_500_to_1000_rows(rows: int, grid: bool) -> None:
    """Google wrote it for these; other sizes get the plain arithmetic."""
    codes = advised(facts("gemini_contents", {"train": rows}))
    assert ("ADVICE-GRID" in codes, "ADVICE-EPOCHS" in codes) == (grid, not grid)


def test_rlhf_is_the_last_resort_with_its_arithmetic_and_price() -> None:
    """3,000 preferences are up to 1,410 steps, 2,000 prompts from 320; a day costs 24 times 45.80."""
    known = Facts(
        purpose({"preferences": "preference", "prompts": "prompts"}, Request()),
        "preferences.jsonl",
        {"preferences": 3_000, "prompts": 2_000},
        Request(),
    )
    said = advised(known)
    assert {"ADVICE-RLHF", "ADVICE-RLHF-STEPS", "ADVICE-COST-HOURS", "ADVICE-RETIRED"} <= said.keys()
    assert said["ADVICE-RETIRED"].values["method"] == "gemini_preference"
    assert said["ADVICE-RLHF-STEPS"].values["reward_to"] == 1_410
    assert said["ADVICE-RLHF-STEPS"].values["policy_from"] == 320
    assert said["ADVICE-COST-HOURS"].values["day"] == "1,099.20"


def test_cost_goes_from_low_to_high_over_all_passes() -> None:
    """A million tokens, four epochs by default, five dollars a million: 18 to 24 dollars."""
    values = advised(facts("gemini_contents", tokens=MILLION))["ADVICE-COST"].values
    assert (values["low"], values["high"], values["tokens"]) == ("18.00", "24.00", 4_000_000)
    assert values["as_of"] == "2026-09-30"


def test_preference_prompts_are_charged_twice() -> None:
    """A row is charged as two prompts and two completions."""
    half = Tokens(total=500_000, low=500_000, high=500_000, basis="counted")
    whole = Tokens(total=1_000_000, low=1_000_000, high=1_000_000, basis="counted")
    values = advised(facts("gemini_preference", tokens=whole, prompt_tokens=half))["ADVICE-COST"].values
    assert (values["low"], values["high"]) == ("7.50", "7.50")


def test_what_costs_nobody_knows_is_said() -> None:
    """PaLM tuning is priced by accelerator time, whose rate is not documented; no time is promised either."""
    codes = advised(facts("text", tokens=MILLION))
    assert "ADVICE-COST-UNKNOWN" in codes
    assert "ADVICE-TIME-UNKNOWN" in codes
    assert "ADVICE-COST" not in codes


def test_where_the_tokens_are_not_known_before_the_price_of_a_million_is_said() -> None:
    """Reinforcement trains on answers that it samples itself; without statistics no number is known either."""
    assert advised(facts("reinforcement", tokens=MILLION))["ADVICE-COST-RATE"].values["price"] == "10"
    assert "ADVICE-COST-RATE" in advised(facts("gemini_contents"))


def test_a_users_prices_are_used(tmp_path: Path) -> None:
    """The table of --prices stands before ours, in its own currency."""
    mine = tmp_path / "prices.yaml"
    mine.write_text(
        "training_tokens: {gemini-2.5-flash: {gemini_sft: {price: 10, currency: EUR, as_of: '2026-11', source: us}}}"
    )
    said = advise(facts("gemini_contents", tokens=MILLION), TODAY, "ja", prices(mine))
    (cost,) = [each for each in said if each.code == "ADVICE-COST"]
    assert (cost.values["low"], cost.values["currency"]) == ("36.00", "EUR")
    assert "EUR" in cost.message


@pytest.mark.parametrize(("prompts", "code"), [(3_520, ""), (3_521, "-MANY")])
def test_reinforcement_defaults_end_where_the_rounding_is_unknown(prompts: int, code: str) -> None:
    """About 110 steps by default; beyond 3,520 prompts that would be less than one epoch."""
    said = advised(facts("reinforcement", {"train": prompts}))
    assert said[f"ADVICE-REINFORCEMENT{code}"].values["epochs"] == 1.0


def test_open_models_may_be_tuned_whole() -> None:
    """Only where the base model is offered both ways is there a choice."""
    both = Request(base_model="qwen/qwen3@qwen3-32b")
    assert "ADVICE-FULL-TUNING" in advised(facts("open_chat", request=both))
    assert "ADVICE-FULL-TUNING" not in advised(facts("open_chat"))


def test_bare_prompts_are_told_what_they_could_be() -> None:
    """Nothing else is said while the method is open."""
    assert list(advised(facts("prompts"))) == ["ADVICE-PROMPTS"]
    assert advised(facts("openai_chat")) == {}


def test_every_text_is_in_both_languages_and_has_a_source() -> None:
    """The catalogue of advice is complete."""
    for code, text in texts().items():
        assert set(text.message) == set(LANGUAGES), code
        assert text.source


@given(
    fmt=st.sampled_from(FORMATS),
    role=st.sampled_from(get_args(Role)),
    rows=st.integers(0, 10**7),
    method=st.one_of(st.none(), st.sampled_from(list(known_methods()))),
    base_model=st.one_of(st.none(), st.sampled_from(list(base_models()))),
    lengths=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
    labels=st.one_of(st.none(), st.integers(2, 99)),
)
def test_any_data_set_gets_advice_in_whole_sentences(
    fmt: Format,
    role: Role,
    rows: int,
    method: str | None,
    base_model: str | None,
    lengths: tuple[int, int],
    labels: int | None,
) -> None:
    """Whatever it is for, and however many rows it has: no place is left open, and nothing fails."""
    request = Request(method=method, base_model=base_model)
    advised(
        Facts(
            purpose({role: fmt}, request),
            "f.jsonl",
            {role: rows},
            request,
            prompt_characters=lengths[0],
            answer_characters=lengths[1],
            labels=labels,
            tokens=MILLION,
        )
    )
