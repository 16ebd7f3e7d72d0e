"""Secrets and e-mail addresses: found in every row of a file, wherever it stands and however its bytes are written."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_rows import ROWS, judge, line, rows, text

from droptune.datasets.blocks import READ_BYTES
from droptune.datasets.check import Options, check_files
from droptune.datasets.content import Leaks
from droptune.datasets.content.sample import MAX_ROWS_NAMED, joined
from droptune.datasets.findings import Findings
from droptune.datasets.parallel import scan_file
from droptune.datasets.personal import SECRETS, holding
from droptune.datasets.sample import ALL_ROWS
from droptune.datasets.scan import scan
from droptune.events import Finding

LETTERS = "0123456789abcdefghijABCDEFGHIJ012345"
# What a text says, and the code of the finding that is due for it.
SAID = [
    ("Write to taro.yamada@gmail.com instead", "PERSONAL-EMAIL"),
    ("連絡先は taro＠gmail.com です", "PERSONAL-EMAIL"),
    ("Why does AKIAIOSFODNN7EXAMPLE fail?", "SECRET-AWS"),
    ("鍵はASIAIOSFODNN7EXAMPLE です", "SECRET-AWS"),
    (f"Use AIza{LETTERS[:35]} here", "SECRET-GOOGLE"),
    (f"Bearer ya29.{LETTERS}", "SECRET-GOOGLE"),
    *((f"Clone with gh{kind}_{LETTERS}", "SECRET-GITHUB") for kind in "pousr"),
    (f"Clone with\ngithub_pat_{LETTERS}", "SECRET-GITHUB"),
    (f"Set\nsk-proj-{LETTERS} first", "SECRET-OPENAI"),
    ("The bot uses xoxb-000000000000-EXAMPLE", "SECRET-SLACK"),
    (f"Charge with sk_live_{LETTERS[:24]} first", "SECRET-TOKEN"),
    (f"Pull from the hub with hf_{(LETTERS[10:30] * 2)[:34]}", "SECRET-TOKEN"),
    (f"Mail by SG.{LETTERS[:22]}.{LETTERS + LETTERS[:7]}", "SECRET-TOKEN"),
    (f"鍵は glpat-{LETTERS[:20]} です", "SECRET-TOKEN"),
    (f"Publish with npm_{LETTERS}", "SECRET-TOKEN"),
    ("Header: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefgh12345678", "SECRET-JWT"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMII", "SECRET-PRIVATE-KEY"),
    *(
        (given, "SECRET-PASSWORD")
        for given in (
            "password: tr0ub4dor3",
            'Set "PassWord" = "tr0ub4dor3"',
            "PASSPHRASE='tr0ub4dor3'",
            "passwd=tr0ub4dor3",
            "pwd\t=tr0ub4dor3",
            "Secret:tr0ub4dor3",
            "API_KEY=tr0ub4dor3",
            "access-key: tr0ub4dor3",
            "accesstoken: tr0ub4dor3",
            "auth_token: tr0ub4dor3",
            "パスワードは「tr0ub4dor3」です",
            "パスワード：ｔｒ０ｕｂ４ｄｏｒ３",
            "ﾊﾟｽﾜｰﾄﾞ: tr0ub4dor3",
            "ｐａｓｓｗｏｒｄ：tr0ub4dor3",
            "Connect to postgres://taro:tr0ub4dor3@db/bank first",
        )
    ),
]
HARMLESS = (
    "A risk-free and task-oriented approach to desk-work, as I was told by whiskey makers",
    "I forgot my password: please help. The secret of this API key is that AKIA is a prefix.",
    "Write to user@example.com or @taro; パスワードは8文字以上で入力してください。ＡＴＭで１２３円！",
    "See https://example.com:8080/@taro and ftp://user:pass@host or redis://taro:your-password@cache",
    "The task_live_view, sk_live_ and hf_hub_download; SG.1, glpat- and npm_install; task.SG.x are names of nothing",
    "eyJ sk- xoxb- ghp_ AIza ya29. -----BEGIN PUBLIC KEY----- @ @@ a@b github_pat_x",
)


def plainly(row: Any) -> bytes:
    return line(row)


def as_ascii(row: Any) -> bytes:
    return json.dumps(row).encode() + b"\n"


def all_escaped(row: Any) -> bytes:
    """Every character of every text as an escape."""
    escapes = {key: "".join(f"\\u{ord(letter):04X}" for letter in value) for key, value in row.items()}
    return ("{" + ", ".join(f'"{key}": "{value}"' for key, value in escapes.items()) + "}\n").encode()


def with_spaces(row: Any) -> bytes:
    """Spaces before the colons: such lines are judged one by one."""
    return json.dumps(row, separators=(",", "  : "), ensure_ascii=False).encode() + b"\n"


WAYS = [plainly, as_ascii, all_escaped, with_spaces]


def told(findings: Findings) -> list[Finding]:
    return [found for found in findings.listed() if found.code in SECRETS]


def reported(leaks: Leaks, of: int) -> list[Finding]:
    findings = Findings()
    leaks.report(findings, "x", of)
    return told(findings)


def scanned(data: bytes) -> Leaks:
    return scan(io.BytesIO(data), "x", Findings(), leaks=True).leaks


def codes_in(data: bytes) -> set[str]:
    return {found.code for found in reported(scanned(data), 1)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("said", "code"), SAID, ids=[f"{at}-{code}" for at, (_, code) in enumerate(SAID)])
def test_found_however_the_line_is_written(said: str, code: str, way: Any) -> None:
    """Raw, with escapes of some characters or of all, with other spaces; as a prompt and as an answer."""
    for row in ({**text(0), "input_text": said}, {**text(0), "output_text": said}):
        assert codes_in(rows("text", 0, 5) + way(row) + rows("text", 5, 9)) == {code}


@pytest.mark.parametrize("way", WAYS)
def test_what_looks_like_it_is_left_alone(way: Any) -> None:
    """Beginnings of secrets, names without values, addresses for examples."""
    for said in HARMLESS:
        assert codes_in(way({**text(0), "input_text": said})) == set()


@pytest.mark.parametrize("fmt", ["gemini_contents", "gemini_preference", "chat", "openai_chat", "preference"])
def test_found_in_any_format(fmt: str) -> None:
    """Wherever a row has texts."""
    row = line(ROWS[fmt](0)).decode()
    for said in ("Answer 0.", "Yes, 0.", "No, 0.", "assistant says 1 of 0", "Question 0?", "user says 0 of 0"):
        if said in row:
            assert codes_in(row.replace(said, SAID[2][0]).encode() + rows(fmt, 1, 9)) == {"SECRET-AWS"}


@pytest.mark.parametrize(
    ("fmt", "said", "pointer"),
    [
        ("text", "Where is card number 0?", "/input_text"),
        ("preference", "No, 0.", "/candidate_1"),
        ("gemini_contents", "Answer 0.", "/contents/1/parts/0/text"),
        ("openai_chat", "Answer 0.", "/messages/2/content"),
    ],
)
def test_the_text_is_pointed_at(fmt: str, said: str, pointer: str) -> None:
    """Of rows reported one by one, and of the first of those that are summarised."""
    row = line(ROWS[fmt](0)).decode()
    assert said in row
    for secret, code in (SAID[2], SAID[0], ("Pay with 4242 4242 4242 4242", "PERSONAL-CARD")):
        checked = judge(row.replace(said, secret).encode() + rows(fmt, 1, 30))
        assert [found.pointer for found in checked.findings.listed() if found.code == code] == [pointer]


def planted(count: int) -> tuple[bytes, dict[int, str]]:
    """Rows of some megabytes with a secret on the first and last line, beside each cut of blocks, and at others."""
    lines = [line({**text(n), "output_text": f"answer {n} " + "and more " * 6}) for n in range(count)]
    size, leaking = 0, {0, count - 1, *range(50, count, 701)}
    for at, each in enumerate(lines):
        if size // READ_BYTES != (size + len(each)) // READ_BYTES:
            leaking |= {at - 1, at, at + 1}
        size += len(each)
    secrets = [(said, code) for said, code in SAID if code != "PERSONAL-EMAIL"]
    due = {}
    for number, at in enumerate(sorted(leaking)):
        said, due[at + 1] = secrets[number % len(secrets)]
        lines[at] = WAYS[number % len(WAYS)]({**text(at), "input_text": said})
    for at in (20, 5_000, count - 20):  # in rows with an error, which are not looked at
        lines[at] = line({**text(at), "input_text": 1, "output_text": SAID[2][0]})
    return b"".join(lines), due


def test_every_row_of_a_large_file(tmp_path: Path) -> None:
    """The very rows that hold a secret, with their lines and offsets, by one process as by several."""
    data, due = planted(3 * ALL_ROWS)
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)
    for processes in (1, 2, 3):
        result = scan_file(path, "x", Findings(), processes=processes, leaks=True, least_bytes=64)
        found = reported(result.leaks, result.content.rows)
        assert {each.line: each.code for each in found} == due
        assert all(data[: each.offset].count(b"\n") == (each.line or 0) - 1 for each in found)


def test_addresses_in_all_rows_are_counted(tmp_path: Path) -> None:
    """How many of all rows, however many the sample has."""
    count = 2 * ALL_ROWS + 1
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"".join(line({**text(n), "input_text": f"Ask a{n}@mail.org"}) for n in range(count)))
    (found,) = told(check_files({"train": path}).findings)
    assert (found.code, found.values["count"], found.values["share"]) == ("PERSONAL-EMAIL", count, 100)
    assert found.values["lines"] == "1, 2, 3, 4, 5"


def test_many_secrets_are_counted(tmp_path: Path) -> None:
    """The first rows are named and all counted, whoever read them."""
    data = line({**text(0), "input_text": SAID[2][0]}) * 5_000
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)
    for processes in (1, 3):
        findings = Findings()
        scan_file(path, "x", Findings(), processes=processes, leaks=True, least_bytes=64).leaks.report(findings, "x", 1)
        assert findings.by_code["SECRET-AWS"] == 5_000
        assert [each.line for each in told(findings)] == list(range(1, MAX_ROWS_NAMED + 1))


def test_nothing_is_looked_for_unless_wanted(tmp_path: Path) -> None:
    """Without rules about content, no row is looked at."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(rows("text", 0, 30) + line({**text(0), "input_text": SAID[2][0]}))
    assert [each.line for each in told(check_files({"train": path}).findings)] == [31]
    assert told(check_files({"train": path}, options=Options(content=False)).findings) == []


def test_texts_are_looked_at_to_their_end() -> None:
    """What stands after a million characters is found, too."""
    assert codes_in(line({**text(0), "input_text": "a word " * 200_000 + SAID[2][0]})) == {"SECRET-AWS"}


def test_findings_say_nothing_of_what_stands_there() -> None:
    """Neither the message, nor a value, nor an excerpt."""
    for said, _ in SAID:
        (found,) = reported(scanned(line({**text(0), "input_text": said})), 1)
        assert found.excerpt is None
        assert not {word for word in said.split() if len(word) > 9} & set(str(found).split())


PIECES = st.sampled_from(
    [said for said, _ in SAID]
    + [word for said in HARMLESS for word in said.split()]
    + [LETTERS, "a", "9", "_", "-", ".", " ", "@", '"', "\\", "\n", "é", "カ", "：", "＠"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6), st.integers(0, 2**32), st.booleans())
def test_no_row_is_passed_over(pieces: Iterable[str], seed: int, plain: bool) -> None:
    """What the patterns find in a text is found in its line, whichever ASCII characters are escaped in it."""
    said = "x".join(pieces)
    random = Random(seed)
    written = json.dumps(said, ensure_ascii=plain)[1:-1]
    if "\\" not in written:
        written = "".join(f"\\u{ord(c):04x}" if c.isascii() and random.random() < 0.3 else c for c in written)
    data = f'{{"input_text": "{written}", "output_text": "b"}}\n'.encode()
    assert json.loads(data)["input_text"] == said
    if said.strip():
        assert codes_in(data) == set(holding(joined([said]), SECRETS))


@pytest.mark.parametrize(
    "piece",
    [
        *("eyJ-", "eyJaaaaaaaa.", "sk-", "xoxb-", "ghp_", "a@", "a@a.", "a.", "@a-", "A", "AKIA", "AIza-", "ya29.-"),
        *("password", "key=", "api_key: a ", "passwordは「", "-----BEGIN A ", "ＡＢ", "＠", "ｓ", "\\u0061"),
    ],
)
def test_no_text_takes_ages(piece: str) -> None:
    """A long text of one piece over and over is looked at in time that grows with it."""
    data = f'{{"input_text": "{piece * (400_000 // len(piece))}", "output_text": "b"}}\n'.encode()
    begin = process_time()
    codes_in(data)
    assert process_time() - begin < 5
