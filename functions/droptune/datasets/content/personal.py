"""Personal data and secrets: how many rows hold what looks like them, and where; never what stands there.

The bytes of the whole sample are searched for what all of these have: an ``@``, seven digits in a row but for
separators, or a run of at least twenty letters, digits and signs of keys. Only texts that have one are looked at with
patterns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from string import ascii_letters, digits
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..findings import Findings
from ..rowformat import Values
from .sample import SEPARATOR, Sample

LEAST_DIGITS = 7
BARE_PHONE = range(10, 12)
LEAST_RUN = 20
MAX_NUMBERS = 20  # of one text that are looked at
AROUND = 36  # characters beside a number that may belong to it, or say what it is

_NUL = SEPARATOR.encode()
# Digits stay, letters become x, and what may stand between the digits of one number is left out.
_DIGITS = bytes(c if 48 <= c <= 57 or c == 0 else 120 for c in range(256))
_BETWEEN_DIGITS = b" -.()+/"
_SIGNS_OF_KEYS = (ascii_letters + digits + "+/=-_.:").encode()
_BREAKS = bytes(c not in _SIGNS_OF_KEYS for c in range(256))
_NAMES = (b"assword", b"ASSWORD", "パスワード".encode(), b"-----BEGIN")
_TELLING = re.compile(
    rb"AKIA|ASIA|AIza|ya29\.|gh[pousr]_|github_pat_|sk-|xox|eyJ|(?i:pass|pwd|secret|key|token)[\"']?[=:]"
)

_NUMBER = re.compile(r"[0-9][0-9 .()/+-]{5,40}[0-9]")
_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?!example\.|test\.)(?:[A-Za-z0-9-]{1,63}\.){1,4}(?!example\b|test\b|invalid\b|local\b)[A-Za-z]{2,24}\b",
    re.ASCII,
)
_PHONE = re.compile(
    r"(?<![\w.+-])(?:"
    r"\+\d{1,3}[ .-]?(?:\(0?\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}"  # +81 3-1234-5678
    r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|[2-9]\d{2}([.-])[2-9]\d{2}\1\d{4}"  # (415) 555-1234
    r"|0\d{1,4}-\d{1,4}-\d{4}|0[5789]0\d{8}|0\d{1,4}\(\d{1,4}\)\d{4}"  # 03-1234-5678
    r"|0\d{2,4}[ /]\d{3,4} ?\d{3,4}"  # 020 7946 0000
    r")(?![\w-])",
    re.ASCII,
)
# What a number of ten or eleven digits without separators follows when it is one to be called.
_CALL = re.compile(
    r"(?:phone|tel|telephone|mobile|cell|fax|call|電話|携帯|連絡先)(?:番号)?(?: number)?(?: is)?\W{0,3}(?:at )?$",
    re.ASCII,
)
_CARD = re.compile(r"(?<![\d.-])[2-6]\d{3}(?:([ -]?)\d{4}\1\d{4}\1\d{1,7}|([ -]?)\d{6}\2\d{5})(?![\d-])", re.ASCII)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b", re.ASCII)
_SSN = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])", re.ASCII)
_IP = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]*\d)", re.ASCII)

_KEYS: Mapping[str, re.Pattern[str]] = {
    "SECRET-AWS": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "SECRET-GOOGLE": re.compile(r"\bAIza[\w-]{35}(?![\w-])|\bya29\.[\w-]{20,}", re.ASCII),
    "SECRET-GITHUB": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{22,}", re.ASCII),
    "SECRET-OPENAI": re.compile(r"(?<![\w-])sk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}", re.ASCII),
    "SECRET-SLACK": re.compile(r"\bxox[abeoprs]-[\w-]{10,}", re.ASCII),
    "SECRET-JWT": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}", re.ASCII),
    "SECRET-PRIVATE-KEY": re.compile(r"-----BEGIN (?:[A-Z]{2,9} ){0,2}PRIVATE KEY-----"),
}
_ASSIGNED = re.compile(
    r"(?:pass(?:word|wd|phrase)|pwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token|パスワード)"
    r"[\"']?\s{0,2}(?:[=:：]|は)\s{0,2}[\"'「]?([^\s\"'「」,;<>{}()*]{6,80})",
    re.IGNORECASE,
)
_NO_PASSWORD = re.compile(r"your|example|change|placeholder|xxx|…|\.\.\.|\$|%|\[", re.IGNORECASE)


def examine_personal(sample: Sample, findings: Findings) -> None:
    """Rows that hold what looks like personal data or a secret; a finding for each row of the graver kinds."""
    data = sample.data
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
    found: dict[str, set[int]] = {}
    for texts, codes_in in (
        (_rows_with(data, b"@", ends), _mail_codes),
        (_rows_with_digits(data), _number_codes),
        (_rows_with_keys(data, ends), _secret_codes),
    ):
        for at in texts:
            text = data[ends[at - 1] + 1 if at else 0 : ends[at]].decode("utf-8", "replace")
            for code in codes_in(text):
                found.setdefault(code, set()).add(at % len(sample))  # replies stand after the prompts
    for code, rows in found.items():
        if code in SUMMARISED:
            sample.report(findings, code, sorted(rows))
        else:
            nothing: Values = {}
            sample.report_rows(findings, code, [(at, nothing) for at in sorted(rows)])


def _rows_with(data: bytes, sign: bytes, ends: NDArray[np.int64]) -> set[int]:
    """Texts of the data that contain a byte string."""
    return set(np.searchsorted(ends, list(_places(data, sign))).tolist())


def _places(data: bytes, sign: bytes) -> Iterator[int]:
    at = data.find(sign)
    while at >= 0:
        yield at
        at = data.find(sign, at + 1)


def _rows_with_digits(data: bytes) -> set[int]:
    """Texts with seven digits in a row but for separators, other than serial numbers without any."""
    joined = _digits(data.translate(_DIGITS, _BETWEEN_DIGITS))
    if not joined.sevens.any():
        return set()
    bare = _digits(data)
    # A serial number of up to nine digits has as many places of seven in a row with and without the separators.
    texts = len(joined.ends)
    differ = np.bincount(joined.text_of(joined.sevens), minlength=texts) != np.bincount(
        bare.text_of(bare.sevens), minlength=texts
    )
    tens = _both(joined.sevens, 3)
    return set(np.flatnonzero(differ).tolist()) | set(joined.text_of(tens).tolist())


class _Digits(NamedTuple):
    """Where texts end, and where seven digits in a row begin."""

    ends: NDArray[np.int64]
    sevens: NDArray[np.bool_]

    def text_of(self, marks: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.searchsorted(self.ends, np.flatnonzero(marks))


def _digits(data: bytes) -> _Digits:
    signs = np.frombuffer(data, np.uint8)
    two = _both((signs - np.uint8(48)) < 10, 1)
    return _Digits(np.flatnonzero(signs == 0), _both(_both(two, 2), 3))


def _both(marks: NDArray[np.bool_], distance: int) -> NDArray[np.bool_]:
    """Where a mark is, and another at this distance after it."""
    return marks[:-distance] & marks[distance:]


def _rows_with_keys(data: bytes, ends: NDArray[np.int64]) -> set[int]:
    """Texts with a word that announces a secret, or a long run of the signs of keys that may be one."""
    breaks = np.flatnonzero(np.frombuffer(data.translate(_BREAKS), np.bool_))
    starts = np.concatenate(([0], breaks[:-1] + 1)) if len(breaks) else breaks
    long = np.flatnonzero(breaks - starts >= LEAST_RUN)
    told: dict[bytes, bool] = {}  # a template has the same runs in every row
    places = []
    for start, end in zip(starts[long].tolist(), breaks[long].tolist(), strict=True):
        run = data[start:end]
        if run not in told:
            told[run] = _TELLING.search(run) is not None
        if told[run]:
            places.append(start)
    return set(np.searchsorted(ends, places).tolist()).union(*(_rows_with(data, name, ends) for name in _NAMES))


def _luhn(number: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(map(int, number[-1::-2])) + sum(doubled)) % 10 == 0


def _has_card(text: str) -> bool:
    """A number with the length, first digit and check digit of a payment card; not one digit over and over."""
    numbers = (re.sub(r"\D", "", match[0]) for match in _CARD.finditer(text))
    return any(13 <= len(number) <= 19 and len(set(number)) > 1 and _luhn(number) for number in numbers)


def _has_iban(text: str) -> bool:
    """An international bank account number whose check digits (ISO 7064, modulo 97) are right."""
    for match in _IBAN.finditer(text):
        iban = match[0].replace(" ", "")
        if 15 <= len(iban) <= 34 and int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1:
            return True
    return False


def _has_ip(text: str) -> bool:
    """A public IPv4 address; those of private networks, loopback and documentation name nobody."""
    return any(not match[0].startswith(_NOT_PUBLIC) for match in _IP.finditer(text))


_NOT_PUBLIC = (
    *("0.", "10.", "127.", "192.168.", "169.254.", "192.0.2.", "198.51.100.", "203.0.113.", "255."),
    *(f"172.{second}." for second in range(16, 32)),
)


def _has_password(text: str) -> bool:
    """A value given to a password or key by name that has letters and digits, or signs, and is no placeholder."""
    for match in _ASSIGNED.finditer(text):
        value = match[1].rstrip(".!?。、")
        mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
        if mixed and len(value) >= 6 and _NO_PASSWORD.search(value) is None:
            return True
    return False


def _mail_codes(text: str) -> set[str]:
    return {"PERSONAL-EMAIL"} if _EMAIL.search(text) else set()


def _number_codes(text: str) -> set[str]:
    """Codes for the numbers in a text, each looked at with what stands around it."""
    codes: set[str] = set()
    for match in islice(_NUMBER.finditer(text), MAX_NUMBERS):
        number = match[0]
        bare = len(number) if number.isdecimal() else 0
        if 0 < bare <= max(BARE_PHONE):  # without separators: a telephone number or, far oftener, a serial number
            if bare in BARE_PHONE and _CALL.search(text[max(0, match.start() - AROUND) : match.start()].lower()):
                codes.add("PERSONAL-PHONE")
        else:
            around = text[max(0, match.start() - AROUND) : match.end() + AROUND]
            codes.update(code for code, (may_be, has) in _NUMBERS.items() if may_be(number) and has(around))
    return codes


def _secret_codes(text: str) -> set[str]:
    codes = {code for code, pattern in _KEYS.items() if pattern.search(text)}
    return codes | {"SECRET-PASSWORD"} if _has_password(text) else codes


# For each code whether a number may be meant, by its look alone, and whether it is, by what stands around it.
_NUMBERS: Mapping[str, tuple[Callable[[str], bool], Callable[[str], bool]]] = {
    "PERSONAL-PHONE": (lambda number: len(number) >= 10, lambda text: _PHONE.search(text) is not None),
    "PERSONAL-CARD": (lambda number: len(number) >= 13, _has_card),
    "PERSONAL-IBAN": (lambda number: len(number) >= 9, _has_iban),
    "PERSONAL-SSN": (lambda number: number.count("-") >= 2, lambda text: _SSN.search(text) is not None),
    "PERSONAL-IP": (lambda number: number.count(".") >= 3, _has_ip),
}
SUMMARISED = frozenset({"PERSONAL-EMAIL", "PERSONAL-PHONE", "PERSONAL-IP"})
