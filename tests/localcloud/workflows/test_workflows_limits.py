"""The limits of definitions and executions, at the last value that is allowed and the first that is not.

Sources are made here, since they are long. Values: "Quotas and limits" of the Workflows documentation.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from workflows_corpus import Case
from workflows_hosts import HOSTS, Failed, Outcome, Refused, Succeeded
from workflows_stub import StubHttp

from localcloud.clock import ManualClock

KIB = 1024


def run(host: str, source: str, argument: Any = None, http: tuple[dict[str, Any], ...] = ()) -> Outcome:
    """How a definition ends."""
    clock = ManualClock()
    return HOSTS[host](Case(name="limits", source=source, argument=argument), clock, StubHttp(clock, http))


def source_of_bytes(size: int) -> str:
    """A definition that returns 1 and has `size` bytes, most of them two-byte characters of a comment."""
    start = "- a: {return: 1}\n#"
    free = size - len(start)
    return start + " " * (free % 2) + "é" * (free // 2)


def entries(count: int, entry: str) -> str:
    """`count` times the same entry of a list."""
    return "[" + ", ".join([entry] * count) + "]"


def branches(count: int) -> str:
    """A parallel step with `count` branches."""
    items = ", ".join(f"{{b{number}: {{steps: [{{s: {{call: sys.now}}}}]}}}}" for number in range(count))
    return f"- a: {{parallel: {{branches: [{items}]}}}}"


def expression(characters: int) -> str:
    """A definition with an expression of so many characters."""
    return f"- a: {{return: '${{{'1'.rjust(characters)}}}'}}"


def nested(levels: int) -> str:
    """Blocks of steps in blocks of steps."""
    return "- a: " + "{steps: [{b: " * levels + "{return: 1}" + "}]}" * levels


DEFINITIONS = [
    ("128 KB of source", source_of_bytes(128 * KIB), source_of_bytes(128 * KIB + 1), "at most 131072 are allowed"),
    (
        "50 assignments",
        f"- a: {{assign: {entries(50, '{x: 1}')}}}\n- b: {{return: 1}}",
        f"- a: {{assign: {entries(51, '{x: 1}')}}}\n- b: {{return: 1}}",
        "assign has 51 entries; at most 50 are allowed",
    ),
    (
        "50 conditions",
        f"- a: {{switch: {entries(50, '{condition: true, return: 1}')}}}",
        f"- a: {{switch: {entries(51, '{condition: true, return: 1}')}}}",
        "switch has 51 entries; at most 50 are allowed",
    ),
    ("10 branches", branches(10) + "\n- b: {return: 1}", branches(11), "branches has 11 entries; at most 10"),
    ("2 branches", branches(2) + "\n- b: {return: 1}", branches(1), "branches needs at least 2 entries"),
    ("400 characters", expression(400), expression(401), "an expression of 401 characters; at most 400"),
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(
    ("allowed", "refused", "message"), [d[1:] for d in DEFINITIONS], ids=[d[0] for d in DEFINITIONS]
)
def test_a_definition_may_reach_its_limits(host: str, allowed: str, refused: str, message: str) -> None:
    """A definition at a limit runs; one beyond it is refused at deployment, with the limit in the message."""
    assert run(host, allowed) == Succeeded(1)
    refusal = run(host, refused)
    assert isinstance(refusal, Refused)
    assert message in refusal.message


LOOP = (
    "- a: {assign: [{n: 0}]}\n- b: {assign: [{n: '${n + 1}'}]}\n- c: {switch: [{condition: '${n < LAST}', next: b}]}\n"
)


def test_an_execution_runs_100000_steps() -> None:
    """The 100,000th step runs; the next one is a ResourceLimitError."""
    # One step before the loop, two in each round, then those of the end.
    loop = LOOP.replace("LAST", "49999")
    assert run("in process", loop + "- d: {return: '${n}'}") == Succeeded(49_999)
    failure = run("rest", loop + "- d: {assign: [{x: 1}]}\n- e: {return: 1}")
    assert isinstance(failure, Failed)
    assert failure.payload["tags"] == ["ResourceLimitError"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_parallel_loop_without_end_is_stopped_before_it_begins(host: str) -> None:
    """More iterations than steps may run are a ResourceLimitError at once, not a list of them in memory."""
    failure = run(host, "- a: {parallel: {for: {value: v, range: [1, 1000000000], steps: [{b: {call: sys.now}}]}}}\n")
    assert isinstance(failure, Failed)
    assert failure.payload["tags"] == ["ResourceLimitError"]


DOUBLED = """
main:
  params: [text]
  steps:
    - a: {assign: [{kept: []}]}
    - b: {for: {value: v, range: [1, TIMES], steps: [{c: {assign: [{kept: "${list.concat(kept, text)}"}]}}]}}
    - d: {return: "${len(kept)}"}
"""


@pytest.mark.parametrize("host", HOSTS)
def test_variables_together_have_512_kb(host: str) -> None:
    """Values that fit run; what does not fit is a ResourceLimitError, and the value is not stored."""
    text = "x" * (60 * KIB)
    # The argument counts, and so does the copy that a list makes while it grows.
    assert run(host, DOUBLED.replace("TIMES", "6"), text) == Succeeded(6)
    failure = run(host, DOUBLED.replace("TIMES", "8"), text)
    assert isinstance(failure, Failed)
    assert failure.payload["tags"] == ["ResourceLimitError"]


@pytest.mark.parametrize("host", HOSTS)
def test_memory_is_given_back(host: str) -> None:
    """What the locals of a loop, a branch or a finished routine held, and a replaced value, can be used again."""
    source = """
main:
  params: [text]
  steps:
    - a:
        for:
          value: v
          range: [1, 50]
          steps:
            - b: {assign: [{local: "${text}"}]}
            - c: {assign: [{local: "${text}"}]}
            - d: {call: keep, args: {text: "${text}"}}
            - f: {try: {call: fail, args: {text: "${text}"}}, except: {as: e, steps: [{g: {assign: [{local: ""}]}}]}}
            - h:
                parallel:
                  branches:
                    - one: {steps: [{i: {assign: [{mine: "${text}"}]}}]}
                    - two: {steps: [{j: {assign: [{mine: "${text}"}]}}]}
    - k: {return: fine}
keep: {params: [text], steps: [{a: {assign: [{copy: "${text}"}]}}]}
fail: {params: [text], steps: [{a: {raise: "${text}"}}]}
"""
    assert run(host, source, "x" * (80 * KIB)) == Succeeded("fine")


@pytest.mark.parametrize("host", HOSTS)
def test_maps_made_on_the_way_count(host: str) -> None:
    """The keys and maps that `m.a.b: 1` makes are held like any other value."""
    source = """
main:
  params: [long]
  steps:
    - a: {assign: [{m: {}}]}
    - b: {for: {value: v, range: [1, 600], steps: [{c: {assign: [{'m[long + string(v)].k': 1}]}}]}}
    - d: {return: "${len(m)}"}
"""
    failure = run(host, source, "x" * KIB)
    assert isinstance(failure, Failed)
    assert failure.payload["tags"] == ["ResourceLimitError"]
    assert run(host, source, "x") == Succeeded(600)


@pytest.mark.parametrize("host", HOSTS)
def test_a_string_has_256_kb(host: str) -> None:
    """A string of 256 KB can be assigned; a longer one is a ResourceLimitError."""
    source = "main: {params: [t], steps: [{a: {assign: [{t: '${t + MORE}'}]}}, {b: {return: '${len(t)}'}}]}"
    text = "x" * (256 * KIB)
    assert run(host, source.replace("MORE", '""'), text) == Succeeded(256 * KIB)
    failure = run(host, source.replace("MORE", '"y"'), text)
    assert isinstance(failure, Failed)
    assert failure.payload["tags"] == ["ResourceLimitError"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_response_of_2_mb_is_too_large_for_a_variable(host: str) -> None:
    """A response of 2 MB is read, and a ResourceLimitError once it is kept."""
    source = "- a: {call: http.get, args: {url: 'http://x'}RESULT}\n- b: {return: fine}"
    exchange = {"reply": {"text": "x" * (2 * KIB * KIB)}}
    assert run(host, source.replace("RESULT", ""), http=(exchange,)) == Succeeded("fine")
    failure = run(host, source.replace("RESULT", ", result: r"), http=(exchange,))
    assert isinstance(failure, Failed)
    assert failure.payload["tags"] == ["ResourceLimitError"]


@pytest.mark.parametrize("host", HOSTS)
def test_an_execution_ends_after_a_year(host: str) -> None:
    """An execution that waits longer than a year fails with a TimeoutError."""
    failure = run(host, f"- a: {{call: sys.sleep, args: {{seconds: {366 * 24 * 3600}}}}}")
    assert isinstance(failure, Failed)
    assert "TimeoutError" in failure.payload["tags"]


@pytest.mark.parametrize("host", HOSTS)
def test_deep_blocks_do_not_exhaust_the_host(host: str) -> None:
    """Blocks nest as deep as anyone writes them; deeper ones are refused rather than breaking the engine."""
    assert run(host, nested(30)) == Succeeded(1)
    refusal = run(host, nested(200))
    assert isinstance(refusal, Refused)
    assert "deep" in refusal.message


def test_a_definition_of_many_problems_tells_them_all() -> None:
    """A thousand wrong steps are a thousand problems, each with its line."""
    source = json.dumps([{f"s{number}": {"return": f"${{x{number}}}"}} for number in range(1000)], indent=1)
    refusal = run("in process", source)
    assert isinstance(refusal, Refused)
    assert refusal.places is not None
    assert len({place.line for place in refusal.places}) == 1000
