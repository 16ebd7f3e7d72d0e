"""Rows keep their meaning from one format to another; what has no place there is said, and no row is lost."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from droptune.datasets.convert import CODECS, CONVERSIONS, Loss, converted, target_named, targets_of, why_not
from droptune.datasets.convert.stream import Converted, convert_stream
from droptune.datasets.formats import FORMATS
from droptune.datasets.judging import errors
from droptune.datasets.setaside import SetAside
from droptune.events import Format

SHARED = Path(__file__).parents[4] / "shared" / "data"

Row = dict[str, Any]
said = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)
two_said = st.tuples(said, said).filter(lambda pair: pair[0] != pair[1])


@st.composite
def dialogues(draw: st.DrawFn, asks: str, answers: str, answered: bool) -> list[tuple[str, str]]:
    """Turns of two who alternate, up to the last."""
    count = 2 * draw(st.integers(0, 3)) + (2 if answered else 1)
    return [((asks, answers)[at % 2], draw(said)) for at in range(count)]


def flat(*fields: str) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries({field: said for field in fields})


def palm_chat(answered: bool) -> st.SearchStrategy[Row]:
    turns = dialogues("user", "assistant", answered).map(
        lambda turns: [{"author": author, "content": text} for author, text in turns]
    )
    return st.fixed_dictionaries({"messages": turns}, optional={"context": said})


@st.composite
def role_messages(draw: st.DrawFn, answers: str, answered: bool) -> Row:
    system = [{"role": "system", "content": draw(said)}] if draw(st.booleans()) else []
    turns = [{"role": role, "content": text} for role, text in draw(dialogues("user", answers, answered))]
    return {"messages": [*system, *turns]}


@st.composite
def contents(draw: st.DrawFn, answers: str, answered: bool) -> Row:
    row: Row = {}
    if draw(st.booleans()):
        row["systemInstruction"] = {"role": "system", "parts": [{"text": draw(said)}]}
    turns = draw(dialogues("user", answers, answered))
    return {**row, "contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns]}


def preference(prompt: st.SearchStrategy[Row]) -> st.SearchStrategy[Row]:
    def with_candidates(row: Row, pair: tuple[str, str], choice: int) -> Row:
        return {**row, "candidate_0": pair[0], "candidate_1": pair[1], "choice": choice}

    return st.builds(with_candidates, prompt, two_said, st.integers(0, 1))


def _completions(row: Row, pair: tuple[str, str], better: int) -> Row:
    completions = [
        {"score": int(at == better), "completion": {"role": "model", "parts": [{"text": text}]}}
        for at, text in enumerate(pair)
    ]
    return {**row, "completions": completions}


def _outputs(row: Row, pair: tuple[str, str]) -> Row:
    better, other = ([{"role": "assistant", "content": text}] for text in pair)
    return {"input": row, "preferred_output": better, "non_preferred_output": other}


ROWS: dict[Format, st.SearchStrategy[Row]] = {
    "text": flat("input_text", "output_text"),
    "text_rationale": flat("input_text", "output_text", "rationale"),
    "prompts": flat("input_text"),
    "chat": palm_chat(True),
    "chat_prompts": palm_chat(False),
    "preference": preference(flat("input_text")),
    "chat_preference": preference(palm_chat(False)),
    "gemini_messages": role_messages("model", True),
    "gemini_contents": contents("model", True),
    "gemini_prompts": contents("model", False),
    "gemini_preference": st.builds(_completions, contents("model", False), two_said, st.integers(0, 1)),
    "reinforcement": st.builds(lambda row, text: {**row, "references": {"a": text}}, contents("model", False), said),
    "open_chat": role_messages("assistant", True),
    "open_prompts": role_messages("assistant", False),
    "open_contents": contents("assistant", True),
    "completion": flat("prompt", "completion"),
    "completion_prompts": flat("prompt"),
    "ground_truth": flat("prompt", "ground_truth"),
    "openai_chat": role_messages("assistant", True),
    "openai_preference": st.builds(_outputs, role_messages("assistant", False), two_said),
    "batch_requests": contents("model", False).map(lambda row: {"request": row}),
}

# Pairs between which every plain row goes and comes back as it was.
BOTH_WAYS: list[tuple[Format, Format]] = [
    *((flat, other) for flat in ("text", "completion", "ground_truth") for other in ("gemini_contents", "openai_chat")),
    *(("text", other) for other in ("chat", "gemini_messages", "open_chat", "open_contents", "completion")),
    *(("chat", other) for other in ("gemini_contents", "gemini_messages", "open_chat", "open_contents", "openai_chat")),
    *(("gemini_messages", other) for other in ("gemini_contents", "open_chat", "open_contents", "openai_chat", "chat")),
    *(("gemini_contents", other) for other in ("gemini_messages", "open_chat", "open_contents", "openai_chat", "chat")),
    *(("open_chat", other) for other in ("openai_chat", "gemini_contents")),
    *(("openai_chat", other) for other in ("open_chat", "gemini_contents")),
    *(("prompts", other) for other in ("gemini_prompts", "open_prompts", "completion_prompts", "chat_prompts")),
    *(("gemini_prompts", other) for other in ("open_prompts", "batch_requests", "chat_prompts")),
    *(("preference", other) for other in ("gemini_preference", "chat_preference")),
    *(("chat_preference", other) for other in ("gemini_preference",)),
    *(("openai_preference", other) for other in ("gemini_preference", "chat_preference")),
]


def convert(data: bytes, source: Format, target: Format) -> tuple[list[Row], list[Row], Converted]:
    out, rejected = io.BytesIO(), io.BytesIO()
    result = convert_stream(io.BytesIO(data), FORMATS[source], FORMATS[target], out, SetAside(lambda: rejected))
    return _objects(out.getvalue()), _objects(rejected.getvalue()), result


def _objects(data: bytes) -> list[Row]:
    return [json.loads(line) for line in data.decode("utf-8").split("\n") if line]


def lines(*rows: Row) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


@pytest.mark.parametrize(("source", "target"), BOTH_WAYS)
def test_plain_rows_come_back_as_they_were(source: Format, target: Format) -> None:
    """A row that goes to a format of the same meaning and back is equal, and nothing is said to be lost."""

    @settings(max_examples=15, deadline=None)
    @given(ROWS[source])
    def there_and_back(row: Row) -> None:
        lost: set[Loss] = set()
        there = converted(row, source, target, lost)
        assert not errors(FORMATS[target].problems(there))
        assert converted(there, target, source, lost) == row
        assert not lost

    there_and_back()


@pytest.mark.parametrize(("source", "target"), sorted(CONVERSIONS))
def test_every_row_is_written_right_or_rejected_with_a_reason(source: Format, target: Format) -> None:
    """Whatever the pair, what is written breaks no rule of its format, and every row is in one of the two files."""

    @settings(max_examples=5, deadline=None)
    @given(st.lists(ROWS[source], min_size=1, max_size=4))
    def none_is_lost(rows: list[Row]) -> None:
        written, rejected, result = convert(lines(*rows), source, target)
        assert (len(written), len(rejected)) == (result.written, result.rejected)
        assert len(written) + len(rejected) == len(rows)
        assert not [problem for row in written for problem in errors(FORMATS[target].problems(row))]
        assert all(entry["reasons"] and json.loads(entry["raw"]) in rows for entry in rejected)

    none_is_lost()


@pytest.mark.parametrize("target", ["gemini_preference", "chat_preference"])
def test_a_preference_keeps_which_answer_is_better(target: Format) -> None:
    """The better answer stays the better one whatever the order, also by way of a format that has no order."""
    row = {"input_text": "q", "candidate_0": "worse", "candidate_1": "better", "choice": 1}
    (there,), _, _ = convert(lines(row), "preference", target)
    (openai,), _, _ = convert(lines(there), target, "openai_preference")
    assert openai["preferred_output"] == [{"role": "assistant", "content": "better"}]
    (back,), _, _ = convert(lines(openai), "openai_preference", "preference")
    assert back == {"input_text": "q", "candidate_0": "better", "candidate_1": "worse", "choice": 0}


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data sets are not here")
@pytest.mark.parametrize(
    ("source", "source_format", "target", "target_format"),
    [
        (
            "classification/banking10_gemini_messages_train",
            "gemini_messages",
            "classification/banking10_gemini_contents_train",
            "gemini_contents",
        ),
        (
            "sentiment/movie_gemini_contents_eval",
            "gemini_contents",
            "sentiment/movie_gemini_messages_eval",
            "gemini_messages",
        ),
        ("chat/sgd_bison_train", "chat", "chat/sgd_gemini_contents_train", "gemini_contents"),
        ("chat/sgd_gemini_messages_eval", "gemini_messages", "chat/sgd_bison_eval", "chat"),
    ],
)
def test_real_files_become_their_counterparts(
    source: str, source_format: Format, target: str, target_format: Format
) -> None:
    """A file that others wrote in two formats converts to exactly the rows that they wrote."""
    given_rows = (SHARED / f"{source}.jsonl").read_bytes()
    written, rejected, result = convert(given_rows, source_format, target_format)
    assert written == _objects((SHARED / f"{target}.jsonl").read_bytes())
    assert not rejected
    assert not result.lost


WEATHER = {
    "name": "weather",
    "description": "The weather of a place.",
    "parameters": {
        "type": "object",
        "properties": {"place": {"type": "string"}, "type": {"type": ["string", "null"], "enum": ["now", "week"]}},
        "required": ["place"],
    },
}
OPENAI_CALLS: Row = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Rome and Oslo?"},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"place": "Rome"}'}},
                {"id": "call_2", "type": "function", "function": {"name": "weather", "arguments": '{"place": "Oslo"}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": '{"degrees": 20}'},
        {"role": "tool", "tool_call_id": "call_2", "content": "no answer"},
        {"role": "assistant", "content": "Rome 20 degrees, Oslo unknown."},
    ],
    "tools": [{"type": "function", "function": WEATHER}],
}
GEMINI_CALLS: Row = {
    "systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "Weather in Rome and Oslo?"}]},
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "weather", "args": {"place": "Rome"}}},
                {"functionCall": {"name": "weather", "args": {"place": "Oslo"}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "weather", "response": {"degrees": 20}}},
                {"functionResponse": {"name": "weather", "response": {"output": "no answer"}}},
            ],
        },
        {"role": "model", "parts": [{"text": "Rome 20 degrees, Oslo unknown."}]},
    ],
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "weather",
                    "description": "The weather of a place.",
                    "parameters": {
                        "type": "OBJECT",
                        "properties": {
                            "place": {"type": "STRING"},
                            "type": {"type": "STRING", "nullable": True, "enum": ["now", "week"]},
                        },
                        "required": ["place"],
                    },
                }
            ]
        }
    ],
}


def test_function_calls_carry_over() -> None:
    """Declarations, calls and responses of functions mean the same at OpenAI and at Gemini, in both directions."""
    (gemini,), _, result = convert(lines(OPENAI_CALLS), "openai_chat", "gemini_contents")
    assert gemini == GEMINI_CALLS
    assert set(result.lost) == {Loss("call_ids")}
    (openai,), _, result = convert(lines(GEMINI_CALLS), "gemini_contents", "openai_chat")
    assert openai == OPENAI_CALLS
    assert not result.lost


@settings(max_examples=50, deadline=None)
@given(
    said,
    st.one_of(said, st.dictionaries(said, said).map(json.dumps), said.map(lambda text: json.dumps({"output": text}))),
)
def test_what_a_function_gave_back_is_not_changed(question: str, content: str) -> None:
    """The content of a tool's message comes back from Gemini with the same meaning, be it a text or an object."""
    row = json.loads(json.dumps(OPENAI_CALLS))
    row["messages"][3]["content"] = content
    (gemini,), _, _ = convert(lines(row), "openai_chat", "gemini_contents")
    (back,), _, _ = convert(lines(gemini), "gemini_contents", "openai_chat")
    returned = back["messages"][3]["content"]
    assert returned == content or json.loads(returned) == json.loads(content)


LOST: list[tuple[Format, Format, Row, Row, Loss]] = [
    (
        "text_rationale",
        "text",
        {"input_text": "q", "output_text": "a", "rationale": "r"},
        {"input_text": "q", "output_text": "a"},
        Loss("rationale"),
    ),
    (
        "openai_chat",
        "open_chat",
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 1}]},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]},
        Loss("weight"),
    ),
    (
        "gemini_messages",
        "text",
        {
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": "q"},
                {"role": "model", "content": "a"},
            ]
        },
        {"input_text": "s\n\nq", "output_text": "a"},
        Loss("system_folded"),
    ),
    (
        "preference",
        "gemini_contents",
        {"input_text": "q", "candidate_0": "a", "candidate_1": "b", "choice": 1},
        {"contents": [{"role": "user", "parts": [{"text": "q"}]}, {"role": "model", "parts": [{"text": "b"}]}]},
        Loss("worse_answer"),
    ),
    ("text", "prompts", {"input_text": "q", "output_text": "a"}, {"input_text": "q"}, Loss("answer")),
    (
        "text",
        "completion",
        {"input_text": "q", "output_text": "a", "id": 7},
        {"prompt": "q", "completion": "a"},
        Loss("field", "id"),
    ),
    (
        "reinforcement",
        "gemini_prompts",
        {"contents": [{"role": "user", "parts": [{"text": "q"}]}], "references": {"answer": "a"}},
        {"contents": [{"role": "user", "parts": [{"text": "q"}]}]},
        Loss("references"),
    ),
    (
        "gemini_contents",
        "chat",
        {
            "contents": [
                {"role": "user", "parts": [{"text": "a "}, {"text": "b"}]},
                {"role": "model", "parts": [{"text": "c"}]},
            ]
        },
        {"messages": [{"author": "user", "content": "a b"}, {"author": "assistant", "content": "c"}]},
        Loss("parts_joined"),
    ),
]


@pytest.mark.parametrize(("source", "target", "row", "expected", "loss"), LOST)
def test_what_is_lost_is_said_with_count_and_first_line(
    source: Format, target: Format, row: Row, expected: Row, loss: Loss
) -> None:
    """Of each kind of loss the number of rows and the first line are told."""
    written, _, result = convert(b"\n" + lines(row, row), source, target)
    assert written == [expected, expected]
    assert {kind: tuple(tally) for kind, tally in result.lost.items()} == {loss: (2, 2)}
    assert result.blank == 1


def _with_part(part: Row) -> Row:
    return {"contents": [{"role": "user", "parts": [part]}, {"role": "model", "parts": [{"text": "a"}]}]}


REJECTED: list[tuple[Format, Format, bytes, str]] = [
    ("text", "completion", b'{"input_text": "q"', "middle of its object"),
    (
        "gemini_contents",
        "text",
        lines(_with_part({"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}})),
        "picture",
    ),
    ("gemini_contents", "open_chat", lines(GEMINI_CALLS), "calls a function"),
    ("chat", "text", lines({"messages": [{"author": a, "content": a} for a in ("user", "assistant") * 2]}), "3 turns"),
]


@pytest.mark.parametrize(("source", "target", "bad", "reason"), REJECTED)
def test_a_row_without_a_form_there_is_set_aside(source: Format, target: Format, bad: bytes, reason: str) -> None:
    """A rejected row is written with its line, its bytes and the reason, and the others are converted."""
    good = {
        "text": {"input_text": "q", "output_text": "a"},
        "gemini_contents": _with_part({"text": "q"}),
        "chat": {"messages": [{"author": "user", "content": "q"}, {"author": "assistant", "content": "a"}]},
    }[source]
    written, (entry,), _ = convert(lines(good) + bad.strip() + b"\n" + lines(good), source, target)
    assert len(written) == 2
    assert entry["line"] == 2
    assert entry["offset"] == len(lines(good))
    assert entry["raw"].encode() == bad.strip()
    assert reason in entry["reasons"][0]


def test_images_within_rows_carry_over() -> None:
    """An image as base64 is `inlineData` at Gemini and a data URL at OpenAI."""
    row = _with_part({"inlineData": {"mimeType": "image/png", "data": "aGk="}})
    (openai,), _, _ = convert(lines(row), "gemini_contents", "openai_chat")
    url = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    assert openai["messages"][0] == {"role": "user", "content": [url]}
    assert convert(lines(openai), "openai_chat", "gemini_contents")[0] == [row]


@pytest.mark.parametrize(
    ("word", "source", "expected"),
    [
        ("gemini", "text", "gemini_contents"),
        ("gemini", "preference", "gemini_preference"),
        ("gemini", "prompts", "gemini_prompts"),
        ("openai", "chat", "openai_chat"),
        ("openai", "gemini_preference", "openai_preference"),
        ("open", "text", "open_chat"),
        ("Gemini-Messages", "text", "gemini_messages"),
        ("gemini_messages", "text", "gemini_messages"),
        ("parquet", "text", None),
    ],
)
def test_words_name_formats(word: str, source: Format, expected: str | None) -> None:
    """A family's word means its format that says as much as the rows; other words are names of formats."""
    assert target_named(word, source) == expected


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("prompts", "text"),
        ("text", "preference"),
        ("embedding_text", "text"),
        ("text", "reinforcement"),
        ("text", "text"),
    ],
)
def test_pairs_without_common_meaning_are_refused_by_name(source: Format, target: Format) -> None:
    """No conversion adds what a row does not say, and the reason has words."""
    assert (source, target) not in CONVERSIONS
    assert why_not(source, target)


def test_every_format_with_a_codec_exists() -> None:
    """The table names formats that are there, and leads to and from each of them that others can be written as."""
    assert CODECS.keys() <= FORMATS.keys()
    assert ROWS.keys() == CODECS.keys()
    assert all(targets_of(source) for source in CODECS)


def test_large_files_are_converted_block_by_block() -> None:
    """Rows keep their order and their number over the borders of blocks."""
    rows = [{"input_text": f"q{n}", "output_text": "ö" * (n % 50 + 1)} for n in range(20_000)]
    written, rejected, _ = convert(lines(*rows), "text", "chat")
    assert [row["messages"][0]["content"] for row in written] == [row["input_text"] for row in rows]
    assert not rejected
