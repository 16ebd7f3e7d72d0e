"""The ids of an embedding data set, gathered from its corpus, queries and labels while these are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import msgspec

from ..events import Role
from .blocks import blocks
from .findings import Findings
from .formats import detect
from .ids import Ids
from .judging import UNDECODABLE
from .labels import BOM, Labels, check_counts, check_ids, check_repeated, scan_labels
from .scan import Scan


def holds_rows(stream: BinaryIO) -> bool:
    """Whether a file begins with a row of some format, so that it is no table of labels whatever its name says."""
    first = next(blocks(stream), None)
    if first is None or first.huge:
        return False
    try:
        row = msgspec.json.decode(first.data.removeprefix(BOM).lstrip().partition(b"\n")[0])
    except UNDECODABLE:
        return False
    return isinstance(row, dict) and detect(row) is not None


class Taker:
    """Takes the ids of the rows of one file, given with their lines."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    def rows(self, rows: Sequence[Any], lines: Sequence[int]) -> None:
        """Those of right rows."""
        self._ids.extend(zip((getattr(row, "id", "") for row in rows), lines, strict=True))

    def faulty(self, row: Mapping[str, Any], line: int) -> None:
        """That of a row with a fault, which labels may name all the same; of an id that is a number, its digits."""
        identity = row.get("_id")
        if type(identity) in (str, int) and str(identity).strip():
            self._ids.add(str(identity), line)


class EmbeddingIds:
    """What the files of one data set name."""

    def __init__(self) -> None:
        self._ids: dict[Role, Ids] = {}
        self._labels: list[Labels] = []

    def taker(self, role: Role, file: str) -> Taker | None:
        """What takes the ids of a file's rows; None for files that are no texts to embed."""
        if role not in ("corpus", "queries"):
            return None
        self._ids[role] = Ids(file)
        return Taker(self._ids[role])

    def scan_labels(self, stream: BinaryIO, file: str, findings: Findings) -> Scan:
        """Read a file of labels, in the terms of any other file."""
        labels = scan_labels(stream, file, findings)
        self._labels.append(labels)
        return Scan.of_labels(file, labels.lines, labels.rows)

    def check(self, findings: Findings, *, line_only: bool) -> None:
        """Ids that are repeated or unknown, and, unless `line_only`, too few or too many of them."""
        corpus, queries = self._ids.get("corpus"), self._ids.get("queries")
        for ids in (corpus, queries):
            if ids is not None:
                check_repeated(ids, findings)
        if corpus is None or queries is None or not self._labels:
            return
        check_ids(self._labels, corpus, queries, findings)
        if not line_only:
            check_counts(self._labels, corpus, queries, findings)
