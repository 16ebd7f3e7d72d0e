"""Which older encoding text is in that is no UTF-8: told from what it reads as, or not told.

An encoding counts where every line can be decoded, and nearly all letters outside ASCII are then ones that its
languages use, in an order in which they use them. The wrong ones give rare signs, capitals within words, or accents in
a row. Detectors for any text always name one: charset-normalizer 3.5 takes a few lines of French for windows-1250, and
KOI8-R for windows-1251.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

AT_HOME = 0.95  # of the letters outside ASCII, at least, for an encoding to be certain
LIKELY = 0.8  # and to be worth a try
LEAST_KANA = 0.1  # of the letters of Japanese text
# So many letters are needed where those of several languages may look alike; an accent among Latin letters says enough.
LEAST_LETTERS = 20
LEAST_LETTERS_TO_TRY = 5
MOST_ACCENTED_TOGETHER = 2  # letters in a row, in languages that are written in Latin ones

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_SURROGATES = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")  # as some old writers of UTF-8 leave them
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS_OUTSIDE_ASCII = re.compile(r"[^\W\d_a-zA-Z]+")
_TYPOGRAPHY = frozenset("‘’‚“”„–—…•€£§©®™°·«»‹›\u00a0")
_FULL_WIDTH = frozenset(map(chr, (*range(0x3000, 0x3021), *range(0xFF01, 0xFF5F), 0x2026, 0x2015, 0x201C, 0x201D)))
_KANA = frozenset(map(chr, (*range(0x3041, 0x3097), *range(0x30A1, 0x30FD))))
# `õ` and `û` are left out: where they are common, text may be Hungarian in another encoding.
_WESTERN = frozenset("àáâãäåæçèéêëìíîïñòóôöøùúüßœŒÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖØÙÚÜ¡¿ªº")
_POLISH = frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ")
_CZECH_SLOVAK = frozenset("áäčďéěíĺľňóôŕřšťúůýžÁÄČĎÉĚÍĹĽŇÓÔŔŘŠŤÚŮÝŽ")
_HUNGARIAN = frozenset("áéíóöőúüűÁÉÍÓÖŐÚÜŰ")
_ROMANIAN = frozenset("ăâîşţĂÂÎŞŢ")
_TURKISH = frozenset("çğıöşüâîûÇĞİÖŞÜÂÎÛ")
_CYRILLIC = frozenset(map(chr, (*range(0x410, 0x450), *map(ord, "ЁёЄєІіЇїҐґЎў№"))))


def _common(encoding: str, first: int, last: int, trails: Iterable[int]) -> frozenset[str]:
    """The characters of two bytes whose first is within bounds: standards have the common ones there."""
    seconds = bytes(trails)
    pairs = (bytes((lead, trail)) for lead in range(first, last + 1) for trail in seconds)
    return frozenset(pair.decode(encoding, "ignore") for pair in pairs) - {""}


def _japanese() -> frozenset[str]:
    return _FULL_WIDTH | _KANA | _common("euc_jp", 0xB0, 0xCF, range(0xA1, 0xFF))


def _korean() -> frozenset[str]:
    return _FULL_WIDTH | _common("euc_kr", 0xB0, 0xC8, range(0xA1, 0xFF))


def _simplified() -> frozenset[str]:
    return _FULL_WIDTH | _common("gb2312", 0xB0, 0xD7, range(0xA1, 0xFF))


def _traditional() -> frozenset[str]:
    return _FULL_WIDTH | _common("big5", 0xA4, 0xC6, (*range(0x40, 0x7F), *range(0xA1, 0xFF)))


class _Encoding(NamedTuple):
    """An encoding of some languages: their letters, whether text is written as theirs is, and how much it must be."""

    name: str
    letters: Callable[[], frozenset[str]]
    plausible: Callable[[str, Sequence[str]], bool]
    least: int = LEAST_LETTERS


def _has_kana(text: str, letters: Sequence[str]) -> bool:
    return sum(letter in _KANA for letter in letters) >= LEAST_KANA * len(letters)


def _anyhow(text: str, letters: Sequence[str]) -> bool:
    return True


def _is_cased(text: str, letters: Sequence[str]) -> bool:
    """Whether words with letters outside ASCII begin with their only capital, or are of capitals alone."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    odd = sum(not (word[1:].islower() or word.isupper()) for word in words if len(word) > 1)
    return odd <= (1 - AT_HOME) * len(words)


def _is_apart(text: str, letters: Sequence[str]) -> bool:
    """Whether letters outside ASCII stand among those within it, as in languages that are written in Latin ones."""
    together = sum(len(run) for run in _LETTERS_OUTSIDE_ASCII.findall(text) if len(run) > MOST_ACCENTED_TOGETHER)
    return together <= (1 - AT_HOME) * len(letters) and _is_cased(text, letters)


def _is_unmixed(text: str, letters: Sequence[str]) -> bool:
    """Whether words are of letters outside ASCII alone, or of those within it."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    mixed = sum(any(letter.isascii() for letter in word) for word in words)
    # Without a capital, it may be a script that has none.
    has_capitals = any(word[0].isupper() for word in words)
    return has_capitals and mixed <= (1 - AT_HOME) * len(words) and _is_cased(text, letters)


def _latin(letters: frozenset[str]) -> Callable[[], frozenset[str]]:
    return lambda: letters | _TYPOGRAPHY


# Those that take little for their letters stand before those that take more, and the commoner before the rarer.
_ENCODINGS = (
    _Encoding("cp932", _japanese, _has_kana),
    _Encoding("euc_jp", _japanese, _has_kana),
    _Encoding("euc_kr", _korean, _anyhow),
    _Encoding("gb18030", _simplified, _anyhow),
    _Encoding("big5", _traditional, _anyhow),
    _Encoding("windows-1252", _latin(_WESTERN), _is_apart, least=1),
    _Encoding("windows-1251", _latin(_CYRILLIC), _is_unmixed),
    _Encoding("windows-1250", _latin(_POLISH), _is_apart),
    _Encoding("windows-1250", _latin(_CZECH_SLOVAK), _is_apart),
    _Encoding("windows-1250", _latin(_HUNGARIAN), _is_apart),
    _Encoding("windows-1250", _latin(_ROMANIAN), _is_apart),
    _Encoding("windows-1254", _latin(_TURKISH), _is_apart),
)


class Guess(NamedTuple):
    """The encoding, where it is certain; otherwise those that are worth a try, which may be none."""

    certain: str | None = None
    possible: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What to try, the likeliest first."""
        return self.possible if self.certain is None else (self.certain,)


def guessed(lines: Sequence[bytes]) -> Guess:
    """The encoding of lines of which none is UTF-8. Lines of damaged UTF-8 among them are of no use for it."""
    useful = [line for line in lines if not _is_damaged_utf8(line)]
    if not useful or 2 * len(useful) < len(lines):
        return Guess()
    data = b"\n".join(useful)
    possible: list[str] = []
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding.name)
        except UnicodeDecodeError:
            continue
        letters = _NOT_ASCII.findall(text)
        share = sum(map(encoding.letters().__contains__, letters)) / len(letters)
        if share < LIKELY or not encoding.plausible(text, letters):
            continue
        if share >= AT_HOME and len(letters) >= encoding.least:
            return Guess(encoding.name)
        if len(letters) >= LEAST_LETTERS_TO_TRY:
            possible.append(encoding.name)
    return Guess(None, tuple(dict.fromkeys(possible)))


def _is_damaged_utf8(line: bytes) -> bool:
    """Whether most bytes outside ASCII are UTF-8, though not all are."""
    kept = line.decode("utf-8", "ignore").encode("utf-8") + b"".join(_SURROGATES.findall(line))
    outside = sum(byte > 0x7F for byte in line)
    return 2 * sum(byte > 0x7F for byte in kept) > outside
