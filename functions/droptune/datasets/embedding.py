"""The ids of an embedding data set, gathered from its corpus, queries and labels while these are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, BinaryIO

from ..events import Role
from .findings import Findings
from .ids import Ids
from .labels import Labels, check_counts, check_ids, check_repeated, scan_labels
from .scan import Scan

EachBatch = Callable[[Sequence[Any], Sequence[int]], None]


class EmbeddingIds:
    """What the files of one data set name."""

    def __init__(self) -> None:
        self._ids: dict[Role, Ids] = {}
        self._labels: list[Labels] = []

    def taker(self, role: Role, file: str) -> EachBatch | None:
        """What takes the ids of rows, given with their lines; None for files that are no texts to embed."""
        if role not in ("corpus", "queries"):
            return None
        self._ids[role] = Ids(file)
        return partial(_take, self._ids[role])

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


def _take(ids: Ids, rows: Sequence[Any], lines: Sequence[int]) -> None:
    ids.extend(zip((getattr(row, "id", "") for row in rows), lines, strict=True))
