"""Files whose bytes are not plain UTF-8: which encoding they are in is told, or not told, and damage is."""

from __future__ import annotations

import gzip
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_rows import codes, judge, rows

from droptune.datasets.describe import verdict
from droptune.datasets.findings import Findings
from droptune.datasets.formats import FORMATS
from droptune.datasets.judging import format_of
from droptune.datasets.legacy_encodings import Guess, guessed
from droptune.datasets.lines import judge as judge_line
from droptune.datasets.second_look import encoding_of, is_cut
from droptune.events import Finding

JAPANESE = "カードはいつ届きますか。二週間前に注文しましたが、まだ受け取っていません。残高の表示をお願いします。"
KOREAN = "제 카드는 어디에 있나요? 이 주 전에 주문했는데 아직 받지 못했습니다. 도와주세요."
SIMPLIFIED = "我的卡在哪里？我两个星期前订的，到现在还没有收到。请帮助我查询一下余额，谢谢。"
TRADITIONAL = "我的卡在哪裡？我兩個星期前訂的，到現在還沒有收到。請幫助我查詢一下餘額，謝謝。"
RUSSIAN = "Где моя карта? Я заказал её две недели назад, а она до сих пор не пришла. Пожалуйста, помогите."
FRENCH = "Où est ma carte ? Je l'ai commandée il y a déjà très longtemps, ça m'inquiète à l'extrême."
GERMAN = "Ich möchte wissen, ob sie schon verschickt wurde. Grüße aus München, bitte prüfen Sie die Straße."
SPANISH = "¿Dónde está mi tarjeta? La pedí hace dos semanas y aún no llegó. Mañana será tarde, señor."
POLISH = "Zamówiłem ją dwa tygodnie temu i wciąż nie dotarła. Proszę o pomoc, dziękuję. Źle się dzieje. " * 2
CZECH = "Objednal jsem ji před dvěma týdny a ještě nepřišla. Děkuji, prosím o pomoc. Příliš žlutá. " * 2
TURKISH = "İki hafta önce sipariş ettim ama hâlâ gelmedi. Lütfen yardım edin, teşekkürler. Şimdi çağrı. " * 2
GREEK = "Πού είναι η κάρτα μου; Την παρήγγειλα πριν από δύο εβδομάδες και δεν έχει έρθει ακόμα."
HEBREW = "איפה הכרטיס שלי? הזמנתי אותו לפני שבועיים והוא עדיין לא הגיע, בבקשה עזרו לי"

TOLD = [
    ("cp932", JAPANESE, "cp932"),
    ("euc_jp", JAPANESE, "euc_jp"),
    ("euc_kr", KOREAN, "euc_kr"),
    ("gb18030", SIMPLIFIED, "gb18030"),
    ("big5", TRADITIONAL, "big5"),
    ("windows-1251", RUSSIAN, "windows-1251"),
    ("windows-1252", FRENCH, "windows-1252"),
    ("windows-1252", GERMAN, "windows-1252"),
    ("latin-1", SPANISH, "windows-1252"),
    ("windows-1250", POLISH, "windows-1250"),
    ("windows-1250", CZECH, "windows-1250"),
    ("windows-1254", TURKISH, "windows-1254"),
]
NOT_TOLD = [
    ("koi8-r", RUSSIAN),
    ("mac-cyrillic", RUSSIAN),
    ("cp866", RUSSIAN),
    ("mac-roman", FRENCH),
    ("mac-roman", GERMAN),
    ("cp850", GERMAN),
    ("windows-1253", GREEK),
    ("windows-1255", HEBREW),
    ("gb18030", TRADITIONAL),
]


def bad_lines(text: str, encoding: str) -> list[bytes]:
    """A row for each sentence with letters outside ASCII."""
    sentences = text.replace("。", "。\n").replace(". ", ".\n").split("\n")
    lines = [json.dumps({"input_text": one}, ensure_ascii=False) for one in sentences]
    return [line.encode(encoding) for line in lines if not line.isascii()]


@pytest.mark.parametrize(("encoding", "text", "told"), TOLD)
def test_an_encoding_is_told_by_its_letters(encoding: str, text: str, told: str) -> None:
    """Text of a few lines says which encoding it is in, and reads in that one as it was."""
    lines = bad_lines(text, encoding)
    assert guessed(lines) == Guess(told)
    assert [line.decode(told) for line in lines] == [line.decode(encoding) for line in lines]


@pytest.mark.parametrize(("encoding", "text"), NOT_TOLD)
def test_no_encoding_is_told_wrongly(encoding: str, text: str) -> None:
    """Text in an encoding that is not in the table is not taken for another one."""
    assert guessed(bad_lines(text, encoding)).certain is None


@pytest.mark.parametrize(
    "line",
    [
        f'{{"input_text": "{JAPANESE}'.encode()[:-1],
        FRENCH.encode() + b"\xc3 ",
        b'{"input_text": "\xed\xa0\xbd here"}',
        b"\xff\xfe",
    ],
)
def test_damaged_utf8_is_no_other_encoding(line: bytes) -> None:
    """A character cut in two, or halves of a pair, say nothing about an encoding."""
    assert guessed([line]) == Guess()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60)))
def test_any_bytes_give_an_answer(lines: list[bytes]) -> None:
    """Whatever the lines, those encodings that are named can decode all that are not damaged UTF-8."""
    bad = [line for line in lines if line.decode("utf-8", "replace") != line.decode("utf-8", "ignore")]
    assert len(guessed(bad).names) <= 10


def found(data: bytes, code: str) -> Finding:
    """The only finding of a code."""
    findings: tuple[Finding, ...] = judge(data).findings.listed()
    (one,) = (finding for finding in findings if finding.code == code)
    return one


def test_the_advice_names_the_encoding_and_the_command() -> None:
    """Shift_JIS and Windows-1252 are told apart, and no advice is to take one for the other."""
    japanese = b"".join(line[:-1] + ', "output_text": "票"}\n'.encode("cp932") for line in bad_lines(JAPANESE, "cp932"))
    for data, encoding in ((rows("text", 0, 30) + japanese, "cp932"), (japanese, "cp932")):
        assert f"droptune fix FILE --encoding {encoding}" in found(data, "FILE-ENCODING").fix
    french = b'{"input_text": "caf\xe9", "output_text": "d\xe9j\xe0"}\n'
    assert found(rows("text", 0, 30) + french, "FILE-ENCODING").values["found"] == "windows-1252"
    assert "1252" not in found(rows("text", 0, 30) + french, "BAD-UTF8").fix


def test_half_a_character_is_no_fault_of_the_json() -> None:
    """In Shift_JIS the second byte of 表 is a backslash, which is not said to be wrong; a cut row still is."""
    assert [p.code for p in judge_line('{"input_text": "表示"}'.encode("cp932"))[1]] == ["BAD-UTF8"]
    cut = '{"input_text": "é'.encode("cp1252")
    assert [p.code for p in judge_line(cut)[1]] == ["BAD-UTF8", "JSON-TRUNCATED"]


def test_the_format_shows_through_another_encoding() -> None:
    """The names of fields are ASCII in every encoding, so a file of no line in UTF-8 has its format."""
    data = b"".join(line[:-1] + b', "output_text": "a"}\n' for line in bad_lines(JAPANESE, "cp932"))
    assert format_of(io.BytesIO(data)) is FORMATS["text"]
    assert encoding_of(io.BytesIO(data)) == Guess("cp932")


@pytest.mark.parametrize("cut", [1, 8, 9, 40])
def test_a_damaged_archive_is_not_repairable(cut: int) -> None:
    """Rows are lost where a compressed file ends early or has a fault, and the finding says so."""
    packed = gzip.compress(rows("text", 0, 100))
    whole, damaged = judge(packed), judge(packed[:-cut])
    assert verdict(whole.findings) == "repairable"
    assert "FILE-GZIP-DAMAGED" in damaged.findings.by_code
    assert verdict(damaged.findings) == "invalid"


def test_members_and_padding_are_no_damage() -> None:
    """Archives one after another, and zeros at the end, are whole; bytes that are no archive are not."""
    packed = gzip.compress(b"a\n") + gzip.compress(b"b\n" * 5_000_000)
    assert not is_cut(io.BytesIO(packed + b"\0" * 512))
    assert is_cut(io.BytesIO(packed + b"garbage"))
    assert is_cut(io.BytesIO(packed[:15] + bytes([packed[15] ^ 1]) + packed[16:]))


def test_only_findings_of_the_code_and_the_file_have_places() -> None:
    """The places of a code are those in the file that is asked for."""
    findings = Findings()
    for file, code, offset in (("a", "BAD-UTF8", 7), ("a", "BOM", 1), ("b", "BAD-UTF8", 3), ("a", "BAD-UTF8", 9)):
        findings.add(code, {"found": "0xFF", "position": 1}, file=file, line=1, offset=offset)
    assert findings.offsets("BAD-UTF8", "a") == [7, 9]


def test_whole_files_are_not_looked_at_again() -> None:
    """Nothing is said of an encoding where every line is UTF-8."""
    assert not {"FILE-ENCODING", "FILE-ENCODING-UNSURE", "FILE-GZIP-DAMAGED"} & codes(rows("text", 0, 30))
