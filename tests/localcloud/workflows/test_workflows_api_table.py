"""Both REST APIs as a table: one request each in tests/cases/workflows_api, and what is answered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from workflows_cloud import Cloud, run

FOLDER = Path(__file__).parents[2] / "cases" / "workflows_api"
CASES = [(path.stem, case) for path in sorted(FOLDER.glob("*.yaml")) for case in yaml.safe_load(path.read_text())]
DOUBLE = "main:\n  params: [n]\n  steps:\n    - double: {return: '${n * 2}'}"
FAIL = "main:\n  steps:\n    - bad: {raise: {code: 7}}"
WAIT = "- before: {assign: [{x: 1}]}\n- nap: {call: sys.sleep, args: {seconds: 3600}}"
LOOP = """
- init: {assign: [{total: 0}]}
- sum:
    for: {value: v, in: [4, 5], steps: [{add: {assign: [{total: "${total + v}"}]}}]}
- both:
    parallel:
      branches:
        - left: {steps: [{idle: {next: continue_here}}, {continue_here: {assign: [{a: 1}]}}]}
        - right: {steps: [{other: {assign: [{b: 2}]}}]}
- done: {return: "${total}"}
"""


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{stem}: {case['name']}") for stem, case in CASES])
def test_a_request_is_answered_as_the_table_says(case: dict[str, Any]) -> None:
    """Status and, as far as the table gives it, the body."""

    async def scenario(cloud: Cloud) -> None:
        paths = await _world(cloud)
        method, _, path = case["request"].partition(" ")
        for name, found in paths.items():
            path = path.replace(f"{{{name}}}", found)
        answer = await cloud.call(method, path, case.get("status", 200), json=case.get("body"))
        problems = list(_differences(case["answer"], answer, "answer"))
        assert not problems, f"{problems}\n{answer}"

    run(scenario)


async def _world(cloud: Cloud) -> dict[str, str]:
    """What the table's requests find, by the names of its placeholders; a second passes between executions."""
    await cloud.deploy(DOUBLE, "double", labels={"team": "a"}, description="twice as much")
    await cloud.deploy(FAIL, "fail", callLogLevel="LOG_NONE")
    await cloud.deploy(WAIT, "wait")
    await cloud.deploy(LOOP, "loop", executionHistoryLevel="EXECUTION_HISTORY_DETAILED")
    paths = {}
    for name, workflow, fields in (
        ("done", "double", {"argument": "21"}),
        ("other", "double", {"argument": "4", "labels": {"team": "b", "env": "test"}}),
        ("odd", "double", {"argument": "[]"}),
        ("failed", "fail", {}),
        ("waiting", "wait", {"disableConcurrencyQuotaOverflowBuffering": True}),
        ("looped", "loop", {}),
    ):
        paths[name] = await cloud.execute(workflow, **fields)
        await cloud.clock.advance(1)
    return paths


def _differences(wanted: Any, found: Any, place: str) -> Any:
    """Where an answer is not what is wanted. `~text` is a pattern, `{absent: true}` means that there is no such key."""
    match wanted:
        case dict():
            for key, item in wanted.items():
                present = isinstance(found, dict) and key in found
                if item == {"absent": True}:
                    if present:
                        yield f"{place}.{key} is there"
                elif not present:
                    yield f"{place}.{key} is missing"
                else:
                    yield from _differences(item, found[key], f"{place}.{key}")
        case list():
            if not isinstance(found, list) or len(wanted) != len(found):
                yield f"{place} should have {len(wanted)} items: {found}"
            else:
                for index, (item, other) in enumerate(zip(wanted, found, strict=True)):
                    yield from _differences(item, other, f"{place}[{index}]")
        case str() if wanted.startswith("~"):
            if not isinstance(found, str) or re.search(wanted[1:], found) is None:
                yield f"{place} does not match {wanted[1:]}: {found!r}"
        case _:
            if wanted != found:
                yield f"{place} should be {wanted!r}: {found!r}"
