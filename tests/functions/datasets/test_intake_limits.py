"""Limits of rows, turns, bytes and tokens, by base model and method."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_wording import assert_sayable

from droptune.datasets.limits import FileFacts, check_limits, retirement
from droptune.datasets.overlong import TokenLimits, judge_row
from droptune.datasets.purpose import purpose
from droptune.datasets.rowformat import Batch
from droptune.datasets.rules import rule
from droptune.events import Format, Role
from droptune.methods.catalogue import base_models
from droptune.request import Request

TODAY = datetime.date(2026, 11, 21)
CUT = TokenLimits.of(base_models()["text-bison@002"].methods["palm_text_sft"])
DROPPED = TokenLimits.of(base_models()["gemini-2.5-flash"].methods["gemini_sft"])
UNSTATED = TokenLimits.of(base_models()["chat-bison@002"].methods["palm_chat_sft"])


def one_token_a_character(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


def one_token_a_byte(texts: Sequence[str]) -> list[int]:
    return [len(text.encode()) for text in texts]


def facts(role: Role, fmt: Format, rows: int, size_bytes: int = 1_000, turns: int = 0) -> FileFacts:
    return FileFacts(role, f"{role}.jsonl", fmt, rows, size_bytes, turns)


def found(*files: FileFacts, request: Request | None = None, line_only: bool = False) -> set[str]:
    """The codes that these files get; each can be said."""
    meant = purpose({file.role: file.format for file in files}, request or Request())
    problems = list(check_limits(meant, files, line_only=line_only))
    for file, problem in problems:
        assert file in {f.file for f in files}
        assert_sayable(problem)
    return {problem.code for _, problem in problems}


def pair(fmt: Format, train: int, held_out: int) -> tuple[FileFacts, FileFacts]:
    return facts("train", fmt, train), facts("eval", fmt, held_out)


Case = Callable[[], set[str]]


@pytest.mark.parametrize(
    ("code", "wrong", "right"),
    [
        ("ROWS-TOO-FEW", lambda: found(*pair("text", 9, 100)), lambda: found(*pair("text", 10, 100))),
        ("ROWS-TOO-MANY", lambda: found(*pair("text", 10_001, 100)), lambda: found(*pair("text", 10_000, 100))),
        ("ROWS-FEW", lambda: found(*pair("text", 99, 100)), lambda: found(*pair("text", 100, 100))),
        ("EVAL-TOO-FEW", lambda: found(*pair("text", 200, 9)), lambda: found(*pair("text", 200, 10))),
        ("EVAL-ROWS", lambda: found(*pair("text", 200, 251)), lambda: found(*pair("text", 200, 250))),
        (
            "EVAL-TOO-MANY",
            lambda: found(*pair("gemini_contents", 20_000, 5_001)),
            lambda: found(*pair("gemini_contents", 20_000, 5_000)),
        ),
        (
            "EVAL-TOO-MANY",
            lambda: found(*pair("reinforcement", 2_000, 501)),
            lambda: found(*pair("reinforcement", 2_000, 500)),
        ),
        ("EVAL-FEW", lambda: found(*pair("text", 200, 29)), lambda: found(*pair("text", 200, 30))),
        (
            "EVAL-SHARE",
            lambda: found(*pair("gemini_contents", 3_300, 1_001)),
            lambda: found(*pair("gemini_contents", 3_300, 1_000)),
        ),
        (
            "EVAL-SHARE-BYTES",
            lambda: found(facts("train", "open_chat", 200, 1_000), facts("eval", "open_chat", 50, 251)),
            lambda: found(facts("train", "open_chat", 200, 1_000), facts("eval", "open_chat", 50, 250)),
        ),
        (
            "FILE-TOO-LARGE",
            lambda: found(facts("train", "gemini_contents", 200, (1 << 30) + 1)),
            lambda: found(facts("train", "gemini_contents", 200, 1 << 30)),
        ),
        (
            "AUTHORS-TOO-MANY",
            lambda: found(facts("train", "chat", 5_000, turns=10_002)),
            lambda: found(facts("train", "chat", 5_000, turns=10_000)),
        ),
        ("SPLIT-TOO-FEW", lambda: found(facts("train", "text", 19)), lambda: found(facts("train", "text", 20))),
    ],
)
def test_a_limit_has_two_sides(code: str, wrong: Case, right: Case) -> None:
    """What is just beyond a limit is found, what is just within is not."""
    assert code in wrong()
    assert code not in right()


def test_rows_belong_to_a_base_model() -> None:
    """10,001 rows are too many for text-bison, and few for Gemini."""
    assert found(*pair("gemini_contents", 10_001, 100)) == set()
    assert found(*pair("gemini_messages", 500, 300)) == {"EVAL-TOO-MANY"}
    assert found(*pair("text", 300, 100), request=Request(method="palm_code_sft")) == {"ROWS-FEW"}


@pytest.mark.parametrize(
    ("files", "severity"),
    [
        (pair("gemini_contents", 20_000, 5_001), "error"),
        (pair("gemini_contents", 3_300, 1_001), "error"),
        (pair("gemini_preference", 3_300, 5_001), "error"),
        (pair("gemini_preference", 3_300, 1_001), "error"),
        (pair("reinforcement", 2_000, 501), "error"),
        (pair("open_chat", 20_000, 5_001), "error"),
        (pair("text", 2_000, 251), "warning"),
        (pair("text", 2_000, 9), "warning"),
    ],
)
def test_an_evaluation_file_that_the_service_rejects_is_an_error(
    files: tuple[FileFacts, FileFacts], severity: str
) -> None:
    """By number as by share; where its effect is not documented, and the job does without the file, it is a warning."""
    (code,) = (code for code in found(*files) if code in ("EVAL-TOO-MANY", "EVAL-SHARE", "EVAL-ROWS", "EVAL-TOO-FEW"))
    assert rule(code).severity == severity


def test_unlabelled_prompts_are_no_training_rows() -> None:
    """Thousands of prompts are fine for distillation, whose labelled rows are limited to 10,000."""
    wish = Request(method="palm_distill")
    assert found(facts("train", "prompts", 50_000), request=wish) == set()
    assert found(facts("train", "text", 50_000), request=wish) == {"ROWS-TOO-MANY"}


@pytest.mark.parametrize("role", ["train", "prompts"])
def test_a_limit_holds_for_each_name_that_a_file_may_have(role: Role) -> None:
    """Reinforcement takes 5,000 prompts, in train.jsonl as in prompts.jsonl."""
    assert found(facts(role, "reinforcement", 5_000)) == set()
    assert found(facts(role, "reinforcement", 5_001)) == {"ROWS-TOO-MANY"}


def test_embedding_files_have_limits_of_their_own() -> None:
    """9 to 10,000 queries; 9 to 500,000 rows of the corpus; fewer than 500,000 labels."""
    corpus, labels = facts("corpus", "embedding_text", 9), facts("labels", "embedding_labels", 20)
    assert found(corpus, facts("queries", "embedding_text", 9), labels) == set()
    assert found(corpus, facts("queries", "embedding_text", 10_001), labels) == {"ROWS-TOO-MANY"}
    assert found(facts("corpus", "embedding_text", 8), labels) == {"ROWS-TOO-FEW"}


def test_lines_alone_are_judged_without_counts() -> None:
    """`--line-only` ignores minimum and maximum counts."""
    assert found(facts("train", "text", 3), line_only=True) == set()
    assert found(*pair("text", 20_000, 5_000), line_only=True) == set()


def test_nothing_is_limited_while_the_purpose_is_open() -> None:
    """Bare prompts have no base model yet, hence no limits."""
    assert found(facts("train", "prompts", 3)) == set()


@pytest.mark.parametrize(
    ("fmt", "request_", "command"),
    [
        ("text", Request(), "droptune convert a.jsonl --to gemini"),
        ("gemini_contents", Request(base_model="gemini-1.5-pro-002"), "droptune check a.jsonl --model gemini-2.5-pro"),
    ],
)
def test_a_retired_model_names_its_replacement_and_the_command(fmt: Format, request_: Request, command: str) -> None:
    """Where the endpoint still serves it that is a note, where it does not an error."""
    meant = purpose({"train": fmt}, request_)
    (note,) = retirement(meant, "a.jsonl", TODAY)
    (error,) = retirement(meant, "a.jsonl", TODAY, serves=lambda name: False)
    assert (note.code, error.code) == ("MODEL-RETIRED-SERVED", "MODEL-RETIRED")
    assert note.values["command"] == command
    assert_sayable(note)
    assert_sayable(error)
    assert list(retirement(meant, "a.jsonl", datetime.date(2020, 1, 1))) == []


def test_a_model_that_is_alive_is_not_mentioned() -> None:
    """Nothing is said about what is in order."""
    meant = purpose({"train": "gemini_contents"}, Request())
    assert list(retirement(meant, "a.jsonl", TODAY, serves=lambda name: False)) == []


@pytest.mark.parametrize(
    ("limits", "prompt", "answer", "code"),
    [
        (CUT, "word " * 10_000, "yes", "TOKENS-EXCEED"),
        (CUT, "Why?", "word " * 1_000, "TOKENS-EXCEED"),
        (DROPPED, "word " * 150_000, "yes", "TOKENS-DROPPED"),
        (UNSTATED, "word " * 10_000, "yes", "TOKENS-OVER"),
        (CUT, "word " * 5_000, "yes", "TOKENS-MAY-EXCEED"),
        (CUT, "カードが届きません。" * 2_000, "はい", "TOKENS-EXCEED"),
    ],
)
def test_rows_that_are_too_long_say_what_is_lost(limits: TokenLimits, prompt: str, answer: str, code: str) -> None:
    """PaLM cuts text off, Gemini drops the row; what is only possible is a note."""
    (problem,) = judge_row(prompt, answer, limits, None)
    assert problem.code == code
    assert_sayable(problem)


def test_a_tokenizer_replaces_the_estimate() -> None:
    """With one there is no `may`: 1,025 tokens of an answer are one too many, 1,024 are right."""
    assert judge_row("Why?", "x" * 1_024, CUT, one_token_a_character) == []
    (problem,) = judge_row("Why?", "x" * 2_048, CUT, one_token_a_character)
    assert problem.code == "TOKENS-EXCEED"
    assert problem.values["lost"] == 1_024
    assert judge_row("Why?", "x" * 1_500, CUT, lambda texts: [500]) == []


def test_whole_rows_count_together() -> None:
    """The limit of a Gemini row is that of prompt and answer together."""
    half = "word " * 80_000
    assert [p.code for p in judge_row(half, half, DROPPED, None)] == ["TOKENS-DROPPED"]
    assert judge_row("a", "word " * 10_000, DROPPED, None) == []


@given(
    pairs=st.lists(st.tuples(st.text(max_size=200), st.text(max_size=200)), min_size=1, max_size=8),
    limits=st.tuples(*[st.none() | st.integers(1, 400)] * 3),
    ascii_only=st.booleans(),
)
def test_rows_that_can_be_too_long_are_always_suspected(
    pairs: list[tuple[str, str]], limits: tuple[int | None, ...], ascii_only: bool
) -> None:
    """The bytes of a line and the characters of its texts never rule out a row that has a problem."""
    token_limits = TokenLimits(*limits, "cut")
    for counter in (None, one_token_a_byte):
        problems = partial(judge_row, limits=token_limits, counter=counter)
        long = token_limits.long_rows(counter is not None, lambda row, problems=problems: problems(*row))
        if long is None:
            assert limits == (None, None, None)
            continue
        lines = [json.dumps({"input_text": i, "output_text": o}, ensure_ascii=ascii_only) for i, o in pairs]
        asked, answered = (np.array([len(pair[at]) for pair in pairs], np.int32) for at in (0, 1))
        batch = Batch(2, [prompt for prompt, _ in pairs], asked, answered, {})
        sizes = np.array([len(line.encode()) for line in lines], np.int64)
        suspected = long.suspects(sizes, batch).tolist()
        for at, pair in enumerate(pairs):
            problems = list(long.problems(pair))
            assert not problems or at in suspected
            for problem in problems:
                assert_sayable(problem)
