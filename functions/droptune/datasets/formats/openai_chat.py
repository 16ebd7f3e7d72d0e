"""OpenAI's rows for supervised fine-tuning: ``{"messages": [{"role": …, "content": …}, …], "tools"?: […]}``.

Source: "Supervised fine-tuning", OpenAI documentation, and its reference of the training file for chat models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ..rowformat import Batch, Example, Problem, RowFormat
from .fields import unknown_fields
from .openai_messages import messages_problems
from .openai_tools import tools_problems
from .openai_turns import Turn, measure_turns, plain, role_of, said_by

FIELDS = frozenset({"messages", "tools", "functions", "parallel_tool_calls"})


class Row(msgspec.Struct, frozen=True):
    messages: list[Turn]
    tools: Any = msgspec.UNSET
    functions: Any = msgspec.UNSET
    parallel_tool_calls: Any = msgspec.UNSET


def _measure(rows: Sequence[Row]) -> Batch | list[int]:
    """Rows of texts alone; those with tools, weights and the like need a closer look."""
    batch = measure_turns([row.messages for row in rows], "assistant")
    doubtful = [at for at, row in enumerate(rows) if not _plain(row)]
    if isinstance(batch, Batch):
        return doubtful or batch
    return sorted({*batch, *doubtful})


def _plain(row: Row) -> bool:
    return row.tools is row.functions is row.parallel_tool_calls is msgspec.UNSET and plain(row.messages)


def _problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from messages_problems(row, "", frozenset({"assistant"}), "OPENAI-LAST-TURN")
    yield from tools_problems(row, "")
    turns = row.get("messages")
    answers = [turn for turn in turns if role_of(turn) == "assistant"] if isinstance(turns, list) else []
    weights = [turn.get("weight") for turn in answers]
    if weights and all(weight == 0 and weight is not False for weight in weights):
        yield Problem("OPENAI-WEIGHTS-ZERO", "/messages", {"found": len(weights)})
    yield from unknown_fields(row, FIELDS, "", "OPENAI-UNKNOWN-FIELD")


def _example(row: Row) -> Example:
    return Example("\n".join(map(said_by, row.messages[:-1])), said_by(row.messages[-1]))


OPENAI_CHAT = RowFormat(
    name="openai_chat",
    row=Row,
    measure=_measure,
    problems=_problems,
    example=_example,
    incomplete=frozenset({"open_chat", "open_prompts"}),
)
