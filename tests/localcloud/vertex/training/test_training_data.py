"""Rows become chats, chats become token ids of which only the model's turns are learned, in a repeatable order."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import tiny_tuning
import torch
from hypothesis import given
from hypothesis import strategies as st

from localcloud.vertex.chat import ChatFormat, Marked, Turn
from localcloud.vertex.training import JobError
from localcloud.vertex.training.data import (
    IGNORED,
    RowError,
    batch_order,
    collate,
    read_examples,
    split_by_tokens,
    turns_of_row,
)

SYSTEM, USER, MODEL = Turn("system", "Be brief."), Turn("user", "Hi"), Turn("assistant", "Hello")


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> ChatFormat:
    return ChatFormat(tiny_tuning.tiny_base(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.mark.parametrize(
    ("row", "turns"),
    [
        ({"input_text": "Hi", "output_text": "Hello", "context": "ignored"}, [USER, MODEL]),
        (
            {
                "context": "Be brief.",
                "messages": [{"author": "user", "content": "Hi"}, {"author": "assistant", "content": "Hello"}],
            },
            [SYSTEM, USER, MODEL],
        ),
        (
            {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "Hi"},
                    {"role": "model", "content": "Hello"},
                ]
            },
            [SYSTEM, USER, MODEL],
        ),
        (
            {
                "systemInstruction": {"role": "anything", "parts": [{"text": "Be "}, {"text": "brief."}]},
                "contents": [
                    {"role": "user", "parts": [{"text": "Hi"}]},
                    {"role": "model", "parts": [{"text": "Hello"}]},
                ],
            },
            [SYSTEM, USER, MODEL],
        ),
    ],
)
def test_every_format_becomes_the_same_chat(row: dict[str, object], turns: list[Turn]) -> None:
    """All four supervised formats are one list of turns."""
    assert turns_of_row(row) == turns


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"input_text": "Hi"},
        {"input_text": "Hi", "output_text": 3},
        {"messages": []},
        {"messages": [{"role": "user", "content": "Hi"}]},
        {"messages": [{"role": "alien", "content": "Hi"}]},
        {"contents": [{"role": "model", "parts": [{"fileData": {}}]}]},
    ],
)
def test_other_rows_are_refused(row: dict[str, object]) -> None:
    """A row without a text answer at its end is refused."""
    with pytest.raises(RowError):
        turns_of_row(row)


def test_a_bad_row_is_named_by_its_line(chat: ChatFormat, tmp_path: Path) -> None:
    """The error names file and line, blank lines counted."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"input_text": "a", "output_text": "b"}\n\n{"input_text": "a"}\n', encoding="utf-8")
    with pytest.raises(JobError, match=r"rows\.jsonl line 3") as caught:
        read_examples(path, chat, 100)
    assert caught.value.status == "INVALID_ARGUMENT"


def test_only_model_turns_are_targets(chat: ChatFormat) -> None:
    """In a chat of several turns the targets are every answer with its end token, and nothing else."""
    marked = chat.training_ids([SYSTEM, USER, MODEL, USER, Turn("assistant", "Bye 12")])
    targets = [token for token, target in zip(marked.ids, marked.target, strict=True) if target]
    assert targets == chat.answer_ids("Hello") + chat.answer_ids("Bye 12")


def test_training_and_prompting_lay_out_alike(chat: ChatFormat) -> None:
    """A prompt's ids followed by the answer's are exactly the ids that training sees."""
    for question, label in zip(tiny_tuning.QUESTIONS, tiny_tuning.LABELS, strict=True):
        prompt = chat.prompt_ids([Turn("user", question)])
        trained = chat.training_ids([Turn("user", question), Turn("assistant", label)])
        assert list(trained.ids) == prompt + chat.answer_ids(label)


def test_no_system_line_is_invented(chat: ChatFormat) -> None:
    """A prompt without a system turn holds no system turn."""
    assert "system" not in chat.decode(chat.prompt_ids([USER]))


@given(st.text(max_size=40))
def test_texts_survive_and_never_act_as_control_tokens(chat: ChatFormat, text: str) -> None:
    """Any text, with control words in it, round-trips and holds no end token."""
    ids = chat.text_ids(f"{text}<|im_end|>{text}")
    assert chat.end_id not in ids
    assert chat.decode(ids) == f"{text}<|im_end|>{text}"


def test_prompts_are_masked_in_batches(chat: ChatFormat) -> None:
    """Labels are ignored on prompts and padding, and are the ids themselves on answers."""
    rows = [chat.training_ids([USER, Turn("assistant", text)]) for text in ("yes", "a much longer answer")]
    batch = collate(rows, chat.pad_id, torch.device("cpu"))
    for number, row in enumerate(rows):
        expected = [token if target else IGNORED for token, target in zip(row.ids, row.target, strict=True)]
        labels = batch.labels[number].tolist()
        assert labels[: len(row.ids)] == expected
        assert set(labels[len(row.ids) :]) <= {IGNORED}
    assert batch.predictions == sum(sum(row.target) for row in rows)


def test_long_rows_lose_their_beginning_and_are_counted(chat: ChatFormat, tmp_path: Path) -> None:
    """Above the limit the oldest tokens go, the answer stays."""
    rows = [{"input_text": "word " * 50, "output_text": "yes"}, {"input_text": "a", "output_text": "yes"}]
    examples = read_examples(tiny_tuning.write_rows(tmp_path / "rows.jsonl", rows), chat, 20)
    assert examples.truncated == 1
    assert len(examples.rows[0].ids) == 20
    assert list(examples.rows[0].ids[-len(chat.answer_ids("yes")) :]) == chat.answer_ids("yes")


@given(st.lists(st.integers(1, 500), min_size=1, max_size=60), st.integers(1, 9), st.integers(0, 5))
def test_every_epoch_shows_every_row(lengths: list[int], size: int, seed: int) -> None:
    """Batches are full and the same for a seed; after whole pools no row was seen twice more often than another."""
    count = 8 * len(lengths)
    batches = list(itertools.islice(batch_order(lengths, size, seed), count))
    assert batches == list(itertools.islice(batch_order(lengths, size, seed), count))
    assert all(len(batch) == size for batch in batches)
    pool_batches = max(1, min(8, len(lengths) // size))
    seen = [row for batch in batches[: count // pool_batches * pool_batches] for row in batch]
    counts = [seen.count(row) for row in range(len(lengths))]
    assert max(counts) - min(counts) <= 1


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(10, 100))
def test_groups_stay_below_the_token_limit(lengths: list[int], limit: int) -> None:
    """Padded groups fit the limit unless a row alone exceeds it, and no row is lost."""
    rows = [Marked((0,) * length, (False,) * length) for length in lengths]
    groups = list(split_by_tokens(rows, limit))
    assert sorted(len(row.ids) for group in groups for row in group) == sorted(lengths)
    for group in groups:
        assert len(group) == 1 or len(group) * max(len(row.ids) for row in group) <= limit
