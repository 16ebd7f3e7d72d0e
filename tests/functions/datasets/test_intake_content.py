"""Rules about content: what each of them finds, and what it leaves alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest
from intake_rows import leaks_in

from droptune.datasets.content import Preferences, Sampled, Totals, compare, examine
from droptune.datasets.findings import Findings
from droptune.datasets.formats import FORMATS
from droptune.datasets.rules import Rule, all_rules
from droptune.events import Format, Role

Row = Mapping[str, Any]

SUBJECTS = (
    "my new card",
    "the money transfer",
    "a cash withdrawal",
    "the exchange rate",
    "my monthly bill",
    "that refund",
)
VERBS = ("still has not arrived at", "was declined twice near", "looks wrong since I left", "should be cheaper at")
PLACES = ("the hotel", "the airport", "our office", "her school", "a small shop")
LABELS = ("card_arrival", "transfer", "cash", "rate")
ASKED = [f"{s} {v} {p}" for s, v, p in product(SUBJECTS, VERBS, PLACES)]
CHARGES = "Could you explain what these charges on my bill are?"
ANSWERED = [f"Please tell us when you noticed that {text}, and we look into it." for text in ASKED]


def text(prompt: str, answer: str) -> Row:
    return {"input_text": prompt, "output_text": answer}


def pair(at: int, better: str, worse: str, choice: int | None = None) -> Row:
    chosen = at % 2 if choice is None else choice
    first, second = (worse, better) if chosen else (better, worse)
    return {"input_text": ASKED[at], "candidate_0": first, "candidate_1": second, "choice": chosen}


def sampled(fmt: Format, rows: Sequence[Row]) -> list[Sampled]:
    return [Sampled(n, 100 * n, msgspec.convert(row, FORMATS[fmt].row)) for n, row in enumerate(rows, 1)]


def totals(fmt: Format, rows: Sequence[Row]) -> Totals:
    if fmt in ("preference", "chat_preference"):
        lengths = [(len(row[f"candidate_{row['choice']}"]), len(row[f"candidate_{1 - row['choice']}"])) for row in rows]
        longer, shorter = sum(b > w for b, w in lengths), sum(b < w for b, w in lengths)
        first = sum(row["choice"] == 0 for row in rows)
        means = [sum(column) / len(rows) for column in zip(*lengths, strict=True)]
        return Totals(None, Preferences(len(rows), longer, shorter, len(rows) - longer - shorter, first, *means))
    if fmt == "text":
        return Totals(Counter(row["output_text"] for row in rows))
    return Totals()


def found(fmt: Format, rows: Sequence[Row], role: Role = "train", of: int | None = None) -> Findings:
    findings = Findings()
    kept, leaks = sampled(fmt, rows), leaks_in(fmt, rows)
    examine(FORMATS[fmt], role, "f.jsonl", kept, of or len(rows), totals(fmt, rows), leaks, findings)
    return findings


LABELLED = [text(f"Which topic is this message about? Text: {a}", LABELS[n % 4]) for n, a in enumerate(ASKED)]
ANSWERS = [text(a, b) for a, b in zip(ASKED, ANSWERED, strict=True)]
REFUSAL = "I'm sorry, but I can't help with that request."
LONG = (
    "We looked into the matter and found that the payment was held because the bank of the receiver "
    "asked for one more document"
)
PAIRS = [pair(n, ANSWERED[n], ANSWERED[n][7:] + (" Thanks a lot." if n % 2 else "")) for n in range(60)]


def with_rows(good: Sequence[Row], *rows: Row) -> list[Row]:
    return [*good, *rows]


def answering(answer: str) -> list[Row]:
    return with_rows(ANSWERS, text(CHARGES, answer))


def asking(prompt: str) -> list[Row]:
    return with_rows(ANSWERS, text(prompt, "We will call you back about it today."))


class Case(NamedTuple):
    code: str
    fmt: Format
    wrong: Sequence[Row]
    right: Sequence[Row]


DE = [
    text(
        f"Ich weiß nicht, was mit der Karte {n} ist und wie ich sie sperre",
        "Das ist nicht schlimm, und wir helfen auch dir",
    )
    for n in "abcdefghij"
]
CASES = [
    Case(
        "SIMILAR-FORM",
        "text",
        with_rows(LABELLED, text("which topic is this message about?  TEXT: " + ASKED[0].upper() + "!", LABELS[0])),
        LABELLED,
    ),
    Case("SIMILAR-FORM", "text", with_rows(ANSWERS, text(ASKED[3].replace("m", "ｍ"), ANSWERED[3])), ANSWERS),
    Case(
        "SIMILAR-CONFLICT",
        "text",
        with_rows(LABELLED, text(LABELLED[0]["input_text"] + "?", LABELS[2])),
        with_rows(
            LABELLED,
            text("Which topic is this message about? Text: 2.5 and 3", "cash"),
            text("Which topic is this message about? Text: 25 and 3", "rate"),
        ),
    ),
    Case(
        "SIMILAR-ROW",
        "text",
        with_rows(
            ANSWERS,
            text(f"{LONG}. {ASKED[0]}. {LONG[::-1]}", "ok"),
            text(f"{LONG}. {ASKED[0]}. {LONG[::-1]} really", "ok"),
        ),
        with_rows(ANSWERS, text(f"{LONG}. {ASKED[0]} 17 times", "ok"), text(f"{LONG}. {ASKED[0]} 18 times", "ok")),
    ),
    Case(
        "SIMILAR-ROW",
        "text",
        with_rows(ANSWERS, text(f"{LONG} {LONG[::-1]} Really", "ok then"), text(f"{LONG} {LONG[::-1]}", "ok then")),
        [text(f"{LONG}. Answer in one word. {a}", "yes") for a in ASKED],
    ),
    Case(
        "INSTRUCTION-SOME",
        "text",
        with_rows(LABELLED[:90], *(text(a, LABELS[n % 4]) for n, a in enumerate(ASKED[90:100]))),
        LABELLED,
    ),
    Case(
        "INSTRUCTION-SOME",
        "text",
        [LABELLED[n] if n % 3 else text(a, LABELS[n % 4]) for n, a in enumerate(ASKED)],
        [text(a, LABELS[n % 4]) for n, a in enumerate(ASKED)],
    ),
    Case(
        "INSTRUCTION-SOME",
        "text",
        [text(a + ("" if n < 5 else "\nAnswer with one topic only:"), LABELS[n % 4]) for n, a in enumerate(ASKED)],
        [text(a + "\nAnswer with one topic only:", LABELS[n % 4]) for n, a in enumerate(ASKED)],
    ),
    Case(
        "INSTRUCTION-MARKERS",
        "text",
        [
            text(f"question: {a} context: {b}" if n % 3 else a, "it is so")
            for n, (a, b) in enumerate(zip(ASKED, ANSWERED, strict=True))
        ],
        [text(f"question: {a} context: {b}", "it is so") for a, b in zip(ASKED, ANSWERED, strict=True)],
    ),
    Case(
        "INSTRUCTION-SEVERAL",
        "text",
        [
            text(
                (
                    f"Which topic is this message about? Text: {a}"
                    if n % 2
                    else f"Say in one word what the client wants: {a}"
                ),
                LABELS[n % 4],
            )
            for n, a in enumerate(ASKED)
        ],
        LABELLED,
    ),
    Case("INSTRUCTION-NONE", "text", [text(a, LABELS[n % 4]) for n, a in enumerate(ASKED)], LABELLED),
    Case(
        "POLARITY-REFUSAL",
        "preference",
        [pair(n, REFUSAL, ANSWERED[n]) for n in range(20)],
        [pair(n, ANSWERED[n], REFUSAL) for n in range(20)],
    ),
    Case(
        "POLARITY-EMPTY",
        "preference",
        [pair(n, "N/A", ANSWERED[n]) for n in range(20)],
        [pair(n, ANSWERED[n], "N/A") for n in range(20)],
    ),
    Case(
        "POLARITY-REVERSED",
        "preference",
        [pair(n, ("...", REFUSAL)[n % 3 == 0], ANSWERED[n]) for n in range(12)],
        PAIRS,
    ),
    Case("POLARITY-SHORTER", "preference", [pair(n, a[:30], a) for n, a in enumerate(ANSWERED[:40])], PAIRS),
    Case("LENGTH-BIAS", "preference", [pair(n, a, a[:30]) for n, a in enumerate(ANSWERED[:40])], PAIRS),
    Case("POLARITY-ONE-SIDED", "preference", [pair(n, a, a[9:], 1) for n, a in enumerate(ANSWERED[:40])], PAIRS),
    Case(
        "POLARITY-SAME",
        "preference",
        with_rows(PAIRS, pair(70, "On its way.", "on its way")),
        with_rows(PAIRS, pair(70, "It is 1.5 km", "It is -1.5 km")),
    ),
    Case("LANGUAGE-MIXED", "text", with_rows(ANSWERS, *DE), ANSWERS),
    Case(
        "LANGUAGE-ANSWER",
        "text",
        answering("Das ist nicht schlimm, und wir helfen auch dir mit der Karte"),
        [text(a, "カードはまもなく届きますので、少々お待ちください。") for a in ASKED],
    ),
    Case(
        "PERSONAL-EMAIL",
        "text",
        asking("Write to taro.yamada@gmail.com instead"),
        asking("Write to user@example.com or @taro instead"),
    ),
    Case(
        "PERSONAL-PHONE",
        "text",
        asking("Call me at (415) 861-0321 instead"),
        asking("The order 4158610321 of 2023-01-15 10:30:55"),
    ),
    Case(
        "PERSONAL-PHONE", "text", asking("電話番号は０９０－１２３４－５６７８です"), asking("ISBN 978-4-00-310101-8")
    ),
    Case(
        "PERSONAL-IP", "text", asking("Login from 81.187.214.103 failed"), asking("Login from 192.168.100.101 failed")
    ),
    Case(
        "PERSONAL-CARD",
        "text",
        asking("My card 4242 4242 4242 4242 was declined"),
        asking("My card 4242 4242 4242 4243 was declined"),
    ),
    Case(
        "PERSONAL-IBAN",
        "text",
        asking("Pay to GB82 WEST 1234 5698 7654 32 today"),
        asking("Pay to GB83 WEST 1234 5698 7654 32 today"),
    ),
    Case("PERSONAL-SSN", "text", asking("My SSN is 219-09-9999"), asking("The part 000-09-9999 and 219-099-999")),
    Case("SECRET-AWS", "text", asking("Why does AKIAIOSFODNN7EXAMPLE fail?"), asking("AKIA is a prefix")),
    Case(
        "SECRET-GOOGLE",
        "text",
        asking("Use AIza" + "0123456789abcdefghijABCDEFGHIJ01234" + " here"),
        asking("AIza-short-and-more-text"),
    ),
    Case(
        "SECRET-GITHUB",
        "text",
        asking("Clone with ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"),
        asking("Begin it with ghp_ as always"),
    ),
    Case(
        "SECRET-OPENAI",
        "text",
        answering("Set sk-proj-" + "0123456789abcdefghijABCDEF" + " first"),
        answering("A risk-free-and-task-oriented-approach-to-life helps"),
    ),
    Case("SECRET-SLACK", "text", asking("The bot uses xoxb-" + "000000000000-EXAMPLE"), asking("xoxb tokens")),
    Case("SECRET-TOKEN", "text", asking("Pull with glpat-" + "0123456789abcdefghij"), asking("glpat-tokens")),
    Case(
        "SECRET-JWT",
        "text",
        asking("Header: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefgh12345678"),
        asking("Header: eyJhbGciOiJIUzI1NiJ9"),
    ),
    Case(
        "SECRET-PRIVATE-KEY",
        "text",
        asking("-----BEGIN RSA PRIVATE KEY-----\nMII"),
        asking("-----BEGIN PUBLIC KEY-----\nMII"),
    ),
    Case(
        "SECRET-PASSWORD",
        "text",
        asking("Log in with password: tr0ub4dor3 and try"),
        asking("I forgot my password: please help. password=<your password1>"),
    ),
    Case("ANSWER-CONSTANT", "text", [text(a, "ok") for a in ASKED], ANSWERS),
    Case(
        "ANSWER-REFUSALS",
        "text",
        answering(REFUSAL),
        answering("I'm sorry that it took so long; you can help yourself now."),
    ),
    Case(
        "ANSWER-REFUSALS",
        "text",
        answering("As an AI language model, I do not have access to that."),
        answering("As an AI researcher she wrote two books."),
    ),
    Case(
        "ANSWER-REFUSALS",
        "text",
        answering("申し訳ありませんが、そのご質問にはお答えできません。"),
        answering("申し訳ありません。すぐに交換品をお送りします。"),
    ),
    Case("ANSWER-PLACEHOLDER", "text", answering("TODO"), answering("To do this, open the app.")),
    Case(
        "ANSWER-PLACEHOLDER",
        "text",
        answering("-"),
        [text(each["input_text"], "none" if n % 5 == 0 else "some") for n, each in enumerate(LABELLED)],
    ),
    Case("ANSWER-SPACES", "text", answering("On its way.\n"), answering("On its way.")),
    Case("ANSWER-SPACES", "completion", [{"prompt": "a", "completion": " b "}], [{"prompt": "a", "completion": " b"}]),
    Case("ANSWER-ECHO", "text", answering(CHARGES), answering("You can see what they are on the bill.")),
    Case(
        "ANSWER-ECHO",
        "text",
        [
            text(f"Translate this text into German: {a}", a if n == 7 else f"Es gibt {n} davon in der Bank")
            for n, a in enumerate(ASKED)
        ],
        [text(f"Translate this text into German: {a}", f"Es gibt {n} davon in der Bank") for n, a in enumerate(ASKED)],
    ),
    Case(
        "ANSWER-CUT",
        "text",
        with_rows(ANSWERS, *(text(f"Tell me more about it, {n}", f"{n} {LONG}"[:120]) for n in "abcdef")),
        with_rows(ANSWERS, *(text(f"Tell me more about it, {n}", f"{n} {LONG}"[:119] + ".") for n in "abcdef")),
    ),
    Case(
        "LABEL-SPELLING",
        "text",
        with_rows(LABELLED, text("Which topic is this message about? Text: no card yet", "Card arrival")),
        LABELLED,
    ),
    Case(
        "LABEL-SPELLING",
        "text",
        with_rows(LABELLED, text("Which topic is this message about? Text: no money", "ｃａｓｈ")),
        [text(each["input_text"], ("-1", "1", "C", "C++")[n % 4]) for n, each in enumerate(LABELLED)],
    ),
    Case(
        "LABEL-BALANCE",
        "text",
        [
            text(each["input_text"], "cash" if n % 5 else "transfer" if n % 20 else "rate")
            for n, each in enumerate(LABELLED)
        ],
        LABELLED,
    ),
    Case(
        "LABEL-DOMINANT",
        "text",
        [text(each["input_text"], "cash" if n > 5 else "rate") for n, each in enumerate(LABELLED)],
        LABELLED,
    ),
    Case(
        "LABEL-RARE",
        "text",
        with_rows(LABELLED, text("Which topic is this message about? Text: no pin", "change_pim")),
        LABELLED,
    ),
]


# Said by the owner of the counts over all rows, or tested apart below.
ELSEWHERE = frozenset(
    (
        "CONTENT-SAMPLED",
        "DUPLICATE-ROW",
        "DUPLICATES-PARTLY",
        "CONFLICTING-ANSWERS",
        "LEAKAGE",
        "LEAKAGE-ALL",
        "LEAKAGE-NEAR",
    )
)


@pytest.mark.parametrize("case", CASES, ids=[f"{n}-{case.code}" for n, case in enumerate(CASES)])
def test_rule_finds_its_fault_and_nothing_else(case: Case) -> None:
    """Each rule about content finds the rows that it is for, and is silent about rows that look like them."""
    wrong, right = found(case.fmt, case.wrong), found(case.fmt, case.right)
    assert wrong.by_code[case.code]
    assert not right.by_code[case.code]
    for finding in wrong.listed():
        assert "{" not in finding.message + finding.fix, finding


def test_every_rule_about_content_has_a_case() -> None:
    """No rule about content is without a passing and a failing example."""
    words = (
        "SIMILAR",
        "INSTRUCTION",
        "POLARITY",
        "LENGTH",
        "LANGUAGE",
        "PERSONAL",
        "SECRET",
        "CONTENT",
        "ANSWER",
        "LABEL",
    )
    codes = {rule.code for rule in all_rules() if rule.code.startswith(tuple(f"{word}-" for word in words))}
    assert codes - ELSEWHERE == {case.code for case in CASES}


def test_good_rows_give_no_warning() -> None:
    """Rows with an instruction and balanced labels, answers to questions, and sound pairs are left alone."""
    for fmt, rows in (("text", LABELLED), ("text", ANSWERS), ("preference", PAIRS)):
        findings = found(fmt, rows)  # type: ignore[arg-type]
        assert not findings.count("warning"), findings.listed()


def test_sample_is_said() -> None:
    """When only some rows were looked at, a note says how many."""
    (note,) = [each for each in found("text", LABELLED, of=9_000).listed() if each.code == "CONTENT-SAMPLED"]
    assert note.values == {"sampled": len(LABELLED), "rows": 9_000}
    assert not found("text", LABELLED).by_code["CONTENT-SAMPLED"]


def test_personal_data_are_never_quoted() -> None:
    """A finding about personal data or a secret has a line, and nothing of what stands there."""
    secret = "tr0ub4dor3"
    findings = found("text", asking(f"password: {secret} card 4242 4242 4242 4242 of taro.yamada@gmail.com"))
    told = [each for each in findings.listed() if each.code.startswith(("PERSONAL", "SECRET"))]
    assert {each.code for each in told} == {"PERSONAL-EMAIL", "PERSONAL-CARD", "SECRET-PASSWORD"}
    assert all(each.line == len(ANSWERS) + 1 and each.excerpt is None for each in told)
    encoded = msgspec.json.encode(findings.listed()).decode()
    assert not any(word in encoded for word in (secret, "4242", "yamada"))


def test_evaluation_prompts_nearly_trained_on_are_leakage() -> None:
    """An evaluation prompt that is a training prompt in another form, or but for a word, is found; others are not."""
    words = " ".join((*ASKED, LONG)).split()
    train = [text("Answer the client. " + " ".join(Random(n).sample(words, 40)), "ok") for n in range(60)]
    exact, form = train[5], text(train[6]["input_text"].upper() + "!", "ok")
    word = text(train[7]["input_text"] + " Thanks.", "ok")
    other = text("Answer the client. Nothing works here, and nobody tells me why that is so in this town.", "ok")
    findings = Findings()
    compare(
        FORMATS["text"],
        "train.jsonl",
        sampled("text", train),
        "eval.jsonl",
        sampled("text", [exact, form, word, other]),
        findings,
    )
    near = [(each.line, each.found, each.file) for each in findings.listed() if each.code == "LEAKAGE-NEAR"]
    assert near == [(2, "7", "eval.jsonl"), (3, "8", "eval.jsonl")]


def test_gemini_and_openai_preferences_are_read_by_score_and_field() -> None:
    """The better candidate is the completion with score 1, and the preferred output, wherever it stands."""

    def completion(words: str, score: int) -> Row:
        return {"score": score, "completion": {"role": "model", "parts": [{"text": words}]}}

    gemini = [
        {
            "contents": [{"role": "user", "parts": [{"text": ASKED[n]}]}],
            "completions": [completion(ANSWERED[n], 0), completion(REFUSAL, 1)],
        }
        for n in range(20)
    ]
    openai = [
        {
            "input": {"messages": [{"role": "user", "content": ASKED[n]}]},
            "preferred_output": [{"role": "assistant", "content": REFUSAL}],
            "non_preferred_output": [{"role": "assistant", "content": ANSWERED[n]}],
        }
        for n in range(20)
    ]
    assert found("gemini_preference", gemini).by_code["POLARITY-REFUSAL"] == 1
    assert found("openai_preference", openai).by_code["POLARITY-REFUSAL"] == 1


EXAMPLES = [rule for rule in all_rules() if rule.wrong.startswith("{") and rule.code in {case.code for case in CASES}]


@pytest.mark.parametrize("rule", EXAMPLES, ids=[rule.code for rule in EXAMPLES])
def test_example_of_a_rule_breaks_it(rule: Rule) -> None:
    """The wrong row that explains a rule has the fault among good rows, and the right one does not."""
    wrong, right = msgspec.json.decode(rule.wrong), msgspec.json.decode(rule.right)
    fmt: Format
    fmt, good = ("preference", PAIRS) if "choice" in wrong else ("text", ANSWERS)
    assert found(fmt, with_rows(good, wrong)).by_code[rule.code]
    assert not found(fmt, with_rows(good, right)).by_code[rule.code]


def test_messages_name_the_same_values_in_both_languages() -> None:
    """Every rule about content says in Japanese what it says in English."""
    for rule in all_rules():
        if rule.code in {case.code for case in CASES} | ELSEWHERE:
            for words in (rule.title, rule.message, rule.allowed, rule.fix):
                assert set(words) == {"en", "ja"}, rule.code
                assert Counter(re.findall(r"\{\w+\}", words["en"])) == Counter(re.findall(r"\{\w+\}", words["ja"])), (
                    rule.code
                )
