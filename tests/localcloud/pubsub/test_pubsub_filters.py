"""The filter language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.http import GoogleError
from localcloud.pubsub.filters import compile_filter

MATCHES = {
    "attributes:color": ([{"color": ""}, {"color": "x"}], [{}, {"Color": "x"}]),
    'attributes.color = "red"': ([{"color": "red"}], [{}, {"color": "Red"}, {"color": "redder"}]),
    'attributes.color="red"': ([{"color": "red"}], [{}]),
    'attributes.color != "red"': ([{}, {"color": "blue"}], [{"color": "red"}]),
    'hasPrefix(attributes.color, "re")': ([{"color": "red"}, {"color": "re"}], [{}, {"color": "are"}]),
    'attributes."iana.org/language_tag" = "en"': ([{"iana.org/language_tag": "en"}], [{}]),
    'attributes:"with space"': ([{"with space": "1"}], [{}]),
    "NOT attributes:a": ([{}, {"b": "1"}], [{"a": "1"}]),
    "-attributes:a": ([{}], [{"a": "1"}]),
    "NOT NOT attributes:a": ([{"a": "1"}], [{}]),
    "attributes:a AND attributes:b AND NOT attributes:c": ([{"a": "", "b": ""}], [{"a": ""}, dict.fromkeys("abc", "")]),
    "attributes:a OR attributes:b OR attributes:c": ([{"a": ""}, {"c": ""}], [{}]),
    "attributes:a AND (attributes:b OR attributes:c)": ([{"a": "", "c": ""}], [{"a": ""}, {"b": "", "c": ""}]),
    "NOT (attributes:a OR attributes:b)": ([{}], [{"a": ""}, {"b": ""}]),
    "((attributes:a))": ([{"a": ""}], [{}]),
    r'attributes.a = "say \"hi\" \u00e9\x41\101\\"': ([{"a": 'say "hi" éAA\\'}], [{}]),
    'attributes.a = "AND ("': ([{"a": "AND ("}], [{}]),
    'attributes.ce-type = "dev.x"': ([{"ce-type": "dev.x"}], [{}]),
}

WRONG = [
    "attributes",
    "attributes:",
    "attribute:a",
    "attributes.a",
    "attributes.a = red",
    "attributes.a == \"red\"",
    'attributes.a = "red',
    "attributes.a = 'red'",
    'attributes.a < "red"',
    'attributes.a = "red" attributes:b',
    "attributes:a AND",
    "attributes:a and attributes:b",
    "attributes:a AND attributes:b OR attributes:c",
    "(attributes:a",
    "attributes:a)",
    "NOT",
    'hasPrefix(attributes.a "p")',
    'hasPrefix(attributes.a, "p"',
    'hasPrefix("a", "p")',
    'hasprefix(attributes.a, "p")',
    r'attributes.a = "\q"',
    r'attributes.a = "\UFFFFFFFF"',
    'attributes.a = "' + "x" * 256 + '"',
]  # fmt: skip


@pytest.mark.parametrize("text", MATCHES)
def test_filter_matches(text: str) -> None:
    """A filter selects by key, equality, prefix and their combinations."""
    matches = compile_filter(text)
    selected, rejected = MATCHES[text]
    assert [attributes for attributes in selected if not matches(attributes)] == []
    assert [attributes for attributes in rejected if matches(attributes)] == []


@pytest.mark.parametrize("text", WRONG)
def test_wrong_filter_is_refused(text: str) -> None:
    """Anything outside the grammar is INVALID_ARGUMENT."""
    with pytest.raises(GoogleError) as caught:
        compile_filter(text)
    assert caught.value.status == "INVALID_ARGUMENT"


def test_refusal_tells_where_and_what() -> None:
    """The message names the column, what stands there and what is expected."""
    with pytest.raises(GoogleError, match=r"found 'OR' at column 35, expected parentheses, which AND and OR need"):
        compile_filter("attributes:a AND NOT attributes:b OR attributes:c")


@given(st.text(alphabet='attributes:.="!()-, \\x1 NOTANDORhasPrefix', max_size=60))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    """No input ends otherwise than in a filter or a Google error."""
    try:
        assert compile_filter(text)({"a": "1"}) in (True, False)
    except GoogleError as error:
        assert error.status == "INVALID_ARGUMENT"


_TESTS = st.sampled_from([("attributes:a", "'a' in m"), ('attributes.b = "1"', "m.get('b') == '1'")])


def _combined(inner: st.SearchStrategy[tuple[str, str]]) -> st.SearchStrategy[tuple[str, str]]:
    def join(parts: list[tuple[str, str]], word: str) -> tuple[str, str]:
        texts = f" {word} ".join(f"({text})" for text, _ in parts)
        return texts, f" {word.lower()} ".join(f"({meaning})" for _, meaning in parts)

    return st.one_of(
        inner.map(lambda part: (f"NOT ({part[0]})", f"not ({part[1]})")),
        st.builds(join, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["AND", "OR"])),
    )


@given(st.recursive(_TESTS, _combined, max_leaves=5), st.dictionaries(st.sampled_from("ab"), st.sampled_from("12")))
def test_combinations_mean_what_python_means(pair: tuple[str, str], attributes: dict[str, str]) -> None:
    """AND, OR, NOT and parentheses agree with Python's own."""
    text, meaning = pair
    if len(text) <= 256:
        assert compile_filter(text)(attributes) == eval(meaning, {"m": attributes})
