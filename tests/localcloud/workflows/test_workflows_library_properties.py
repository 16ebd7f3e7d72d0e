"""What holds for the library: errors of the language only, arguments left alone, opposites, matches, times."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from workflows_strategies import (
    DOUBLES,
    INTEGER_MAXIMUM,
    INTEGER_MINIMUM,
    INTEGERS,
    JSON_VALUES,
    TEXTS,
    VALUES,
    evaluated,
)

from localcloud.workflows import WorkflowError
from localcloud.workflows.stdlib import FUNCTIONS
from localcloud.workflows.stdlib.signature import Param, Pure
from localcloud.workflows.values import copy_value, equal, from_journal, to_journal

_OF_TYPE: dict[type, st.SearchStrategy[Any]] = {
    str: TEXTS
    | st.sampled_from(["a*", "(a", "a|ab", "UTC", "Europe/Berlin", "SHA1", "latin-1", "2024-07-12T14:50:33Z"]),
    int: INTEGERS,
    float: DOUBLES,
    bool: st.booleans(),
    type(None): st.none(),
    bytes: st.binary(max_size=12),
    list: st.lists(JSON_VALUES, max_size=3),
    dict: st.dictionaries(TEXTS | st.just("indent"), JSON_VALUES, max_size=3),
}


def _argument(parameter: Param) -> st.SearchStrategy[Any]:
    fitting = [_OF_TYPE[kind] for kind in parameter.types or ()]
    return st.one_of(*fitting, *fitting, *fitting, VALUES)


def _call(function: Pure) -> st.SearchStrategy[tuple[Pure, list[Any]]]:
    return st.tuples(st.just(function), st.tuples(*map(_argument, function.parameters)).map(list))


@settings(max_examples=250, deadline=None)
@given(st.sampled_from([f for f in FUNCTIONS.values() if isinstance(f, Pure)]).flatmap(_call))
@example((FUNCTIONS["text.encode"], ["a", "a\0b"]))
@example((FUNCTIONS["int"], ["9" * 5000]))
@example((FUNCTIONS["text.url_decode"], ["%"]))
@example((FUNCTIONS["math.abs"], [INTEGER_MINIMUM]))
@example((FUNCTIONS["math.floor"], [1e300]))
def test_library_functions_fail_in_the_language(call: tuple[Pure, list[Any]]) -> None:
    """A library function gives a value of the language, or fails with TypeError, ValueError or ResourceLimitError."""
    function, arguments = call
    named = {parameter.name: value for parameter, value in zip(function.parameters, arguments, strict=True)}
    before = copy_value(named)
    try:
        result = function.body(*function.check(named))
    except WorkflowError as error:
        assert error.tags[0] in ("TypeError", "ValueError", "ResourceLimitError")
    else:
        assert from_journal(to_journal(result)) == result
        assert type(result) is not int or INTEGER_MINIMUM <= result <= INTEGER_MAXIMUM
        assert type(result) is not float or math.isfinite(result)
    assert equal(named, before), "a function changed its argument"


@pytest.mark.parametrize(
    "there_and_back",
    [
        "text.url_decode(text.url_encode(x))",
        "text.url_decode(text.url_encode_plus(x))",
        "text.decode(text.encode(x))",
        'text.decode(text.encode(x, "utf-16-le"), "utf-16-le")',
        "text.decode(base64.decode(base64.encode(text.encode(x))))",
        "text.decode(base64.decode(base64.encode(text.encode(x), false), false))",
        "json.decode(json.encode(x))",
        'json.decode(json.encode_to_string(x, {"prefix": " ", "indent": "\\t"}))',
        "text.substring(x, 0, len(x))",
        'text.replace_all(x, "", "")',
        'text.replace_all_regex(x, "$^never", "")',
    ],
)
@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_strings_come_back(there_and_back: str, text: str) -> None:
    """What one function encodes, its opposite decodes to the same string."""
    assert evaluated(there_and_back, text) == text


@settings(max_examples=150, deadline=None)
@given(st.text("aé,😀", max_size=12), st.text("aé,", min_size=1, max_size=2))
def test_find_and_split_agree(source: str, separator: str) -> None:
    """`split` has one piece more than `find_all` has places, which count characters and hold the separator."""
    places = evaluated("text.find_all(x[0], x[1])", [source, separator])
    pieces = evaluated("text.split(x[0], x[1])", [source, separator])
    assert len(pieces) == len(places) + 1
    assert separator.join(pieces) == source
    assert all(source.startswith(separator, place) for place in places)


@settings(max_examples=150, deadline=None)
@given(st.text("abé", max_size=8), st.sampled_from(["a", "b|ab", "a|ab|aba", "a*", "", "é+", "[ab]*?b", "x?"]))
def test_matches_are_leftmost_longest(source: str, regexp: str) -> None:
    """Each match begins as early as any can and is as long as any there, found by trying all substrings."""

    match = FUNCTIONS["text.match_regex"].body
    matching = {
        source[a:b] for b in range(len(source) + 1) for a in range(b + 1) if match(source[a:b], f"^({regexp})$")
    }
    expected, place, end = [], 0, -1
    while place <= len(source):
        longest = max((b for b in range(place, len(source) + 1) if source[place:b] in matching), default=None)
        if longest is None or (longest == place and place == end):
            place += 1
            continue
        expected.append({"index": place, "match": source[place:longest]})
        place, end = max(longest, place + (longest == place)), longest
    assert evaluated("text.find_all_regex(x[0], x[1])", [source, regexp]) == expected


@settings(max_examples=100, deadline=None)
@given(
    st.integers(-62_135_596_800 * 10**6 + 10**12, 253_402_300_799 * 10**6 - 10**12),
    st.sampled_from(
        ["", "UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia", "Africa/Monrovia"]
    ),
)
def test_times_come_back(microseconds: int, zone: str) -> None:
    """A formatted time is parsed to the same microsecond, in any zone and century."""
    seconds = microseconds / 10**6
    text = evaluated("time.format(x[0], x[1])", [seconds, zone])
    assert evaluated("time.parse(x)", text) == pytest.approx(seconds, abs=2e-5)
    assert evaluated("time.format(time.parse(x), y)".replace("y", json.dumps(zone)), text) == text
