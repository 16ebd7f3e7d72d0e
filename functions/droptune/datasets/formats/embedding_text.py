"""Texts that an embedding model is tuned on, corpus and queries: ``{"_id": "…", "title"?: "…", "text": "…"}``.

Source: "Tune text embeddings", Vertex AI documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from ..bulk import lengths
from ..rowformat import Batch, Example, Problem, RowFormat
from .columns import blank_rows
from .fields import excerpt, shown, text_field, unknown_fields

FIELDS = frozenset({"_id", "title", "text"})


class Row(msgspec.Struct, frozen=True, gc=False):
    """`title` is often there and empty, which is the same as none."""

    id: str = msgspec.field(name="_id")
    text: str
    title: str | msgspec.UnsetType = msgspec.UNSET


def _measure(rows: Sequence[Row]) -> Batch | list[int]:
    ids, texts = [row.id for row in rows], [row.text for row in rows]
    if blank := blank_rows(ids, texts):
        return blank
    sizes, nothing = lengths(texts), np.zeros(len(rows), np.int32)
    titles = [row.title for row in rows if not isinstance(row.title, msgspec.UnsetType)]
    if not titles:
        return Batch(2, texts, sizes, nothing, {"text": sizes})
    titled = np.fromiter((row.title is not msgspec.UNSET for row in rows), np.int32, len(rows))
    whole = sizes + np.fromiter((len(row.title or "") for row in rows), np.int32, len(rows))
    return Batch(2 + titled, texts, whole, nothing, {"text": sizes, "title": lengths(titles)})


def _problems(row: Mapping[str, Any]) -> Iterator[Problem]:
    yield from text_field(row, "_id", "", "EMBED-MISSING-ID", "EMBED-ID-TYPE", "EMBED-EMPTY-ID")
    yield from text_field(row, "text", "", "EMBED-MISSING-TEXT", "EMBED-TEXT-TYPE", "EMBED-EMPTY-TEXT")
    if not isinstance(row.get("title", ""), str):
        yield Problem("EMBED-TITLE-TYPE", "/title", {"found": shown(row["title"])}, excerpt(row["title"]))
    yield from unknown_fields(row, FIELDS, "", "EMBED-UNKNOWN-FIELD")


EMBEDDING_TEXT = RowFormat(
    name="embedding_text",
    row=Row,
    measure=_measure,
    problems=_problems,
    example=lambda row: Example(f"{row.title}\n{row.text}" if row.title else row.text, ""),
    has_answer=False,
)
