"""OpenAI's rows for preference tuning: an input, the output that is preferred and the one that is not.

``{"input": {"messages": […], "tools"?: […]}, "preferred_output": [turn], "non_preferred_output": [turn]}``
Source: "Direct preference optimization", OpenAI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from ..bulk import lengths
from ..rowformat import Batch, Example, Problem, RowFormat
from .fields import excerpt, fields_of, shown, unknown_fields
from .openai_messages import messages_problems
from .openai_tools import tools_problems
from .openai_turns import Turn, measure_turns, plain, role_of, said_by, texts_of, turn_problems

OUTPUTS = ("preferred_output", "non_preferred_output")
FIELDS = frozenset({"input", *OUTPUTS})
INPUT_FIELDS = frozenset({"messages", "tools", "parallel_tool_calls"})
LAST = frozenset({"user", "tool", "function"})


class Input(msgspec.Struct, frozen=True):
    messages: list[Turn]
    tools: Any = msgspec.UNSET
    parallel_tool_calls: Any = msgspec.UNSET


class Row(msgspec.Struct, frozen=True):
    input: Input
    preferred_output: list[Turn]
    non_preferred_output: list[Turn]


def _measure(rows: Sequence[Row]) -> Batch | list[int]:
    """Rows of texts alone whose two outputs differ; the others need a closer look."""
    doubtful = [at for at, row in enumerate(rows) if not _plain(row)]
    batch = measure_turns([row.input.messages for row in rows], "user")
    if doubtful or not isinstance(batch, Batch):
        return sorted({*doubtful, *(batch if isinstance(batch, list) else ())})
    preferred, other = (lengths(texts_of(map(attrgetter(field), rows))) for field in OUTPUTS)
    return batch._replace(
        keys=batch.keys + 7,  # `input`, two outputs, and in each of them a turn of `role` and `content`
        answer=preferred + other,
        fields={**batch.fields, OUTPUTS[0]: preferred, OUTPUTS[1]: other},
        choices=np.zeros(len(rows), np.uint8),
    )


def _plain(row: Row) -> bool:
    given, outputs = row.input, [*row.preferred_output, *row.non_preferred_output]
    if not (given.tools is given.parallel_tool_calls is msgspec.UNSET and plain([*given.messages, *outputs])):
        return False
    if not len(row.preferred_output) == len(row.non_preferred_output) == 1:
        return False
    first, second = outputs
    says = all(turn.role == "assistant" and isinstance(turn.content, str) and turn.content.strip() for turn in outputs)
    return says and first.content != second.content


def _problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    if "input" not in row:
        yield Problem("OPREF-MISSING-INPUT", "", {"field": "input", "found": fields_of(row)})
    elif not isinstance(row["input"], dict):
        yield Problem("OPREF-INPUT-TYPE", "/input", {"found": shown(row["input"])}, excerpt(row["input"]))
    else:
        yield from messages_problems(row["input"], "/input", LAST, "OPREF-INPUT-LAST-TURN")
        yield from tools_problems(row["input"], "/input")
        yield from unknown_fields(row["input"], INPUT_FIELDS, "/input", "OPREF-UNKNOWN-FIELD")
    for field in OUTPUTS:
        yield from _output(row, field)
    if isinstance(row.get(OUTPUTS[0]), list) and row[OUTPUTS[0]] and row[OUTPUTS[0]] == row.get(OUTPUTS[1]):
        yield Problem("OPREF-SAME-OUTPUTS", f"/{OUTPUTS[1]}", {"found": shown(row[OUTPUTS[1]])})
    yield from unknown_fields(row, FIELDS, "", "OPREF-UNKNOWN-FIELD")


def _output(row: Mapping[str, Any], field: str) -> Iterator[Problem]:
    if field not in row:
        yield Problem("OPREF-MISSING-OUTPUT", "", {"field": field, "found": fields_of(row)})
        return
    turns, at = row[field], f"/{field}"
    if not isinstance(turns, list):
        yield Problem("OPREF-OUTPUT-TYPE", at, {"field": field, "found": shown(turns)}, excerpt(turns))
        return
    if len(turns) != 1:
        yield Problem("OPREF-OUTPUT-COUNT", at, {"field": field, "found": len(turns)})
    for index, turn in enumerate(turns):
        yield from turn_problems(turn, f"{at}/{index}", index + 1)
        role = role_of(turn)
        if role is not None and role != "assistant":
            yield Problem("OPREF-OUTPUT-ROLE", f"{at}/{index}/role", {"field": field, "found": role})


def _example(row: Row) -> Example:
    outputs = [*row.preferred_output, *row.non_preferred_output]
    return Example("\n".join(map(said_by, row.input.messages)), "\n".join(map(said_by, outputs)))


OPENAI_PREFERENCE = RowFormat(
    name="openai_preference",
    row=Row,
    measure=_measure,
    problems=_problems,
    example=_example,
    one_answer_per_prompt=False,
)
