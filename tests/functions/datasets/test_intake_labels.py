"""Labels of embedding data sets: the table that is read, what is wrong within it, and the ids it names."""

from __future__ import annotations

import io
import tracemalloc
from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from droptune.datasets.embedding import holds_rows
from droptune.datasets.findings import Findings
from droptune.datasets.ids import Ids
from droptune.datasets.labels import Labels, check_counts, check_ids, check_repeated, scan_labels
from droptune.datasets.rules import LANGUAGES, kinds, read_yaml, rule

HEADER = "query-id\tcorpus-id\tscore\n"
RULES = {code: rule(code) for code in read_yaml("embedding")}
TABLES = [
    code for code in RULES if code.startswith("LABELS-") and "\t" in rule(code).right and "\n" in rule(code).wrong
]


def ids(file: str, *named: str) -> Ids:
    made = Ids(file)
    made.extend((name, line) for line, name in enumerate(named, start=1))
    return made


def texts(letter: str, count: int) -> Ids:
    return ids(f"{letter}.jsonl", *(f"{letter}{n}" for n in range(1, count + 1)))


def scanned(table: str | bytes) -> tuple[Labels, Findings]:
    findings = Findings()
    data = table if isinstance(table, bytes) else table.encode()
    return scan_labels(io.BytesIO(data), "labels.tsv", findings), findings


def found(table: str | bytes) -> set[str]:
    """The codes of everything wrong with a table whose corpus has d1 to d3 and whose queries are q1 to q3."""
    labels, findings = scanned(table)
    check_ids([labels], texts("d", 3), texts("q", 3), findings)
    if len(labels.queries.hashes()):
        check_counts([labels], texts("d", 9), texts("q", 9), findings)
    return set(findings.by_code)


def places(findings: Findings) -> list[tuple[str, int | None]]:
    return [(each.code, each.line) for each in findings.listed()]


@pytest.mark.parametrize("code", TABLES)
def test_an_example_has_the_fault_of_its_rule(code: str) -> None:
    """The wrong table breaks its rule, in words that can be said, and the right one breaks no rule but on counts."""
    assert code in found(RULES[code].wrong)
    assert found(RULES[code].right) <= {"LABELS-QUERIES-FEW"}
    assert RULES[code].kind in kinds()
    labels, findings = scanned(RULES[code].wrong)
    check_ids([labels], texts("d", 3), texts("q", 3), findings)
    for language in LANGUAGES:
        assert not any("{" in f"{each.message}{each.fix}{each.allowed}" for each in findings.listed(language))


@pytest.mark.parametrize("first", ['{"input_text": "a", "output_text": "b"}', "[", "{", ' {"query-id": "q1"}'])
def test_json_is_no_table(first: str) -> None:
    """That is said once, at its first line, and nothing is said of its lines or of ids that they do not name."""
    labels, findings = scanned(f"{first}\n" + '{"input_text": "c", "output_text": "d"}\n' * 3)
    check_ids([labels], texts("d", 3), texts("q", 3), findings)
    assert places(findings) == [("LABELS-JSON", 1)]
    assert (labels.rows, labels.lines) == (4, 4)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'\n\xef\xbb\xbf{"input_text": "a", "output_text": "b"}\n', False),
        (b'\xef\xbb\xbf \n{"input_text": "a", "output_text": "b"}\n', True),
        (b'{"_id": "d1", "text": "a"}\r\n', True),
        (b'{"query-id": "q1", "corpus-id": "d1", "score": 1}\n', False),
        (b"query-id\tcorpus-id\n", False),
        (b"[1]\n", False),
        (b"{\n", False),
        (b"\xff\xfe{\n", False),
        (b" \n", False),
        (b"", False),
    ],
)
def test_rows_are_no_labels_whatever_the_name(data: bytes, rows: bool) -> None:
    """A file that begins with a row of a known format is one of rows."""
    assert holds_rows(io.BytesIO(data)) is rows


def test_a_table_without_fault_is_counted() -> None:
    """Rows, lines and the columns of a right table are known, and nothing is found."""
    labels, findings = scanned(HEADER + "q1\td1\t1\nq1\td2\t0\nq2\td2\t7")
    assert (labels.rows, labels.lines) == (3, 4)
    assert [labels.queries.id(at) for at in range(3)] == ["q1", "q1", "q2"]
    assert [labels.corpus.line(at) for at in range(3)] == [2, 3, 4]
    assert list(labels.scores) == [1, 0, 7]
    assert not findings.by_code


@pytest.mark.parametrize("table", ["query-id\tcorpus-id\nq1\td1\n", HEADER + "q1\td1\n", HEADER + "q1\td1\t\n"])
def test_a_score_is_one_where_none_is_given(table: str) -> None:
    """The column, its cell or its content may be left out."""
    labels, findings = scanned(table)
    assert list(labels.scores) == [1]
    assert not findings.by_code


def test_columns_may_stand_in_any_order() -> None:
    """The header says which column is which."""
    labels, findings = scanned("score\tcorpus-id\tquery-id\n2\td1\tq1\n")
    assert (labels.queries.id(0), labels.corpus.id(0), list(labels.scores)) == ("q1", "d1", [2])
    assert not findings.by_code


def test_labels_without_a_header_are_read_all_the_same() -> None:
    """Of such a table the first line is a label, and later faults are found too."""
    labels, findings = scanned("q1\td1\t1\nq2\td2\tx\n")
    assert labels.rows == 2
    assert places(findings) == [("LABELS-MISSING-HEADER", 1), ("LABELS-SCORE-TYPE", 2)]


def test_every_fault_of_a_table_is_found_in_one_pass() -> None:
    """Each fault is told with its line and the line's first byte; a fault hides no other."""
    table = b"\xef\xbb\xbf" + HEADER.encode().replace(b"\n", b"\r\n")
    table += b"q1\td1\t1\n\nq2\nq3\td3\t-4\n\td1\t1\nq\xe9\td1\t1\na\tb\tc\td\nq1\td1\t1\n"
    _, findings = scanned(table)
    assert Counter(places(findings)) == Counter(
        [
            ("LABELS-CELLS-FEW", 4),
            ("LABELS-SCORE-NEGATIVE", 5),
            ("LABELS-EMPTY-ID", 6),
            ("LABELS-ENCODING", 7),
            ("LABELS-CELLS-MANY", 8),
            ("LABELS-BOM", 1),
            ("LABELS-CRLF", 1),
            ("LABELS-BLANK-LINE", 3),
            ("LABELS-DUPLICATE", 9),
        ]
    )
    for each in findings.listed():
        assert each.offset is None or each.offset == 0 or table[each.offset - 1 : each.offset] == b"\n"


@pytest.mark.parametrize("table", ["", "\n\n", HEADER])
def test_a_file_without_labels_is_empty(table: str) -> None:
    """No bytes, no text and no lines after the header all mean that there is nothing."""
    assert set(scanned(table)[1].by_code) - {"LABELS-BLANK-LINE"} == {"LABELS-EMPTY"}


def test_a_line_without_end_is_passed_over() -> None:
    """A line of many megabytes is no label and takes no more memory than a line may have."""
    labels, findings = scanned(HEADER.encode() + b"x" * (17 << 20) + b"\nq1\td1\t1\n")
    assert labels.rows == 1
    assert places(findings) == [("LABELS-LINE-TOO-LONG", 2)]


def test_unknown_ids_are_told_once_each_and_counted() -> None:
    """An id that is in no file has one finding at its first line, which counts for every label that names it."""
    labels, findings = scanned(HEADER + "q1\td9\t1\nq2\td9\t1\nq8\td1\t1\n")
    check_ids([labels], texts("d", 3), texts("q", 2), findings)
    assert findings.by_code == {"LABELS-UNKNOWN-CORPUS": 2, "LABELS-UNKNOWN-QUERY": 1}
    assert places(findings) == [("LABELS-UNKNOWN-CORPUS", 2), ("LABELS-UNKNOWN-QUERY", 4)]
    message = next(each.message for each in findings.listed() if each.code == "LABELS-UNKNOWN-CORPUS")
    assert "`d9`" in message and "d.jsonl" in message


def test_ids_of_texts_stand_once() -> None:
    """A repeated id is found at its second line, in the corpus as in the queries."""
    findings = Findings()
    check_repeated(ids("corpus.jsonl", "d1", "d2", "d1", "d1"), findings)
    check_repeated(ids("queries.jsonl", "q1", "q1"), findings)
    assert findings.by_code == {"EMBED-DUPLICATE-ID": 3}
    assert [(each.file, each.line) for each in findings.listed()] == [("corpus.jsonl", 3), ("queries.jsonl", 2)]


def test_queries_that_no_file_of_labels_names_are_counted() -> None:
    """A query in one of several files of labels is used."""
    findings = Findings()
    labels = [scanned(HEADER + f"q{n}\td1\t1\n")[0] for n in (1, 2)]
    check_ids(labels, texts("d", 1), texts("q", 3), findings)
    assert findings.by_code == {"EMBED-QUERIES-UNUSED": 1}
    assert findings.listed()[0].values == {"found": 1, "rows": 3}


def test_numbers_of_labels_and_texts_have_limits() -> None:
    """Three queries in each file of labels, nine in all, and nine texts to half a million are taken."""
    few, _ = scanned(HEADER + "q1\td1\t1\nq2\td1\t1\n")
    enough, _ = scanned(HEADER + "".join(f"q{n}\td1\t1\n" for n in range(1, 10)))
    for labels, corpus, queries, codes in (
        ([enough], 9, 10_000, set()),
        ([few, enough], 9, 9, {"LABELS-QUERIES-FEW"}),
        ([enough], 8, 10_001, {"EMBED-ROWS-FEW", "EMBED-ROWS-MANY"}),
    ):
        findings = Findings()
        check_counts(labels, texts("d", corpus), texts("q", queries), findings)
        assert set(findings.by_code) == codes
    enough.rows = 500_000
    findings = Findings()
    check_counts([enough], texts("d", 9), texts("q", 9), findings)
    assert set(findings.by_code) == {"LABELS-TOO-MANY"}


def test_past_the_number_of_ids_kept_the_rest_is_only_counted() -> None:
    """Then nothing is said of ids that may be among the rest."""
    some = Ids("corpus.jsonl", most=2)
    some.extend([("d1", 1), ("d2", 2), ("d3", 3)])
    assert (some.count, some.kept, some.complete) == (3, 2, False)
    labels, findings = scanned(HEADER + "q1\td3\t1\n")
    check_ids([labels], some, texts("q", 1), findings)
    assert not findings.by_code


def test_huge_ids_do_not_take_all_memory() -> None:
    """Ids of megabytes are kept up to a number of bytes, in one column as in the other, and that is said."""
    labels, findings = scanned(HEADER + f"q1\t{'d' * (9 << 20)}\t1\n" * 10)
    assert labels.corpus.count == 10 > labels.corpus.kept == len(labels.scores)
    assert findings.by_code["LABELS-PARTLY"] == 1
    assert findings.by_code["LABELS-DUPLICATE"] == labels.corpus.kept - 1


def test_labels_take_little_memory() -> None:
    """Twenty thousand labels are held in less than 80 bytes each."""
    table = (HEADER + "".join(f"query-{a}\tdocument-{b}\t1\n" for a, b in product(range(20), range(1000)))).encode()
    stream = io.BytesIO(table)
    tracemalloc.start()
    try:
        labels = scan_labels(stream, "labels.tsv", Findings())
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert labels.rows == 20_000
    assert held < 80 * labels.rows


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text("q1-id\t,\r\n .énco0", max_size=200).map(str.encode)))
def test_any_bytes_are_judged(data: bytes) -> None:
    """Whatever a file holds, reading it ends with as many lines as it has, and every finding can be said."""
    labels, findings = scanned(data)
    check_ids([labels], texts("d", 1), texts("q", 1), findings)
    check_counts([labels], texts("d", 1), texts("q", 1), findings)
    assert labels.lines == data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    assert labels.queries.count == labels.corpus.count <= labels.rows <= labels.lines
    assert len(findings.listed("ja")) > 0
