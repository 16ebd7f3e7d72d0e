"""What holds for values on any way through a workflow: they keep their type and content, and are copied."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workflows_strategies import JSON_VALUES, TEXTS, evaluated

from localcloud.clock import ManualClock
from localcloud.workflows import HttpReply, HttpRequest, run_source


class Echo:
    """Answers a request with its own body."""

    async def send(self, request: HttpRequest) -> HttpReply:
        """The request's body as JSON."""
        return HttpReply(200, {"Content-Type": "application/json"}, request.body)


_JOURNEY = """
main:
  params: [x]
  steps:
    - a: {assign: [{y: "${x}"}, {m: {k: ["${y}"]}}, {key: {}}, {"key[y]": 1}, {z: "${default(m.k[0], 0)}"}]}
    - b: {call: same, args: {value: "${z}"}, result: z}
    - c: {call: http.post, args: {url: "http://echo.test/", body: {v: "${same(z)}"}}, result: answer}
    - d: {assign: [{z: "${json.decode(json.encode([answer.body.v]))[0]}"}]}
    - e:
        try: {raise: {value: "${if(true, z, null)}"}}
        except: {as: e, steps: [{f: {assign: [{z: "${e.value}"}]}}]}
    - g: {for: {value: v, in: ["${z}"], steps: [{h: {assign: [{z: "${v + \\"\\"}"}]}}]}}
    - i: {return: {value: "${z}", key: "${keys(key)[0]}", length: "${len(z)}", type: "${get_type(z)}"}}
same:
  params: [value]
  steps:
    - j: {return: "${value}"}
"""


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_a_string_stays_that_string(text: str) -> None:
    """No step, function, request or answer reads a string again, whatever it looks like."""
    result = asyncio.run(run_source(_JOURNEY, text, clock=ManualClock(), http=Echo()))
    assert result == {"value": text, "key": text, "length": len(text), "type": "string"}


@settings(max_examples=150, deadline=None)
@given(JSON_VALUES)
def test_a_value_stays_that_value(value: Any) -> None:
    """Any value comes back from argument, JSON, request and answer with the same types and content."""
    source = """
    main:
      params: [x]
      steps:
        - a: {call: http.put, args: {url: "http://echo.test/", body: ["${x}"]}, result: answer}
        - b: {assign: [{y: "${json.decode(json.encode_to_string(answer.body, true))[0]}"}]}
        - c: {return: ["${y}", "${y == x}", "${get_type(y) == get_type(x)}"]}
    """
    result = asyncio.run(run_source(source, value, clock=ManualClock(), http=Echo()))
    assert result[1:] == [True, True]
    assert json.dumps(result[0], sort_keys=True) == json.dumps(value, sort_keys=True)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_literals_are_what_json_says(text: str) -> None:
    """A string literal in JSON's escapes is that string."""
    assert evaluated(json.dumps(text)) == text


_CHANGES = [
    *("{assign: [{y: '${x}'}, {'y.new': 1}]}", "{assign: [{y: {part: '${x}'}}, {'y.part.new': 1}]}"),
    *("{assign: [{y: ['${x}']}, {'y[0].new': 1}]}", "{assign: [{y: '${[x][0]}'}, {'y.new': 1}]}"),
    *("{assign: [{y: '${default(x, 0)}'}, {'y.new': 1}]}", "{assign: [{y: '${if(true, x, 0)}'}, {'y.new': 1}]}"),
    *("{assign: [{y: '${map.merge(x, {})}'}, {'y.inner.new': 1}]}", "{call: change, args: {value: '${x}'}, result: y}"),
    *("{assign: [{y: '${list.concat([], x)}'}, {'y[0].new': 1}]}", "{assign: [{y: '${change(x)}'}]}"),
    *(
        "{assign: [{y: '${map.delete(x, \"none\")}'}, {'y.inner.new': 1}]}",
        "{assign: [{y: {}}, {y.x: '${x}'}, {y.x.new: 1}]}",
    ),
    *(
        "{for: {value: y, in: ['${x}'], steps: [{b: {assign: [{y.new: 1}]}}]}}",
        "{assign: [{y: '${x.inner}'}, {y.new: 1}]}",
    ),
    "{try: {raise: '${x}'}, except: {as: e, steps: [{b: {assign: [{e.new: 1}]}}]}}",
    "{assign: [{y: '${map.merge_nested({\"z\": 1}, x)}'}, {'y.inner.new': 1}]}",
    '{assign: [{y: \'${map.get({"k": x}, ["k", "inner"])}\'}, {\'y.new\': 1}]}',
]


@pytest.mark.parametrize("change", _CHANGES)
@settings(max_examples=20, deadline=None)
@given(st.dictionaries(TEXTS, JSON_VALUES, max_size=3))
def test_changing_a_copy_leaves_the_original(change: str, value: dict[str, Any]) -> None:
    """However a value came to another place, changing it there does not change it here."""
    argument = {**value, "inner": dict(value)}
    source = f"""
    main:
      params: [x]
      steps:
        - a: {change}
        - z: {{return: "${{x}}"}}
    change:
      params: [value]
      steps:
        - c: {{assign: [{{value.new: 1}}, {{value.inner.new: 1}}]}}
        - d: {{return: "${{value}}"}}
    """
    result = asyncio.run(run_source(source, argument, clock=ManualClock()))
    assert json.dumps(result, sort_keys=True) == json.dumps(argument, sort_keys=True)
