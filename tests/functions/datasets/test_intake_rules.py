"""Every rule has something that breaks it and something that does not."""

from __future__ import annotations

import ast
import gzip
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from fakes import MemoryObjects
from intake_rows import ROWS, codes, judge, line, rows, text

from droptune.datasets.check import Options
from droptune.datasets.findings import Findings
from droptune.datasets.keys import Keys
from droptune.datasets.pairs import check_repeats
from droptune.datasets.purpose import started
from droptune.datasets.rules import LANGUAGES, all_rules, fill, kinds, rule
from droptune.datasets.scan import Scan
from droptune.events import DatasetReady, DatasetRejected, Format
from droptune.request import Request
from droptune.settings import Settings
from droptune.validate import Ports, validate

Case = Callable[[], set[str]]

# The formats that rows of the examples are of, by the first word of their code; the first in which it is found counts.
FORMATS = {
    "RATIONALE": ("text_rationale",),
    "CHAT": ("chat", "chat_prompts", "chat_preference"),
    "MESSAGES": ("gemini_messages",),
    "GEMINI": ("gemini_contents", "gemini_prompts", "open_contents"),
    "PREF": ("preference", "chat_preference"),
    "PROMPT": ("prompts", "chat_prompts"),
    "GPREF": ("gemini_preference",),
    "RL": ("reinforcement",),
    "OPEN": ("open_chat", "open_prompts"),
    "COMPLETION": ("completion", "completion_prompts"),
    "TRUTH": ("ground_truth",),
    "BATCH": ("batch_requests",),
    "OPENAI": ("openai_chat",),
    "OPREF": ("openai_preference",),
    "EMBED": ("embedding_text",),
}
TEXT = rows("text", 0, 40)
GEMINI = rows("gemini_contents", 0, 40)
PREFERENCES = rows("preference", 0, 40)
ALIKE = b"".join(line({**ROWS["preference"](n), "candidate_0": f"No, {n}."}) for n in range(40))


class _ServesAll:
    def serves(self, base_model: str) -> bool:
        return True


def dropped(*uploads: tuple[str, bytes], **metadata: str) -> set[str]:
    """The codes in the report of what the last upload's event leads to."""
    objects = MemoryObjects()
    stored = [objects.upload("in", name, data, metadata) for name, data in uploads]
    settings = Settings(project="p", region="r", intake_bucket="in", runs_bucket="runs", vertex_endpoint="http://x")
    fact = validate(stored[-1], Ports(objects, _ServesAll(), settings))
    assert isinstance(fact, DatasetReady | DatasetRejected)
    report = (objects.read("runs", f"{fact.run_id}/report.json") or b"").decode()
    return set(re.findall(r'"code": "([A-Z0-9-]+)"', report))


def asked(data: bytes, **wishes: object) -> set[str]:
    """The codes of training rows with a request."""
    return codes(data, request=Request(**wishes))  # type: ignore[arg-type]


def noted(data: bytes) -> set[str]:
    """The codes of what `droptune check` says about the method."""
    return {problem.code for problem in started(judge(data).purpose, must_start=False)}


def partly_compared(most: int) -> set[str]:
    """The codes of a file of which at most so many rows are compared."""
    checked, findings = judge(TEXT).scans["train"], Findings()
    scan = Scan("train.jsonl")
    scan.format, scan.keys = checked.format, Keys(max_rows=most)
    scan.keys.merge(checked.keys, 0, 0)
    check_repeats(scan, findings, lambda: io.BytesIO(TEXT))
    return set(findings.by_code)


def labelled(*labels: tuple[str, int]) -> bytes:
    """Text rows with these labels, each so often."""
    answers = [label for label, times in labels for _ in range(times)]
    return b"".join(line({**text(n), "output_text": answer}) for n, answer in enumerate(answers))


def embedding(corpus: int = 20, queries: int = 20) -> set[str]:
    """The codes of an embedding data set of so many texts."""
    labels = "query-id\tcorpus-id\tscore\n" + "".join(f"doc{n}\tdoc{n}\t1\n" for n in range(9))
    texts = {"corpus": rows("embedding_text", 0, corpus), "queries": rows("embedding_text", 0, queries)}
    return codes(**texts, labels=labels.encode())


CASES: dict[str, tuple[Case, Case]] = {
    "FILE-EMPTY": (lambda: codes(b""), lambda: codes(TEXT)),
    "FILE-GZIP": (lambda: codes(gzip.compress(TEXT)), lambda: codes(TEXT)),
    "FILE-GZIP-DAMAGED": (lambda: codes(gzip.compress(TEXT)[:-9]), lambda: codes(gzip.compress(TEXT))),
    "FILE-ENCODING": (
        lambda: codes(TEXT + line(text(99)).replace(b"Where", "Wo möchte".encode("cp1252"))),
        lambda: codes(TEXT + line(text(99)).replace(b"Where", "Wo möchte".encode())),
    ),
    "FILE-ENCODING-UNSURE": (
        lambda: codes(TEXT + line(text(99)).replace(b"Where", "Proszę o pomoc, dziękuję, źle się".encode("cp1250"))),
        lambda: codes(TEXT + line(text(99)).replace(b"Where", b"Wh\xe9re")),
    ),
    "FILE-ZIP": (lambda: codes(b"PK\x03\x04" + TEXT), lambda: codes(TEXT)),
    "FILE-PARQUET": (lambda: codes(b"PAR1" + TEXT), lambda: codes(TEXT)),
    "FILE-UTF16": (lambda: codes(TEXT.decode().encode("utf-16")), lambda: codes(TEXT)),
    "FILE-TOO-LARGE": (lambda: codes(GEMINI, claimed_bytes=2 << 30), lambda: codes(GEMINI)),
    "FILE-NO-FINAL-NEWLINE": (lambda: codes(TEXT.rstrip()), lambda: codes(TEXT)),
    "BOM": (lambda: codes(b"\xef\xbb\xbf" + TEXT), lambda: codes(TEXT)),
    "CRLF": (lambda: codes(TEXT.replace(b"\n", b"\r\n")), lambda: codes(TEXT)),
    "BLANK-LINE": (lambda: codes(TEXT + b" \n" + TEXT), lambda: codes(TEXT.rstrip(b"\n"))),
    "LINE-TOO-LONG": (lambda: codes(TEXT + b"x" * (17 << 20) + b"\n"), lambda: codes(TEXT)),
    "BAD-UTF8": (
        lambda: codes(TEXT + line(text(99)).replace(b"Where", b"Wh\xe9re")),
        lambda: codes(TEXT + line(text(99)).replace(b"Where", "Whére".encode())),
    ),
    "NUL-BYTE": (lambda: codes(TEXT + line(text(99)).replace(b"Where", b"Wh\0ere")), lambda: codes(TEXT)),
    "JSON-TOO-DEEP": (
        lambda: codes(TEXT + b"[" * 100_000 + b"\n" + b'{"input_text": ' + b"[" * 120 + b"]" * 120 + b"}\n"),
        lambda: codes(TEXT + b'{"input_text": "a", "output_text": "b", "x": ' + b"[" * 50 + b"]" * 50 + b"}\n"),
    ),
    "FORMATS-DIFFER": (lambda: codes(TEXT, GEMINI), lambda: codes(TEXT, rows("text", 40, 80))),
    "PURPOSE-FILE-UNUSED": (
        lambda: codes(TEXT, prompts=rows("prompts", 0, 40)),
        lambda: codes(preferences=rows("preference", 0, 40), prompts=rows("prompts", 40, 80)),
    ),
    "DUPLICATE-ROW": (lambda: codes(TEXT + line(text(3))), lambda: codes(TEXT)),
    "CONFLICTING-ANSWERS": (
        lambda: codes(TEXT + line({**text(3), "output_text": "other"})),
        lambda: codes(TEXT + line(text(3))),
    ),
    "PREF-CONFLICTING": (
        lambda: codes(preferences=PREFERENCES + line({**ROWS["preference"](3), "choice": 0})),
        lambda: codes(preferences=PREFERENCES + line(ROWS["preference"](3))),
    ),
    "PREF-ALL-EQUAL": (lambda: codes(preferences=ALIKE), lambda: codes(preferences=ALIKE + rows("preference", 40, 41))),
    "DUPLICATES-PARTLY": (lambda: partly_compared(39), lambda: partly_compared(40)),
    "LEAKAGE": (lambda: codes(TEXT, rows("text", 39, 80)), lambda: codes(TEXT, rows("text", 40, 80))),
    "LEAKAGE-ALL": (lambda: codes(TEXT, TEXT), lambda: codes(TEXT, rows("text", 39, 80))),
    "LABEL-SPELLING": (
        lambda: codes(labelled(("card_arrival", 30), ("lost_card", 30), ("Card arrival", 5))),
        lambda: codes(labelled(("card_arrival", 30), ("lost_card", 30), ("card_departure", 5))),
    ),
    "EVAL-LABEL-UNSEEN": (
        lambda: codes(TEXT, rows("text", 40, 80) + labelled(("new", 1))),
        lambda: codes(TEXT, rows("text", 40, 80)),
    ),
    "ROWS-FEW": (lambda: codes(rows("text", 0, 99)), lambda: codes(rows("text", 0, 100))),
    "ROWS-TOO-FEW": (lambda: codes(rows("text", 0, 9)), lambda: codes(rows("text", 0, 10))),
    "ROWS-TOO-MANY": (lambda: codes(rows("text", 0, 10_001)), lambda: codes(rows("text", 0, 10_000))),
    "AUTHORS-TOO-MANY": (lambda: codes(rows("chat", 0, 2_501)), lambda: codes(rows("chat", 0, 2_500))),
    "EVAL-ROWS": (lambda: codes(TEXT, rows("text", 40, 291)), lambda: codes(TEXT, rows("text", 40, 290))),
    "EVAL-TOO-MANY": (
        lambda: codes(rows("reinforcement", 0, 100), rows("reinforcement", 100, 601)),
        lambda: codes(rows("reinforcement", 0, 100), rows("reinforcement", 100, 600)),
    ),
    "EVAL-GROUND-TRUTH": (lambda: codes(TEXT, rows("ground_truth", 40, 80)), lambda: codes(TEXT, rows("text", 40, 80))),
    "EVAL-TOO-FEW": (lambda: codes(TEXT, rows("text", 40, 49)), lambda: codes(TEXT, rows("text", 40, 50))),
    "EVAL-FEW": (lambda: codes(TEXT, rows("text", 40, 69)), lambda: codes(TEXT, rows("text", 40, 70))),
    "EVAL-SHARE": (
        lambda: codes(rows("gemini_contents", 0, 3300), rows("gemini_contents", 3300, 4301)),
        lambda: codes(rows("gemini_contents", 0, 3300), rows("gemini_contents", 3300, 4300)),
    ),
    "EVAL-SHARE-BYTES": (
        lambda: codes(rows("open_chat", 100, 200), rows("open_chat", 200, 226)),
        lambda: codes(rows("open_chat", 100, 200), rows("open_chat", 200, 225)),
    ),
    "TOKENS-EXCEED": (
        lambda: codes(TEXT + line({**text(99), "output_text": "word " * 1_500})),
        lambda: codes(TEXT + line({**text(99), "output_text": "word " * 200})),
    ),
    "TOKENS-DROPPED": (
        lambda: codes(GEMINI + line(ROWS["gemini_contents"](1)).replace(b"Question", b"word " * 150_000)),
        lambda: codes(GEMINI),
    ),
    "TOKENS-OVER": (
        lambda: codes(rows("chat", 0, 40) + line(ROWS["chat"](99)).replace(b"A bank", b"word " * 10_000)),
        lambda: codes(rows("chat", 0, 40)),
    ),
    "TOKENS-MAY-EXCEED": (
        lambda: codes(TEXT + line({**text(99), "output_text": "x" * 3_000})),
        lambda: codes(TEXT + line({**text(99), "output_text": "x" * 1_024})),
    ),
    "MODEL-RETIRED": (
        lambda: codes(TEXT, serves=lambda name: False),
        lambda: codes(GEMINI, serves=lambda name: False),
    ),
    "MODEL-RETIRED-SERVED": (lambda: codes(TEXT, serves=lambda name: True), lambda: codes(GEMINI)),
    "MODEL-UNKNOWN": (lambda: asked(TEXT, base_model="gpt"), lambda: asked(TEXT, base_model="text-bison@002")),
    "MODEL-UNFIT": (
        lambda: asked(TEXT, base_model="gemini-2.5-pro"),
        lambda: asked(GEMINI, base_model="gemini-2.5-pro"),
    ),
    "MODEL-ADAPTER-SIZE": (lambda: asked(GEMINI, adapter_size=32), lambda: asked(GEMINI, adapter_size=4)),
    "MODEL-REGION": (
        lambda: asked(GEMINI, base_model="gemini-3.5-flash", region="asia-east1"),
        lambda: asked(GEMINI, base_model="gemini-3.5-flash", region="us-central1"),
    ),
    "METHOD-UNKNOWN": (lambda: asked(TEXT, method="magic"), lambda: asked(TEXT, method="palm_text_sft")),
    "METHOD-UNFIT": (lambda: asked(TEXT, method="gemini_sft"), lambda: asked(GEMINI, method="gemini_sft")),
    "METHOD-RLAIF": (lambda: asked(TEXT, method="rlaif"), lambda: asked(TEXT)),
    "METHOD-CONTINUOUS": (lambda: asked(GEMINI, method="continuous"), lambda: asked(GEMINI)),
    "METHOD-HYPERPARAMETER": (lambda: asked(GEMINI, train_steps=9), lambda: asked(GEMINI, epochs=9)),
    "METHOD-STEPS-AND-EPOCHS": (lambda: asked(TEXT, train_steps=9, epochs=2), lambda: asked(TEXT, train_steps=9)),
    "METHOD-UNAVAILABLE": (
        lambda: dropped(
            ("a/preferences.jsonl", rows("preference", 0, 40)), ("a/prompts.jsonl", rows("prompts", 0, 40))
        ),
        lambda: dropped(("a.jsonl", TEXT)),
    ),
    "METHOD-NOT-STARTED": (lambda: noted(rows("preference", 0, 40)), lambda: noted(TEXT)),
    "SPLIT-TOO-FEW": (
        lambda: codes(rows("text", 0, 19)),
        lambda: codes(rows("text", 0, 19), rows("text", 40, 80)),
    ),
    "SPLIT-IMPOSSIBLE": (lambda: dropped(("a.jsonl", line(text(1)) * 40)), lambda: dropped(("a.jsonl", TEXT))),
    "SPLIT-MADE": (
        lambda: dropped(("a.jsonl", TEXT)),
        lambda: dropped(("a/train.jsonl", TEXT), ("a/eval.jsonl", rows("text", 40, 80))),
    ),
    "EMBED-ROWS-FEW": (lambda: embedding(corpus=8), lambda: embedding()),
    "EMBED-ROWS-MANY": (lambda: embedding(queries=10_001), lambda: embedding()),
    "CONTENT-SAMPLED": (lambda: codes(rows("prompts", 0, 10_500)), lambda: codes(rows("prompts", 0, 500))),
}
# Tables of the tests beside this one, for rules about more than a row: the file, and the codes that it goes through.
ELSEWHERE = {
    "test_intake_labels.py": ("LABELS-", "EMBED-"),
    "test_intake_drops.py": ("OBJECT-", "ROLE-", "SET-", "REQUEST-"),
    "test_intake_content.py": (
        *("ANSWER-", "LABEL-", "LEAKAGE-NEAR", "SIMILAR-", "INSTRUCTION-", "POLARITY-", "LENGTH-", "LANGUAGE-"),
        *("PERSONAL-", "SECRET-"),
    ),
}
RULES = {one.code: one for one in all_rules()}
# Of codes that a format's prefix begins.
SUFFIXES = {"CONTENT-TYPE", "ROLE-ORDER", "ROLE-TYPE", "EMPTY-CONTENT", "MISSING-CONTENT"}
HERE = [code for code in RULES if code in CASES or not code.startswith(tuple(sum(ELSEWHERE.values(), ())))]


def fillers(code: str) -> list[bytes]:
    """Rows among which the example of a rule may be one of its format; nothing, for examples that are whole files."""
    return [*(rows(fmt, 100, 112) for fmt in FORMATS.get(code.partition("-")[0], ("text",))), b""]


def example(code: str) -> tuple[set[str], set[str]]:
    """The codes that the wrong and the right example of a rule give, in a file where the wrong one gives its own."""
    wrong, right = RULES[code].wrong.encode("utf-8", "surrogatepass"), RULES[code].right.encode()
    for filler in fillers(code):
        if code in (found := codes(filler + wrong + b"\n")):
            return found, codes(filler + right + b"\n")
    raise AssertionError(f"{code}: its wrong example gives {found}")


@pytest.mark.parametrize("code", HERE)
def test_a_rule_finds_what_is_wrong_and_leaves_alone_what_is_right(code: str) -> None:
    """What is wrong by every rule gives its finding, and what is right does not."""
    wrong, right = (case() for case in CASES[code]) if code in CASES else example(code)
    assert code in wrong
    assert code not in right


def test_there_are_enough_rules() -> None:
    """The rules are hundreds, and none is without a table that walks it."""
    assert len(RULES) >= 150
    for name, prefixes in ELSEWHERE.items():
        (path,) = Path(__file__).parent.parent.rglob(name)
        walked = path.read_text()
        assert all(any(code.startswith(prefix) for code in RULES) for prefix in prefixes)
        left = [code for code in RULES if code not in HERE and code.startswith(prefixes) and code not in walked]
        assert left == [] or "read_yaml(" in walked


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_complete_in_every_language(code: str) -> None:
    """Title, message and fix in each language, a kind of the vocabulary, examples and a source."""
    one = rule(code)
    assert one.kind in kinds()
    assert one.wrong and one.right and one.source
    for words in (one.title, one.message, one.fix, one.allowed):
        assert set(words) == set(LANGUAGES)
    for language in LANGUAGES:
        assert one.title[language] and one.message[language] and one.fix[language]
    # The languages are told the same values.
    for words in (one.message, one.allowed, one.fix):
        places = {language: set(re.findall(r"\{([a-z_]+)\}", words[language])) for language in LANGUAGES}
        assert places["en"] == places["ja"]


@pytest.mark.parametrize("word", kinds())
def test_every_kind_is_used_and_explained(word: str) -> None:
    """The vocabulary has no word that no rule uses."""
    assert any(one.kind == word for one in RULES.values())
    assert all(kinds()[word][language] for language in LANGUAGES)


def test_every_code_in_the_sources_has_a_rule() -> None:
    """A finding cannot be added whose code has no rule; those of dialogues are made of a prefix and a suffix."""
    package = Path(judge.__globals__["check"].__code__.co_filename).parent
    first_words = {code.partition("-")[0] for code in RULES}
    for path in [*package.rglob("*.py"), package.parent / "validate.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                code = re.fullmatch(r"[A-Z]+(-[A-Z0-9]+)+", node.value)
                if code and code[0] not in SUFFIXES and code[0].partition("-")[0] in first_words:
                    assert code[0] in RULES, f"{path.name}: {code[0]}"


def test_what_a_finding_says_is_filled_in() -> None:
    """Whole numbers get separators, and a place without a value stays as it is."""
    assert fill("{found} of {rows}, {x}", {"found": "`a`", "rows": 12_345}) == "`a` of 12,345, {x}"


def test_content_can_be_left_out() -> None:
    """Rules about content are not looked at when that is asked for."""
    data = labelled(("yes", 500), ("no", 5))
    assert "LABEL-DOMINANT" in codes(data)
    assert "LABEL-DOMINANT" not in codes(data, options=Options(content=False))


def test_the_readme_names_every_kind_and_every_format() -> None:
    """What programs may rely on is documented, with how many codes there are of a kind."""
    told = (Path(judge.__globals__["check"].__code__.co_filename).parent / "README.md").read_text(encoding="utf-8")
    for word in kinds():
        codes_of_kind = sum(one.kind == word for one in RULES.values())
        assert re.search(rf"^\| `{word}` \| .* \| {codes_of_kind} \| `[A-Z0-9-]+`", told, re.MULTILINE), word
    for name in get_args(Format):
        assert f"`{name}`" in told
