"""What looks like personal data or a secret in a text, as patterns.

Those of secrets and e-mail addresses work on bytes, in a time that grows no faster than the text does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import islice
from string import ascii_letters, digits

import numpy as np
import stringzilla
from numpy.typing import NDArray

BARE_PHONE = range(10, 12)
MAX_NUMBERS = 20  # of one text that are looked at
AROUND = 36  # characters beside a number that may belong to it, or say what it is

_NUMBER = re.compile(r"[0-9][0-9 .()/+-]{5,40}[0-9]")
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

# What stands around the @ of an e-mail address: signs before it, of which the first is a letter or digit, and a domain.
_BEGINNING = (ascii_letters + digits).encode()
_OF_NAMES = _BEGINNING + b"_.+-"
_MOST_OF_NAME = 64
_DOMAIN = re.compile(
    rb"@(?!example\.|test\.)(?:[A-Za-z0-9-]{1,63}\.){1,4}(?!example\b|test\b|invalid\b|local\b)[A-Za-z]{2,24}\b"
)
# Each begins with what is quickly searched for; what may not stand before that is said after it.
_KEYS: Mapping[str, Sequence[bytes]] = {
    "SECRET-AWS": [rb"A(?:KIA|SIA)(?<!\w.{4})[A-Z0-9]{16}\b"],
    "SECRET-GOOGLE": [
        rb"AIza(?<!\w.{4})[\w-]{35}(?![\w-])",
        rb"ya29\.(?<!\w.{5})[\w-]{20,}",
    ],
    "SECRET-GITHUB": [
        rb"gh[pousr]_(?<!\w.{4})[A-Za-z0-9]{36,}",
        rb"github_pat_(?<!\w.{11})\w{22,}",
    ],
    "SECRET-OPENAI": [rb"sk-(?<![\w-].{3})(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}"],
    "SECRET-SLACK": [rb"xox[abeoprs]-(?<!\w.{5})[\w-]{10,}"],
    "SECRET-TOKEN": [  # of Stripe, Hugging Face, SendGrid, GitLab and npm
        rb"sk_live_(?<!\w.{8})[A-Za-z0-9]{16,}",
        rb"hf_(?<!\w.{3})[A-Za-z]{34}\b",
        rb"SG\.(?<!\w.{3})[\w-]{22}\.[\w-]{43}",
        rb"glpat-(?<!\w.{6})[\w-]{20,}",
        rb"npm_(?<!\w.{4})[A-Za-z0-9]{36}\b",
    ],
    # Not after a dash either: in a text of such beginnings only, each would be followed to its end.
    "SECRET-JWT": [rb"eyJ(?<![\w-].{3})[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"],
    "SECRET-PRIVATE-KEY": [rb"-----BEGIN (?:[A-Z]{2,9} ){0,2}PRIVATE KEY-----"],
}
# Names that are given a value, in lower case, and what stands before those that only mean a secret after it.
_NAMED: Mapping[bytes, tuple[bytes, ...]] = {
    **{name.encode(): (b"",) for name in ("password", "passwd", "passphrase", "pwd", "secret", "パスワード")},
    b"key": (b"api", b"api_", b"api-", b"access", b"access_", b"access-"),
    b"token": (b"auth", b"auth_", b"auth-", b"access", b"access_", b"access-"),
}
_GIVEN = re.compile(
    rb"[\"']?\s{0,2}(?:[=:]|" + "は".encode() + rb")\s{0,2}(?:[\"']|" + "「".encode() + rb")?"
    rb"([!#$%&+\-./0-9:=?@A-Z\[\\\]^_`a-z|~]{6,80})"
)
_IN_ADDRESS = re.compile(rb"://[^\s/@:\0]{1,80}:([^\s/@\0]{6,80})@(?!example\.|localhost\b)")
_DIGIT, _LETTER = re.compile(rb"\d"), re.compile(rb"[A-Za-z]")
_NO_PASSWORD = re.compile(rb"your|example|change|placeholder|xxx|\.\.\.|\$|%|\[", re.IGNORECASE)


def holding(data: bytes, codes: Iterable[str]) -> dict[str, NDArray[np.int64]]:
    """The positions of the texts, `joined`, that each of some codes of `SECRETS` is due for, one for each place."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
    found = {code: list(SECRETS[code](data)) for code in codes}
    return {code: np.searchsorted(ends, places) for code, places in found.items() if places}


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


def _emails(data: bytes) -> Iterator[int]:
    """The places of addresses whose domain is not for examples."""
    for match in _DOMAIN.finditer(data):
        at = match.start()
        before = data[at - _MOST_OF_NAME - 1 if at > _MOST_OF_NAME else 0 : at]
        begin = len(before.rstrip(_OF_NAMES))
        if 0 < len(before) - begin <= _MOST_OF_NAME and before[begin] in _BEGINNING:
            yield at


def password_values(text: str) -> list[str]:
    """What a text gives to a password or key by name."""
    return [value.decode() for _, value in _given(text.encode("utf-8", "replace"))]


def _keys(code: str, data: bytes) -> Iterator[int]:
    return (match.start() for pattern in _patterns(code) for match in pattern.finditer(data))


@cache
def _patterns(code: str) -> Sequence[re.Pattern[bytes]]:
    return [re.compile(pattern) for pattern in _KEYS[code]]  # at the first use: most files hold nothing like it


@cache
def key_patterns() -> Sequence[re.Pattern[str]]:
    """The same kinds of secrets as patterns of text, for those who leave them out of it."""
    return [re.compile(pattern.decode(), re.ASCII) for some in _KEYS.values() for pattern in some]


def _passwords(data: bytes) -> Iterator[int]:
    """The places of passwords by name, and of those in addresses of services."""
    yield from (at for at, _ in _given(data))
    yield from (match.start() for match in _IN_ADDRESS.finditer(data) if not _NO_PASSWORD.search(match[1]))


def _given(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Values given to a password or key by name, of letters and digits and no placeholders, and where the names are."""
    lower = data.lower()
    for name, before in _NAMED.items():
        at = stringzilla.find(lower, name)
        while at >= 0:
            end = at + len(name)
            match = _GIVEN.match(data, end) if lower.endswith(before, 0, at) else None
            if match and _is_password(value := match[1].rstrip(b".!?")):
                yield at, value
            at = lower.find(name, end)


def _is_password(value: bytes) -> bool:
    mixed = _DIGIT.search(value) and _LETTER.search(value)
    return bool(mixed) and len(value) >= 6 and _NO_PASSWORD.search(value) is None


def number_codes(text: str) -> set[str]:
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


# What is looked for in all rows, and where texts have it.
SECRETS: Mapping[str, Callable[[bytes], Iterator[int]]] = {
    "PERSONAL-EMAIL": _emails,
    "SECRET-PASSWORD": _passwords,
    **{code: partial(_keys, code) for code in _KEYS},
}
# For each code whether a number may be meant, by its look alone, and whether it is, by what stands around it.
_NUMBERS: Mapping[str, tuple[Callable[[str], bool], Callable[[str], bool]]] = {
    "PERSONAL-PHONE": (lambda number: len(number) >= 10, lambda text: _PHONE.search(text) is not None),
    "PERSONAL-CARD": (lambda number: len(number) >= 13, _has_card),
    "PERSONAL-IBAN": (lambda number: len(number) >= 9, _has_iban),
    "PERSONAL-SSN": (lambda number: number.count("-") >= 2, lambda text: _SSN.search(text) is not None),
    "PERSONAL-IP": (lambda number: number.count(".") >= 3, _has_ip),
}
SUMMARISED = frozenset({"PERSONAL-EMAIL", "PERSONAL-PHONE", "PERSONAL-IP"})
NUMBERS_OF_PERSONS = (_IBAN, _CARD, _PHONE, _SSN, _IP)  # the longest first
