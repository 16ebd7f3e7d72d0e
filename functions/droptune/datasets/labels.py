"""The labels of an embedding data set: a table, separated by tabs, of which query finds which text, and how well.

Source: "Tune text embeddings", Vertex AI documentation.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

import numpy as np

from .blocks import blocks, lines_of
from .findings import Findings
from .formats.fields import excerpt
from .ids import Ids, repeats
from .rowformat import Values

QUERY, CORPUS, SCORE = COLUMNS = ("query-id", "corpus-id", "score")
SEPARATORS = ("\t", ",", ";", " ")
JSON = ("{", "[")  # what rows of a data set begin with, and no id
BOM = b"\xef\xbb\xbf"
HIGHEST_SCORE = 2**31 - 1  # what is kept of a score; only whether two differ is asked

LEAST_QUERIES_OF_FILE = 3
LEAST_QUERIES = 9
MOST_LABELS = 499_999
LEAST_TEXTS = 9
MOST_CORPUS = 500_000
MOST_QUERIES = 10_000


@dataclass
class Labels:
    """What a file of labels says: its columns, as far as they are kept, its rows, and its physical lines."""

    file: str
    queries: Ids
    corpus: Ids
    scores: array[int] = field(default_factory=lambda: array("i"))
    rows: int = 0
    lines: int = 0


class _Layout(NamedTuple):
    """Where the columns are; `score` is -1 where there is none."""

    separator: str
    query: int
    corpus: int
    score: int
    width: int


def scan_labels(stream: BinaryIO, file: str, findings: Findings) -> Labels:
    """Read a file of labels once, in bounded memory, and report everything wrong within it."""
    scan = _Scan(Labels(file, Ids(file), Ids(file)), findings)
    for block in blocks(stream):
        if block.huge:
            scan.huge(block.first_line, block.offset)
            continue
        for number, offset, line in lines_of(block):
            scan.line(line, number, offset)
    scan.end()
    return scan.labels


class _Scan:
    def __init__(self, labels: Labels, findings: Findings) -> None:
        self.labels = labels
        self._findings = findings
        self._layout: _Layout | None = None
        self._headed = False
        self._first_crlf: tuple[int, int] | None = None  # line and offset
        self._crlf = 0

    def huge(self, number: int, offset: int) -> None:
        """A line that is too long to be one of a table."""
        self.labels.lines += 1
        self._findings.add("LABELS-LINE-TOO-LONG", file=self.labels.file, line=number, offset=offset)

    def line(self, line: bytes, number: int, offset: int) -> None:
        """One line without its line feed."""
        self.labels.lines += 1
        if line.endswith(b"\r"):
            line = line[:-1]
            self._first_crlf = self._first_crlf or (number, offset)
            self._crlf += 1
        if number == 1 and line.startswith(BOM):
            self._add("LABELS-BOM", number, offset)
            line = line[len(BOM) :]
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            values: Values = {"found": f"0x{line[error.start]:02X}", "position": error.start + 1}
            self._findings.add("LABELS-ENCODING", values, file=self.labels.file, line=number, offset=offset)
            text = line.decode("utf-8", "replace")
        if not text.strip():
            self._add("LABELS-BLANK-LINE", number, offset)
        elif self._headed:
            self._row(text, number, offset)
        else:
            self._headed = True
            self._header(text, number, offset)

    def end(self) -> None:
        """What shows only when all lines were read."""
        labels = self.labels
        if self._first_crlf:
            line, offset = self._first_crlf
            self._findings.add("LABELS-CRLF", file=labels.file, line=line, offset=offset, times=self._crlf)
        if not labels.rows:
            self._findings.add("LABELS-EMPTY", {"found": labels.lines}, file=labels.file)
        if not (labels.queries.complete and labels.corpus.complete):
            self._findings.add("LABELS-PARTLY", {"found": len(labels.scores)}, file=labels.file)
        if labels.scores and not any(labels.scores):
            self._findings.add("LABELS-ALL-ZERO", {"found": labels.rows}, file=labels.file)
        # 31 keeps a pair apart from its reverse; both are hashes already.
        kept = len(labels.scores)
        pairs = labels.queries.hashes()[:kept] * np.int64(31) ^ labels.corpus.hashes()[:kept]
        for first, again in repeats(pairs):
            for at in again:
                self._repeated(first, at)

    def _repeated(self, first: int, at: int) -> None:
        labels = self.labels
        same = labels.scores[first] == labels.scores[at]
        values: dict[str, str | int | float] = {
            "found": labels.queries.id(at),
            "corpus": labels.corpus.id(at),
            "first": labels.queries.line(first),
        }
        if not same:
            values |= {"score": labels.scores[at], "first_score": labels.scores[first]}
        code = "LABELS-DUPLICATE" if same else "LABELS-SCORES-DIFFER"
        self._findings.add(code, values, file=labels.file, line=labels.queries.line(at))

    def _header(self, text: str, number: int, offset: int) -> None:
        """The columns as the first line names them or, when it is no header, in their usual order.

        None where the file is no table at all: its lines are then counted only.
        """
        if text.lstrip().startswith(JSON):
            self._findings.add("LABELS-JSON", file=self.labels.file, line=number, offset=offset, text=text)
            self._row(text, number, offset)
            return
        for separator in SEPARATORS:
            cells = text.split(separator)
            names = [cell.strip().lower().replace("_", "-") for cell in cells]
            if QUERY in names or CORPUS in names:
                break
        else:
            self._add("LABELS-MISSING-HEADER", number, offset, text)
            separator = next((each for each in SEPARATORS if len(text.split(each)) in (2, 3)), "\t")
            self._separated(separator, number, offset)
            self._layout = _Layout(separator, 0, 1, 2, 3)
            self._row(text, number, offset)
            return
        self._separated(separator, number, offset)
        for name, cell in zip(names, cells, strict=True):
            if name not in COLUMNS:
                self._add("LABELS-UNKNOWN-COLUMN", number, offset, cell)
            elif name != cell:
                self._findings.add(
                    "LABELS-COLUMN-NAME",
                    {"found": cell, "field": name},
                    file=self.labels.file,
                    line=number,
                    offset=offset,
                )
        for name in COLUMNS:
            if names.count(name) > 1:
                self._add("LABELS-COLUMN-TWICE", number, offset, name)
        missing = [name for name in (QUERY, CORPUS) if name not in names]
        for name in missing:
            self._add("LABELS-MISSING-COLUMN", number, offset, name)
        if not missing:
            score = names.index(SCORE) if SCORE in names else -1
            self._layout = _Layout(separator, names.index(QUERY), names.index(CORPUS), score, len(names))

    def _separated(self, separator: str, number: int, offset: int) -> None:
        if separator != "\t":
            self._add("LABELS-SEPARATOR", number, offset, separator)

    def _row(self, text: str, number: int, offset: int) -> None:
        labels, layout = self.labels, self._layout
        labels.rows += 1
        if layout is None:
            return
        cells = text.split(layout.separator)
        if len(cells) > layout.width:
            self._columns("LABELS-CELLS-MANY", cells, layout, number, offset)
            return
        if len(cells) <= max(layout.query, layout.corpus):
            self._columns("LABELS-CELLS-FEW", cells, layout, number, offset)
            return
        query, corpus = cells[layout.query], cells[layout.corpus]
        for name, identity in ((QUERY, query), (CORPUS, corpus)):
            if not identity.strip():
                self._add("LABELS-EMPTY-ID", number, offset, name)
        score = self._score(cells[layout.score], number, offset) if 0 <= layout.score < len(cells) else 1
        if query.strip() and corpus.strip():
            labels.queries.add(query, number)
            labels.corpus.add(corpus, number)
            if len(labels.scores) < min(labels.queries.kept, labels.corpus.kept):
                labels.scores.append(min(score, HIGHEST_SCORE))

    def _score(self, cell: str, number: int, offset: int) -> int:
        """The score in a cell; 1 when it is empty, or no score."""
        digits = cell.strip()
        if not digits:
            return 1
        if digits.isascii() and digits.isdigit():
            return int(digits[:20])
        negative = digits[0] == "-" and digits[1:].isascii() and digits[1:].isdigit()
        self._add("LABELS-SCORE-NEGATIVE" if negative else "LABELS-SCORE-TYPE", number, offset, cell)
        return 1

    def _columns(self, code: str, cells: Sequence[str], layout: _Layout, number: int, offset: int) -> None:
        values = {"found": len(cells), "width": layout.width}
        self._findings.add(code, values, file=self.labels.file, line=number, offset=offset, text="\t".join(cells))

    def _add(self, code: str, number: int, offset: int, found: str = "") -> None:
        values = {"found": excerpt(found)} if found else None
        self._findings.add(code, values, file=self.labels.file, line=number, offset=offset)


def check_repeated(ids: Ids, findings: Findings) -> None:
    """Ids that two rows of a file have."""
    for place, line in ids.repeated():
        values: Values = {"found": place.id, "first": place.line, "rows": place.times}
        findings.add("EMBED-DUPLICATE-ID", values, file=ids.file, line=line, times=place.times - 1)


def check_ids(labels: Sequence[Labels], corpus_ids: Ids, query_ids: Ids, findings: Findings) -> None:
    """Ids in labels that no row has, and queries that no label names."""
    for one in labels:
        for code, named, ids in (
            ("LABELS-UNKNOWN-QUERY", one.queries, query_ids),
            ("LABELS-UNKNOWN-CORPUS", one.corpus, corpus_ids),
        ):
            if ids.complete:
                _check_known(code, named, ids, findings)
    if labels and query_ids.complete and all(one.queries.complete for one in labels):
        labelled = np.concatenate([one.queries.hashes() for one in labels])
        unused = int(np.count_nonzero(~np.isin(query_ids.hashes(), labelled)))
        if unused and len(labelled):
            findings.add("EMBED-QUERIES-UNUSED", {"found": unused, "rows": query_ids.count}, file=query_ids.file)


def _check_known(code: str, named: Ids, ids: Ids, findings: Findings) -> None:
    for place in named.not_in(ids):
        values: Values = {"found": place.id, "rows": place.times, "other": ids.file}
        findings.add(code, values, file=named.file, line=place.line, times=place.times)


def check_counts(labels: Sequence[Labels], corpus_ids: Ids, query_ids: Ids, findings: Findings) -> None:
    """The numbers of labels, of queries that they name, and of texts, against what the service takes."""
    for one in labels:
        distinct = one.queries.distinct()
        if one.queries.count and distinct < LEAST_QUERIES_OF_FILE:
            values = {"found": distinct, "least": LEAST_QUERIES_OF_FILE}
            findings.add("LABELS-QUERIES-FEW", values, file=one.file)
        if one.rows > MOST_LABELS:
            findings.add("LABELS-TOO-MANY", {"found": one.rows, "most": MOST_LABELS}, file=one.file)
    together = len(np.unique(np.concatenate([one.queries.hashes() for one in labels]))) if labels else 0
    if 0 < together < LEAST_QUERIES:
        findings.add("LABELS-QUERIES-FEW", {"found": together, "least": LEAST_QUERIES})
    for ids, most in ((corpus_ids, MOST_CORPUS), (query_ids, MOST_QUERIES)):
        if ids.count < LEAST_TEXTS:
            findings.add("EMBED-ROWS-FEW", {"found": ids.count, "least": LEAST_TEXTS}, file=ids.file)
        elif ids.count > most:
            findings.add("EMBED-ROWS-MANY", {"found": ids.count, "most": most}, file=ids.file)
