"""The whole judgement: both paths through a line agree, and what files say together."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_agreement import mutated
from intake_rows import ROWS, codes, embedding, judge, line, rows, text

from droptune.datasets.check import Options, check_files
from droptune.datasets.findings import Findings, printable
from droptune.datasets.formats import FORMATS, detect
from droptune.datasets.lines import judge as judge_line
from droptune.datasets.rowformat import Batch, Problem, RowFormat
from droptune.datasets.rules import rule
from droptune.datasets.scan import scan
from droptune.events import Format, Role

ALONE = Options(content=False)
NAMES = (
    "input_text",
    "output_text",
    "messages",
    "contents",
    "role",
    "author",
    "parts",
    "text",
    "choice",
    "id",
    "/~",
    "",
)


def problems_of(fmt: RowFormat, text: bytes) -> tuple[Any, list[Problem]]:
    """Everything wrong with a line by the slow path alone, and its typed row where nothing is an error."""
    if not text.strip():
        return None, [Problem("BLANK-LINE")]
    value, problems = judge_line(text)
    if value is None:
        return None, problems
    shape = detect(value)
    if shape is None or shape == fmt.name or shape in fmt.incomplete:
        problems += fmt.problems(value)
    else:
        problems.append(Problem("ROW-AMBIGUOUS" if shape == "ambiguous" else "FORMAT-MIXED"))
    wrong = any(rule(problem.code).severity == "error" for problem in problems)
    return None if wrong else msgspec.convert(value, fmt.row), problems


def remarked(fmt: RowFormat, row: Any) -> Counter[str]:
    """What is said of a row without error besides."""
    batch = fmt.measure([row])
    if row is None or fmt.remarks is None or not isinstance(batch, Batch) or batch.turns is None:
        return Counter()
    found: Counter[str] = Counter()
    for problem, _, times in fmt.remarks(batch):
        found[problem.code] += times
    return found


def assert_paths_agree(fmt: RowFormat, lines: Sequence[bytes]) -> None:
    """The pass over a file says what judging every line alone says, and counts the same rows."""
    expected: Counter[str] = Counter()
    remarks: Counter[str] = Counter()
    places: set[tuple[str, int, str | None]] = set()
    good = 0
    for number, each in enumerate(lines, start=1):
        row, problems = problems_of(fmt, each)
        good += row is not None
        if row is not None:
            remarks += remarked(fmt, row)
        expected.update(problem.code for problem in problems)
        places.update(
            (problem.code, number, printable(problem.pointer) or None)
            for problem in problems
            if not rule(problem.code).once
        )
    findings = Findings()
    result = scan(io.BytesIO(b"\n".join(lines) + b"\n"), "x", findings, fmt=fmt)
    assert findings.by_code == expected + remarks
    assert result.content.rows == good
    assert places == {
        (found.code, found.line, found.pointer)
        for found in findings.listed()
        if not rule(found.code).once and found.code not in remarks
    }


def spellings(encoded: str) -> st.SearchStrategy[str]:
    """A row as different writers put it, right and wrong."""
    return st.sampled_from(
        [
            *(encoded, encoded, encoded.replace('": ', '":'), encoded.replace('": ', '" : ')),
            *(
                encoded.replace('": ', '"\t:'),
                encoded.replace(" ", "\\u0020"),
                encoded[:-1],
                encoded.replace("a", "\\u0000"),
            ),
            *(
                encoded[:-1] + ', "id": 5}',
                encoded[:-1] + ',"id":5}',
                encoded[:-1] + ', "x\\\\": 1}',
                encoded + encoded,
            ),
            *(encoded[:-1] + ", " + encoded[1:], encoded.replace("Question", 'say \\": ')),
            *(encoded.replace('": ', '":').replace('"}', '","id":5}'), encoded.replace('": ', '":')[:-1] + ',"id":5}'),
        ]
    )


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_both_paths_agree_on_rows_that_are_nearly_right(name: Format, data: st.DataObject) -> None:
    """Wherever wrong rows stand among right ones: codes, lines, pointers and counts are those of each line alone."""
    right = [ROWS[name](n) for n in range(3)]
    lines: list[bytes] = []
    for n in range(data.draw(st.integers(1, 12))):
        if data.draw(st.booleans()):
            row = data.draw(mutated(right, NAMES))
            lines.append(data.draw(spellings(json.dumps(row, ensure_ascii=False))).encode())
        else:
            lines += [data.draw(spellings(json.dumps(ROWS[name](n)))).encode()]
    filler = [line(ROWS[name](100 + n)).rstrip(b"\n") for n in range(data.draw(st.sampled_from([1, 4, 30])))]
    assert_paths_agree(FORMATS[name], filler[:15] + lines + filler[15:])


@pytest.mark.parametrize("extra", [b',"id":5', b',"id":"ab"', b',"":1', b', "a": 1', b',"x" :12'])
@pytest.mark.parametrize("name", ["text", "preference", "chat", "gemini_contents"])
def test_a_short_further_field_is_seen_in_a_compact_row(name: Format, extra: bytes) -> None:
    """A field may take no more bytes than the spaces that other writers put between the fields."""
    compact = json.dumps(ROWS[name](7), separators=(",", ":")).encode()[:-1] + extra + b"}"
    spaced = [line(ROWS[name](n)).rstrip(b"\n") for n in range(40)]
    assert_paths_agree(FORMATS[name], [*spaced, compact])


EMBEDDING = {
    "corpus": b"".join(line(embedding(n)) for n in range(5)),
    "queries": b"".join(line(embedding(n)) for n in range(20, 25)),
    "labels": b"query-id\tcorpus-id\tscore\n" + b"".join(b"doc%d\tdoc%d\t1\n" % (n + 20, n) for n in range(5)),
}


def test_every_role_is_judged() -> None:
    """Each file has its scan, its rows and its name in findings."""
    checked = judge(rows("text", 0, 30), rows("text", 30, 50) + b"oops\n")
    assert {role: scan.rows for role, scan in checked.scans.items()} == {"train": 30, "eval": 21}
    assert {found.file for found in checked.findings.listed() if found.code == "JSON-SYNTAX"} == {"eval.jsonl"}
    assert {role: scan.known for role, scan in judge(**EMBEDDING).scans.items()} == {
        "corpus": "embedding_text",
        "queries": "embedding_text",
        "labels": "embedding_labels",
    }


def test_ids_of_an_embedding_set_are_looked_up() -> None:
    """Labels name rows of the corpus and the queries; what is in neither, or there twice, is found."""
    right = codes(**EMBEDDING)
    assert not {"unknown_id", "duplicate_id"} & {rule(code).kind for code in right}
    wrong = {**EMBEDDING, "labels": EMBEDDING["labels"] + b"nobody\tdoc1\t1\ndoc20\tnothing\t1\n"}
    assert {"LABELS-UNKNOWN-QUERY", "LABELS-UNKNOWN-CORPUS"} <= codes(**wrong) - right
    twice = {**EMBEDDING, "corpus": EMBEDDING["corpus"] + line(embedding(3))}
    assert {rule(code).kind for code in codes(**twice) - right} >= {"duplicate_id"}


@pytest.mark.parametrize("fault", [{"title": 4}, {"text": ""}, {"text": None}, {"_id": 6, "text": "Six."}])
def test_an_id_is_there_whatever_else_is_wrong_with_its_row(fault: dict[str, Any]) -> None:
    """A label that names a faulty row is right: the row's fault is said, and nothing follows from it."""
    corpus = [{"_id": str(n), "text": f"Text {n}."} | (fault if n == 6 else {}) for n in range(9)]
    queries = [{"_id": f"q{n}", "text": f"Query {n}?"} for n in range(9)]
    labels = "query-id\tcorpus-id\tscore\n" + "".join(f"q{n}\t{n}\t1\n" for n in range(9))
    files = {name: b"".join(map(line, found)) for name, found in (("corpus", corpus), ("queries", queries))}
    checked = judge(**files, labels=labels.encode())
    (fault_found,) = (each for each in checked.findings.listed() if each.severity == "error")
    assert (fault_found.line, fault_found.pointer) == (7, f"/{next(iter(fault))}")
    assert "EMBED-ROWS-FEW" not in checked.findings.by_code


def test_rows_in_the_place_of_labels_are_one_fault() -> None:
    """A folder's labels.tsv is to be a table, whatever rows it holds: that is said once."""
    texts = rows("embedding_text", 0, 12)
    checked = judge(corpus=texts, queries=texts, labels=rows("text", 0, 40))
    errors = [each.code for each in checked.findings.listed() if each.severity == "error"]
    assert errors == ["LABELS-JSON"]
    assert checked.scans["labels"].rows == 40


@pytest.mark.parametrize(("role", "known"), [("train", "embedding_labels"), ("labels", "embedding_labels")])
def test_labels_are_a_format_that_can_be_given(role: str, known: str) -> None:
    """Labels have no rows, but may be asked for by name as every other format; so may rows where labels are usual."""
    table = b"query-id\tcorpus-id\tscore\n" + b"".join(b"q%d\td%d\t1\n" % (n, n) for n in range(9))
    checked = judge(**{role: table}, options=Options(format="embedding_labels"))
    assert checked.scans[role].known == known  # type: ignore[index]
    assert checked.purpose.method == "embedding"
    assert not checked.findings.blocking
    assert judge(labels=rows("text", 0, 40), options=Options(format="text")).scans["labels"].known == "text"


@pytest.mark.parametrize("fmt", ["preference", "chat_preference", "gemini_preference", "openai_preference"])
def test_preferences_have_to_prefer_something(fmt: str) -> None:
    """Equal candidates are doubtful in a row; in every row they leave nothing to learn, which blocks."""
    equal = []
    for n in range(12):
        row = ROWS[fmt](n)
        if "completions" in row:
            row["completions"][0]["completion"] = row["completions"][1]["completion"]
        elif "choice" in row:
            row["candidate_0"] = row["candidate_1"]
        else:
            row["preferred_output"] = row["non_preferred_output"]
        equal.append(line(row))
    data = b"".join(equal)
    broken = judge(preferences=data + b"oops\n").findings
    assert broken.by_code["PREF-ALL-EQUAL"] == 1 and rule("PREF-ALL-EQUAL").severity == "error"
    assert "PREF-ALL-EQUAL" not in codes(preferences=data + rows(fmt, 20, 21))
    assert "PREF-ALL-EQUAL" not in codes(preferences=data, options=Options(line_only=True))


def test_outputs_that_differ_in_more_than_text_are_preferences() -> None:
    """Two calls of functions say no text, and one may well be better than the other."""
    given = []
    for n in range(12):
        row = ROWS["openai_preference"](n)
        for key in ("preferred_output", "non_preferred_output"):
            call = {"id": "1", "type": "function", "function": {"name": key, "arguments": "{}"}}
            row[key] = [{"role": "assistant", "tool_calls": [call]}]
        given.append(line(row))
    assert "PREF-ALL-EQUAL" not in codes(preferences=b"".join(given))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_called_what_it_is(number: str) -> None:
    """All findings about it show what stands there."""
    data = rows("text", 0, 40) + f'{{"input_text": "Why?", "output_text": {number}}}\n'.encode()
    named = {found.code: found.found for found in judge(data).findings.listed() if found.line == 41}
    assert named == {"JSON-NAN": number, "TEXT-OUTPUT-TYPE": number}


LONG = "word " * 12_000


@pytest.mark.parametrize(
    ("fmt", "row", "pointers"),
    [
        ("text", {"input_text": LONG, "output_text": "b"}, ["/input_text"]),
        ("text", {"input_text": LONG, "output_text": LONG}, ["/input_text", "/output_text"]),
        ("text_rationale", {"input_text": "a", "output_text": "b", "rationale": LONG}, [None]),
        ("preference", {"input_text": LONG, "candidate_0": "a", "candidate_1": "b", "choice": 1}, ["/input_text"]),
        (
            "chat",
            {"messages": [{"author": "user", "content": "a"}, {"author": "assistant", "content": LONG}]},
            ["/messages/1/content", None],
        ),
    ],
)
def test_a_text_that_is_too_long_has_its_place(fmt: Format, row: dict[str, Any], pointers: list[str | None]) -> None:
    """The field, where the whole of a prompt or an answer is one; several fields together have none."""
    checked = judge(rows(fmt, 0, 40) + line(row))
    found = [each.pointer for each in checked.findings.listed() if each.code.startswith("TOKENS") and each.line == 41]
    assert sorted(found, key=str) == sorted(pointers, key=str)


def test_evaluation_pairs_of_pipelines_go_with_text() -> None:
    """`prompt` and `ground_truth` evaluate what text tunes: a doubt, with leaks looked for; other rows differ."""
    train = rows("text", 0, 40) + line({"input_text": "Question 50?", "output_text": "card_arrival"})
    checked = judge(train, rows("ground_truth", 40, 80))
    assert not checked.findings.blocking
    assert {"EVAL-GROUND-TRUTH", "LEAKAGE"} <= set(checked.findings.by_code)
    assert "FORMATS-DIFFER" in codes(rows("gemini_contents", 0, 40), rows("ground_truth", 40, 80))


def test_evaluation_rows_in_the_training_file_are_leakage() -> None:
    """By prompt, whatever the answer and the line; all of them are one finding."""
    train = rows("text", 0, 40)
    some = judge(train, rows("text", 38, 60), options=ALONE).findings
    assert [(found.line, found.file) for found in some.listed() if found.code == "LEAKAGE"] == [
        (1, "eval.jsonl"),
        (2, "eval.jsonl"),
    ]
    assert "LEAKAGE-ALL" in judge(train, rows("text", 5, 20), options=ALONE).findings.by_code
    other = b"".join(line({**text(n), "output_text": "another"}) for n in range(3)) + rows("text", 50, 60)
    assert judge(train, other, options=ALONE).findings.by_code["LEAKAGE"] == 3
    assert not {"LEAKAGE", "LEAKAGE-ALL"} & codes(train, rows("text", 50, 60))


@pytest.mark.parametrize(
    "given", [{"train": rows("text", 0, 3), "eval": rows("text", 10, 12)}, EMBEDDING], ids=["text", "set"]
)
def test_line_only_leaves_out_how_many_there_are(given: dict[str, bytes]) -> None:
    """What depends on the number of rows is left out, and nothing else."""
    files = {"evaluation" if role == "eval" else role: data for role, data in given.items()}
    whole = codes(**files, options=ALONE)
    alone = codes(**files, options=Options(content=False, line_only=True))
    counted = {"too_few_rows", "too_many_rows", "too_many_authors", "split", "labels"}
    assert alone < whole
    assert {rule(code).kind for code in whole - alone} <= counted
    assert not {rule(code).kind for code in alone} & counted


def test_line_only_still_judges_every_line() -> None:
    """Faults of lines, repeated rows and conflicting answers do not depend on how many rows there are."""
    data = rows("text", 0, 2) * 2 + b"oops\n" + line({**text(0), "output_text": "other"})
    found = codes(data, options=Options(line_only=True))
    assert {"JSON-SYNTAX", "DUPLICATE-ROW", "CONFLICTING-ANSWERS"} <= found


def test_content_is_looked_into_unless_told_otherwise() -> None:
    """Without it, no text is examined and nothing is said of what texts hold."""
    data = rows("text", 0, 30) + line({**text(1), "input_text": "Write to taro.yamada@gmail.com please"})
    assert "PERSONAL-EMAIL" in codes(data)
    checked = judge(data, options=ALONE)
    assert checked.contents == {}
    assert "PERSONAL-EMAIL" not in checked.findings.by_code


def test_a_given_format_is_not_found_out() -> None:
    """Rows are judged as what they are said to be, even where all look like something else."""
    data = rows("prompts", 0, 12)
    assert judge(data).scans["train"].known == "prompts"
    checked = judge(data, options=Options(format="text"))
    assert checked.scans["train"].known == "text"
    assert checked.findings.by_code["TEXT-MISSING-OUTPUT"] == 12
    assert codes(b"\n\n", options=Options(format="text")) >= {"FILE-EMPTY"}


def test_rows_that_are_too_long_by_a_tokenizer() -> None:
    """Counted tokens decide where there is a tokenizer; where there is none, only what surely or likely exceeds."""
    data = rows("text", 0, 12) + line({**text(1), "input_text": "word " * 9_000})

    def characters(texts: Sequence[str]) -> list[int]:
        return [len(each) for each in texts]

    def none(texts: Sequence[str]) -> list[int]:
        return [0 for _ in texts]

    def too_long(options: Options) -> list[tuple[str, int | None]]:
        listed = judge(data, options=options).findings.listed()
        return [(found.code, found.line) for found in listed if found.code.startswith("TOKENS")]

    assert {line for _, line in too_long(Options(content=False, counter=characters))} == {13}
    assert too_long(Options(content=False, counter=none)) == []
    assert {line for _, line in too_long(ALONE)} == {13}


def test_local_files_are_judged_as_bytes_are(tmp_path: Path) -> None:
    """Files that can be read again give the findings of a stream that cannot, in any number of processes."""
    data = rows("text", 0, 30) + b"\n" + rows("text", 3, 9) + line({**text(4), "output_text": "other"})
    evaluation = rows("text", 5, 8) + rows("text", 70, 80)
    paths: dict[Role, Path] = {"train": tmp_path / "train.jsonl", "eval": tmp_path / "eval.jsonl"}
    paths["train"].write_bytes(data)
    paths["eval"].write_bytes(evaluation)
    streamed = {
        (found.code, found.file, found.line, found.offset, found.pointer)
        for found in judge(data, evaluation).findings.listed()
    }
    for processes in (1, 4):
        read = check_files(paths, options=Options(processes=processes)).findings.listed()
        found = {(each.code, each.file, each.line, each.offset, each.pointer) for each in read}
        assert {each for each in found ^ streamed if each[2] is not None} == set()


@pytest.mark.parametrize("depth", [20, 90, 150, 900])
def test_fields_that_are_taken_as_they_are_have_a_depth(depth: int) -> None:
    """The parameters of a declared function may be nested as deeply as Google's readers go, and no deeper."""
    parameters = json.loads('{"a":' * depth + "1" + "}" * depth)
    row = {**ROWS["gemini_contents"](1), "tools": [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]}
    found = codes(rows("gemini_contents", 5, 30) + line(row), options=ALONE)
    assert ("JSON-TOO-DEEP" in found) == (depth > 90)


def test_every_answer_of_a_chat_has_its_limit() -> None:
    """An answer in the middle of a chat is learned like the last, and is said when it is too long."""
    row = ROWS["chat"](99)
    row["messages"][1]["content"] = "word " * 3_000
    checked = judge(rows("chat", 0, 20) + line(row))
    assert [f.line for f in checked.findings.listed() if f.code == "TOKENS-OVER"] == [21]


@pytest.mark.parametrize(("role", "fmt"), [("preferences", "preference"), ("prompts", "prompts")])
def test_evaluating_on_what_is_trained_is_leakage_in_every_role(role: str, fmt: str) -> None:
    """Preferences and prompts are trained on as well."""
    assert "LEAKAGE-ALL" in codes(evaluation=rows(fmt, 0, 20), **{role: rows(fmt, 0, 40)})
    assert not {"LEAKAGE", "LEAKAGE-ALL"} & codes(evaluation=rows(fmt, 40, 60), **{role: rows(fmt, 0, 40)})
