"""The rules of the intake: what each code means, in every language, read from the YAML files of this folder.

A code's first word says which file it is in, so that a finding costs the reading of one file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
import yaml

from ...events import Severity

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
Words = dict[Language, str]
# What `droptune fix` can do about a finding: correct the row without loss, remove it, or nothing.
Remedy = Literal["correct", "remove", "none"]

# The first word of a code, or a whole code, and the file that its rule is in.
FILES: Mapping[str, str] = {
    **dict.fromkeys(
        ("FILE", "BOM", "CRLF", "BLANK", "LINE", "BAD", "NUL", "LONE", "JSON", "DUPLICATE", "NOT"), "bytes"
    ),
    **dict.fromkeys(("FORMAT", "FORMATS", "ROW"), "formats"),
    "PURPOSE": "purpose",
    "FILE-TOO-LARGE": "limits",
    "TEXT": "text",
    "RATIONALE": "text",
    "CHAT": "chat",
    "MESSAGES": "gemini_messages",
    "GEMINI": "gemini_contents",
    "PREF": "preference",
    "GPREF": "gemini_preference",
    "RL": "reinforcement",
    "PROMPT": "prompts",
    "OPEN": "open_models",
    "COMPLETION": "open_models",
    "TRUTH": "evaluation",
    "BATCH": "evaluation",
    "OPENAI": "openai",
    "OPREF": "openai",
    "EMBED": "embedding",
    "LABELS": "embedding",
    **dict.fromkeys(("DUPLICATE-ROW", "DUPLICATES", "CONFLICTING", "LEAKAGE", "ANSWER", "LABEL"), "rows"),
    **dict.fromkeys(
        ("SIMILAR", "INSTRUCTION", "POLARITY", "LENGTH", "LANGUAGE", "PERSONAL", "SECRET", "CONTENT"), "content"
    ),
    **dict.fromkeys(("ROWS", "EVAL", "TOKENS", "AUTHORS", "SPLIT", "MODEL", "METHOD"), "limits"),
    **dict.fromkeys(("OBJECT", "ROLE", "REQUEST", "SET"), "drops"),
}
_PLACE = re.compile(r"\{([a-z_]+)\}")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a code means. `message`, `allowed` and `fix` may name values of a finding as ``{found}``.

    Of a rule that is `once`, the first finding per file and place is kept and the others counted: it says something
    about the file rather than about a row. `wrong` and `right` are examples; what is not text is described.
    """

    code: str
    kind: str
    severity: Severity
    remedy: Remedy = "none"
    title: Words
    message: Words
    allowed: Words
    fix: Words
    wrong: str
    right: str
    source: str
    once: bool = False


def rule(code: str) -> Rule:
    """The rule of a code; KeyError when there is none."""
    return _file(FILES.get(code) or FILES[code.partition("-")[0]])[code]


def all_rules() -> Iterator[Rule]:
    """Every rule, by file and in the order of the file."""
    for name in dict.fromkeys(FILES.values()):
        yield from _file(name).values()


def fill(text: str, values: Mapping[str, Any]) -> str:
    """The text with its ``{places}`` filled from the values; whole numbers get separators of thousands."""

    def value(match: re.Match[str]) -> str:
        given = values.get(match[1], match[0])
        return f"{given:,}" if isinstance(given, int) else str(given)

    return _PLACE.sub(value, text)


def read_yaml(name: str) -> Any:
    """A YAML file of this folder."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"), Loader=loader)


@cache
def kinds() -> Mapping[str, Words]:
    """The vocabulary of `Rule.kind`, each word with what it means."""
    return msgspec.convert(read_yaml("kinds"), dict[str, Words])


@cache
def _file(name: str) -> Mapping[str, Rule]:
    return {code: msgspec.convert({"code": code, **entry}, Rule) for code, entry in read_yaml(name).items()}
