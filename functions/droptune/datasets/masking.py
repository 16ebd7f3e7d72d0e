"""Texts for reports, without what looks like personal data or a secret: a report goes further than its data."""

from __future__ import annotations

import re

from .personal import NUMBERS_OF_PERSONS, key_patterns, password_values

MASK = "•••"
# All of these have a digit or an @; a text without is left as it is.
_TELLING = re.compile(r"[0-9@]")
# Any name of any domain: here it costs nothing to take one of an example for a real one.
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
# What was cut may be the beginning of any of these; the last word is looked at, and only so much of it.
_CUT = re.compile(r"(?=\S*[0-9@])[^\s\"']{8,}…$")
_MOST_OF_WORD = 100
_IN_ADDRESS = re.compile(r"(?<=://)[^\s/@:]{1,80}:[^\s/@]{1,80}(?=@)")


def masked(text: str) -> str:
    """The text with each such place replaced by ``•••``."""
    if _TELLING.search(text) is None:
        return text
    text = _IN_ADDRESS.sub(MASK, text)
    for value in password_values(text):
        text = text.replace(value, MASK)
    for pattern in (*key_patterns(), _EMAIL, *NUMBERS_OF_PERSONS):
        text = pattern.sub(MASK, text)
    if text.endswith("…"):
        text = text[:-_MOST_OF_WORD] + _CUT.sub(f"{MASK}…", text[-_MOST_OF_WORD:])
    return text
