"""What `droptune convert` writes is what `droptune check` takes it for; one function tells every command the format."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_rows import judge
from test_intake_convert import ROWS, convert, lines

from droptune.datasets.check import Options
from droptune.datasets.convert import CONVERSIONS
from droptune.datasets.formats import AWAITING_ROWS, SAMPLED_LINES, commonest_format, detect
from droptune.datasets.judging import format_of
from droptune.datasets.repair import fix_stream
from droptune.datasets.rules import rule
from droptune.datasets.setaside import SetAside
from droptune.events import Format

Row = dict[str, Any]
LINES = Options(line_only=True, content=False)
# Formats whose plain rows are also rows of another one, which is what they are taken for then.
ALSO: dict[Format, set[Format]] = {"openai_chat": {"open_chat"}}

ASKED: Row = {"messages": [{"role": role, "content": role} for role in ("system", "user", "assistant", "user")]}
ANSWERED: Row = {"messages": [*ASKED["messages"], {"role": "assistant", "content": "a"}]}
TOOLS: Row = {
    **ANSWERED,
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
}


def errors_in(data: bytes) -> set[str]:
    """The codes of errors in a training file of these lines."""
    return {code for code in judge(data, options=LINES).findings.by_code if rule(code).severity == "error"}


@pytest.mark.parametrize(("source", "target"), sorted(CONVERSIONS))
def test_what_is_written_is_judged_right(source: Format, target: Format) -> None:
    """Whatever the pair, the file is of the format that was asked for, and nothing in it is an error."""

    @settings(max_examples=4, deadline=None)
    @given(st.lists(ROWS[source], min_size=1, max_size=3))
    def none_is_refused(rows: list[Row]) -> None:
        written, _, _ = convert(lines(*rows), source, target)
        if written:
            data = lines(*written) * AWAITING_ROWS
            assert judge(data, options=LINES).scans["train"].known in {target, *ALSO.get(target, ())}
            assert not errors_in(data)

    none_is_refused()


def test_chats_that_end_with_the_user_are_prompts() -> None:
    """Chats of several turns that await their answers are for distillation; one among chats lacks its answer."""
    assert (detect(ASKED), detect(ANSWERED), detect(TOOLS)) == ("open_chat", "open_chat", "openai_chat")
    assert errors_in(lines(ASKED)) == {"OPEN-LAST-TURN"}  # one alone is more likely a mistake
    asked = judge(lines(*[ASKED] * 40), options=LINES)
    assert (asked.purpose.format, asked.purpose.method) == ("open_prompts", "distill")
    assert not errors_in(lines(*[ASKED] * 40))
    assert errors_in(lines(*[ANSWERED] * 30, ASKED)) == {"OPEN-LAST-TURN"}
    assert errors_in(lines(*[ASKED] * 30, ANSWERED)) == {"OPEN-PROMPT-LAST-TURN"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([ANSWERED] * 19 + [TOOLS], "openai_chat"),
        ([TOOLS] + [ANSWERED] * 19, "openai_chat"),
        ([ANSWERED] * 3 + [ASKED] * 2, "open_chat"),
        ([{"input_text": "q", "output_text": "a"}] * 2 + [ANSWERED] * 3, "open_chat"),
        ([{"id": 1}] * (SAMPLED_LINES + 5) + [ANSWERED] * 3, "open_chat"),
        ([{"id": 1}], None),
    ],
)
def test_every_command_takes_a_file_for_the_same(rows: list[Row], expected: Format | None) -> None:
    """check, fix, convert and split have the format of a file from one rule, wherever the rows that tell it stand."""
    data = lines(*rows)
    name = None if (fmt := commonest_format(rows)) is None else fmt.name
    of_file = None if (fmt := format_of(io.BytesIO(data))) is None else fmt.name
    fixed = fix_stream(lambda: io.BytesIO(data), io.BytesIO(), SetAside(io.BytesIO)).format
    assert {name, of_file, fixed, judge(data, options=LINES).scans["train"].known} == {expected}


def test_broken_lines_do_not_change_the_format() -> None:
    """Lines that are no JSON stand for nothing, to check as to the other commands."""
    data = lines(ANSWERED) + b"{broken\n[]\n" * SAMPLED_LINES + lines(*[{"input_text": "q", "output_text": "a"}] * 9)
    fmt = format_of(io.BytesIO(data))
    assert fmt is not None
    assert fmt.name == judge(data, options=LINES).scans["train"].known == "open_chat"
    assert json.loads(data.partition(b"\n")[0]) == ANSWERED
