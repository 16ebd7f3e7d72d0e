"""Advice on a data set: which method fits and why, how long to train, and what it costs, each with its source.

What to do is a decision table over what the files are for and how many rows they have; how to say it is in
``rules/advice.yaml``. Nothing here is a finding: a data set is as usable with advice as without.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import msgspec

from ..events import Role
from ..methods import arithmetic
from ..methods.catalogue import BaseModel, base_models, known_methods
from ..methods.gemini_sft import DEFAULT_EPOCHS
from ..methods.palm_text_sft import DEFAULT_TRAIN_STEPS
from ..methods.prices import Price, Prices, prices
from ..request import Request
from .limits import replacement
from .purpose import Purpose
from .report import Advice, Tokens
from .rowformat import Values
from .rules import Language, Words, fill, read_yaml

LEAST_ROWS_TO_TUNE = 100
GRID_ROWS = range(500, 1_001)
SUMMARY_CHARACTERS = 100  # of an answer: shorter ones are extracted rather than written
PROMPT_PER_SUMMARY = 2  # a summary is at most half as long as what it sums up
EMBEDDING_STEPS, EMBEDDING_BATCH = 1_000, 128
REINFORCEMENT_MOST_PROMPTS = 3_520  # beyond, the default is less than one epoch

Task = Literal["classification", "extraction", "summarization", "chat"]


class Recommended(NamedTuple):
    """For a task on PaLM models: the least rows, and from how many to how many training steps."""

    least: int
    steps_from: int
    steps_to: int


# Source: "Tune text models by using supervised tuning", recommended configurations.
TASKS: Mapping[Task, Recommended] = {
    "classification": Recommended(100, 100, 500),
    "extraction": Recommended(100, 100, 500),
    "summarization": Recommended(100, 200, 1_000),
    "chat": Recommended(200, 1_000, 1_000),
}


@dataclass(frozen=True)
class Facts:
    """What advice rests on.

    `file` holds the rows that decided the purpose. `rows` are those of each file by the role that it plays. Lengths are
    medians in characters, `turns` the median of turns in a row; `labels` is how many labels the answers are, None where
    they are none. `tokens` are those of the training file, all texts once; `prompt_tokens` those of its prompts, which
    preference tuning is charged twice.
    """

    purpose: Purpose
    file: str
    rows: Mapping[Role, int]
    request: Request
    prompt_characters: int = 0
    answer_characters: int = 0
    turns: int = 2
    labels: int | None = None
    tokens: Tokens | None = None
    prompt_tokens: Tokens | None = None


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a code of advice says in every language, and what it rests on."""

    message: Words
    source: str


class Advised(NamedTuple):
    """One piece of advice before it is put into words."""

    code: str
    values: Values


def advise(
    facts: Facts, today: datetime.date, language: Language = "en", table: Prices | None = None
) -> tuple[Advice, ...]:
    """All advice on a data set, in words; `table` is the user's price table."""
    return tuple(
        Advice(
            code=advised.code,
            message=fill(texts()[advised.code].message[language], advised.values),
            source=texts()[advised.code].source,
            values=dict(advised.values),
        )
        for advised in advice(facts, today, table or prices())
    )


def advice(facts: Facts, today: datetime.date, table: Prices) -> Iterator[Advised]:
    """All advice on a data set, in no language."""
    method, name = facts.purpose.method, facts.purpose.base_model
    if method is None or name is None:
        if facts.purpose.format == "prompts":
            yield Advised("ADVICE-PROMPTS", {})
        return
    model = base_models()[name]
    if model.retired_on(today):
        yield Advised("ADVICE-RETIRED", replacement(model, facts.purpose, facts.file))
    yield from _OF_METHOD[method](facts, model)
    yield from _cost(facts, model, method, table)


def guess_task(facts: Facts) -> Task | None:
    """What the rows ask for, guessed from labels and lengths; None where they tell nothing."""
    if facts.labels is not None:
        return "classification"
    if facts.purpose.format == "chat" or facts.turns > 2:
        return "chat"
    if not facts.answer_characters or facts.prompt_characters < PROMPT_PER_SUMMARY * facts.answer_characters:
        return None
    return "extraction" if facts.answer_characters < SUMMARY_CHARACTERS else "summarization"


def _supervised(facts: Facts, model: BaseModel) -> Iterator[Advised]:
    rows = facts.rows.get("train", 0)
    few = rows < LEAST_ROWS_TO_TUNE
    yield Advised("ADVICE-PROMPT-FIRST" if few else "ADVICE-SFT", {"rows": rows})
    if model.family in ("palm_code", "palm_codechat"):
        yield Advised("ADVICE-CODE", {})
    task = guess_task(facts)
    if task is not None:
        least, steps_from, steps_to = TASKS[task]
        values = {"rows": rows, "least": least, "from": steps_from, "to": steps_to, "labels": facts.labels or 0}
        lengths = {"prompt": facts.prompt_characters, "answer": facts.answer_characters}
        yield Advised(f"ADVICE-TASK-{task.upper()}", {**values, **lengths})
    if task != "classification":
        yield Advised("ADVICE-KNOWLEDGE", {})


def _palm(facts: Facts, model: BaseModel) -> Iterator[Advised]:
    yield from _supervised(facts, model)
    rows = facts.rows.get("train", 0)
    gpu = arithmetic.batch_size(model, arithmetic.GPU_REGION)
    tpu = arithmetic.batch_size(model, arithmetic.TPU_REGION)
    if not rows or gpu is None or tpu is None:
        return
    request = facts.request
    steps = request.train_steps or (
        arithmetic.steps_for(rows, request.epochs, gpu) if request.epochs else DEFAULT_TRAIN_STEPS
    )
    yield Advised(
        "ADVICE-STEPS",
        {
            "rows": rows,
            "steps": steps,
            "gpu_batch": gpu,
            "gpu_epochs": round(arithmetic.epochs_of(steps, rows, gpu), 2),
            "gpu_epoch": arithmetic.steps_for(rows, 1, gpu),
            "tpu_batch": tpu,
            "tpu_epochs": round(arithmetic.epochs_of(steps, rows, tpu), 2),
            "tpu_epoch": arithmetic.steps_for(rows, 1, tpu),
        },
    )


def _gemini(facts: Facts, model: BaseModel) -> Iterator[Advised]:
    yield from _supervised(facts, model)
    rows, epochs = facts.rows.get("train", 0), facts.request.epochs or DEFAULT_EPOCHS
    if rows in GRID_ROWS:
        yield Advised("ADVICE-GRID", {"rows": rows})
    elif rows:
        yield Advised("ADVICE-EPOCHS", {"rows": rows, "epochs": epochs, "seen": rows * epochs})


def _open(facts: Facts, model: BaseModel) -> Iterator[Advised]:
    yield from _supervised(facts, model)
    if {"full", "peft"} <= set(model.methods["oss_sft"].modes):
        yield Advised("ADVICE-FULL-TUNING", {"model": model.name})


def _preference(facts: Facts, model: BaseModel) -> Iterator[Advised]:
    yield Advised("ADVICE-PREFERENCE", {})


def _rlhf(facts: Facts, model: BaseModel) -> Iterator[Advised]:
    yield Advised("ADVICE-RLHF", {})
    preferences, prompts = facts.rows.get("preferences", 0), facts.rows.get("prompts", 0)
    if not preferences or not prompts:
        return
    reward, policy = arithmetic.RLHF_REWARD_EPOCHS, arithmetic.RLHF_POLICY_EPOCHS
    yield Advised(
        "ADVICE-RLHF-STEPS",
        {
            "batch": arithmetic.RLHF_BATCH,
            "preferences": preferences,
            "reward_from": arithmetic.rlhf_steps(preferences, reward[0]),
            "reward_to": arithmetic.rlhf_steps(preferences, reward[1]),
            "prompts": prompts,
            "policy_from": arithmetic.rlhf_steps(prompts, policy[0]),
            "policy_to": arithmetic.rlhf_steps(prompts, policy[1]),
        },
    )


def _distillation(facts: Facts, model: BaseModel) -> Iterator[Advised]:
    tuning = facts.purpose.tuning
    if tuning is not None and tuning.teacher is not None:
        rows = facts.rows.get("prompts", 0) or facts.rows.get("train", 0)
        yield Advised("ADVICE-DISTILL", {"rows": rows, "teacher": tuning.teacher})


def _reinforcement(facts: Facts, model: BaseModel) -> Iterator[Advised]:
    prompts = facts.rows.get("train", 0) or facts.rows.get("prompts", 0)
    if not prompts:
        return
    many = prompts > REINFORCEMENT_MOST_PROMPTS
    epochs = 1.0 if many else arithmetic.reinforcement_default_epochs(prompts)
    yield Advised(
        "ADVICE-REINFORCEMENT-MANY" if many else "ADVICE-REINFORCEMENT",
        {
            "prompts": prompts,
            "epochs": round(epochs, 1),
            "steps": arithmetic.reinforcement_steps(prompts, epochs),
            "batch": arithmetic.REINFORCEMENT_BATCH,
            "most": arithmetic.REINFORCEMENT_MOST_STEPS,
        },
    )


def _embedding(facts: Facts, model: BaseModel) -> Iterator[Advised]:
    labels = facts.rows.get("labels", 0)
    if labels:
        epochs = round(arithmetic.epochs_of(EMBEDDING_STEPS, labels, EMBEDDING_BATCH), 1)
        values = {"steps": EMBEDDING_STEPS, "batch": EMBEDDING_BATCH, "labels": labels, "epochs": epochs}
        yield Advised("ADVICE-EMBEDDING", values)


_OF_METHOD: Mapping[str, Callable[[Facts, BaseModel], Iterator[Advised]]] = {
    "palm_text_sft": _palm,
    "palm_chat_sft": _palm,
    "palm_code_sft": _palm,
    "palm_codechat_sft": _palm,
    "embedding": _embedding,
    "rlhf": _rlhf,
    "palm_distill": _distillation,
    "gemini_sft": _gemini,
    "gemini_preference": _preference,
    "distill": _distillation,
    "reinforcement": _reinforcement,
    "oss_sft": _open,
}


def _cost(facts: Facts, model: BaseModel, method: str, table: Prices) -> Iterator[Advised]:
    """Low and high from the interval of the tokens, or the price of an hour; what is not documented is said to be."""
    hour = table.of_accelerator_hour(method, arithmetic.GPU_REGION)
    if hour is not None:
        values = {"price": f"{hour.price:.2f}", "day": f"{24 * hour.price:,.2f}", "region": arithmetic.GPU_REGION}
        yield Advised("ADVICE-COST-HOURS", {**values, "currency": hour.currency, "as_of": hour.as_of})
        return
    yield _cost_of_tokens(table.of_training_tokens(model.name, method), _charged(facts, method), facts, model.name)
    yield Advised("ADVICE-TIME-UNKNOWN", {"method": method})


def _cost_of_tokens(million: Price | None, charged: Tokens | None, facts: Facts, model: str) -> Advised:
    method = facts.purpose.method or ""
    if million is None:
        return Advised("ADVICE-COST-UNKNOWN", {"method": method, "model": model})
    price = {"price": f"{million.price:g}", "currency": million.currency, "as_of": million.as_of}
    if charged is None:
        return Advised("ADVICE-COST-RATE", price)
    low, high = (f"{tokens / 1_000_000 * million.price:,.2f}" for tokens in (charged.low, charged.high))
    tokens = {"tokens": charged.total, "tokens_low": charged.low, "tokens_high": charged.high}
    return Advised("ADVICE-COST", {"low": low, "high": high, **price, **tokens, "epochs": _passes(facts, method)})


def _passes(facts: Facts, method: str) -> int:
    """Epochs that are charged: those asked for, our default, or one where the service chooses."""
    return facts.request.epochs or (DEFAULT_EPOCHS if method == "gemini_sft" else 1)


def _charged(facts: Facts, method: str) -> Tokens | None:
    """The tokens of all passes; a preference row counts its prompt twice, once with each completion.

    None where they are not known before the job: reinforcement samples its own answers.
    """
    if facts.tokens is None or method == "reinforcement" or known_methods()[method].counts != "epochs":
        return None
    passes, twice = _passes(facts, method), facts.prompt_tokens if method == "gemini_preference" else None
    total, low, high = (
        passes * (of_rows + of_prompts)
        for of_rows, of_prompts in (
            (facts.tokens.total, twice.total if twice else 0),
            (facts.tokens.low, twice.low if twice else 0),
            (facts.tokens.high, twice.high if twice else 0),
        )
    )
    return Tokens(total=total, low=low, high=high, basis=facts.tokens.basis)


@cache
def texts() -> Mapping[str, Text]:
    """What each code of advice says."""
    return msgspec.convert(read_yaml("advice"), dict[str, Text])
