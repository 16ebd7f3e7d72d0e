"""The HTML view: self-contained, escaped, laid out without overlaps, with what the step entries say."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_workflows_history import EVERY_KIND
from workflows_cloud import PARENT, Cloud, run

from localcloud.workflows import SourceError, limits, parse
from localcloud.workflows.ui import ExecutionView, execution_page, execution_view
from localcloud.workflows.ui.graph import Box, Key, graphs_of
from localcloud.workflows.ui.layout import Drawing, Placed, layout
from localcloud.workflows.ui.tally import key_of, tallies
from localcloud.workflows.ui.texts import seconds

CASES = Path(__file__).parents[2] / "cases" / "workflows"
LOOP = """
main:
  params: [n]
  steps:
    - start: {assign: [{i: 0}]}
    - more: {assign: [{i: "${i + 1}"}]}
    - enough:
        switch:
          - condition: ${i < n}
            next: more
          - condition: ${i > 100}
            next: never
    - last: {return: "${i}"}
    - never: {raise: "<script>alert(1)</script>"}
"""
HOSTILE = '<script>alert("1")</script>&amp;\'"-->'
VOID = {"meta", "br"}


def _view(source: str, argument: str | None = None, **fields: Any) -> ExecutionView:
    """The view of an execution that has run for a hundred seconds at most."""
    found: list[ExecutionView] = []

    async def scenario(cloud: Cloud) -> None:
        await cloud.deploy(source, executionHistoryLevel="EXECUTION_HISTORY_DETAILED", **fields)
        path = await cloud.execute(argument=argument)
        await cloud.clock.advance(100)
        found.append(execution_view(cloud.engine, PARENT + path))

    run(scenario)
    return found[0]


class _Balance(HTMLParser):
    """Checks that every element ends where it should."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("source", "argument"),
    [
        (EVERY_KIND, "1"),
        (LOOP, "3"),
        ("- a: {raise: {code: 7}}", None),
        ("- a: {call: sys.sleep, args: {seconds: 1000}}", None),
    ],
)
def test_pages_need_nothing_else(source: str, argument: str | None) -> None:
    """A page is well-formed and has no script, no link, no image and no address: it opens offline."""
    page = execution_page(_view(source, argument))
    balance = _Balance()
    balance.feed(page)
    assert balance.open == []
    assert balance.seen.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert re.search(r"https?:|url\(|@import| on\w+=", page) is None


def test_everything_is_escaped() -> None:
    """Names, values, labels, errors and sources from outside are text, never markup."""
    steps = f"    - b: {{assign: [{{c: '${{a}}'}}]}}  # {HOSTILE}\n    - d: {{raise: '${{a}}'}}"
    source = f"main:\n  params: [a]\n  steps:\n{steps}"
    page = execution_page(_view(source, f'"{HOSTILE[:8]}{HOSTILE[-3:]}"'))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "--&gt;" in page


def test_a_page_tells_what_happened() -> None:
    """State, argument, result, times, counts and values are on the page; the error's line is drawn."""
    page = execution_page(_view(LOOP, "3"))
    for text in ("SUCCEEDED", "Argument", "Result", "×3", "more", "condition 1", "assign i", "→ never"):
        assert text in page
    failed = execution_page(_view("- good: {assign: [{x: 1}]}\n- bad: {assign: [{y: '${x.z}'}]}"))
    assert 'class="line failed"><span class="number">2</span>- bad' in failed
    assert "caret" in failed
    assert "TypeError" in failed


def test_histories_without_values_say_so() -> None:
    """A BASIC history tells how to get values."""
    view = _view(LOOP, "3")
    basic = ExecutionView(**{**vars(view), "detailed": False})
    assert "EXECUTION_HISTORY_DETAILED" in execution_page(basic)


def test_counts_and_ways_are_those_of_the_entries() -> None:
    """How often each step ran, which condition was taken, and how often a step came after another."""
    view = _view(LOOP, "3")
    counts = tallies(view.entries, view.until)

    def key(step: str, kind: str, part: int | None = None) -> Key:
        return Key("main", step, kind, part)

    more, enough = key("more", "STEP_ASSIGN"), key("enough", "STEP_SWITCH")
    assert [counts.at(k).runs for k in (more, enough, key("never", "STEP_RAISE"))] == [3, 3, 0]
    assert counts.at(key("enough", "STEP_CONDITION", 0)).runs == 2
    assert counts.at(key("enough", "STEP_CONDITION", 1)).state == "idle"
    assert (counts.ways[more, enough], counts.ways[enough, more]) == (3, 2)


def test_counts_are_whole_even_when_a_history_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps beyond the limit of a history are counted all the same, and the page says that not all entries are kept."""
    whole = _view(LOOP, "9")
    monkeypatch.setattr(limits, "HISTORY_ENTRIES", 6)
    cut = _view(LOOP, "9")
    assert (len(whole.entries), len(cut.entries)) == (28, 6)
    expected, found = tallies(whole.entries, 0), tallies(cut.entries, 0, cut.overflow)
    assert {key: tally.runs for key, tally in found.of.items()} == {
        key: tally.runs for key, tally in expected.of.items()
    }
    # Only the step from the last kept entry to the first that is not kept is unknown.
    assert found.ways.total() == expected.ways.total() - 1
    assert "first entries only" in execution_page(cut)
    assert "first entries only" not in execution_page(whole)


def test_every_entry_has_a_place_in_the_drawing() -> None:
    """Whatever the engine records belongs to a box or a section of the definition's drawing."""
    view = _view(EVERY_KIND, "1")
    drawn = {key for graph in graphs_of(parse(EVERY_KIND)) for key in _keys(graph.boxes)}
    assert {key_of(entry) for entry in view.entries} <= drawn


def _keys(boxes: tuple[Box, ...]) -> set[Key]:
    found = {box.key for box in boxes}
    for section in itertools.chain.from_iterable(box.sections for box in boxes):
        found |= _keys(section.boxes) | ({section.key} if section.key else set())
    return found


def _sources() -> list[Any]:
    cases = itertools.chain.from_iterable(yaml.safe_load(path.read_text()) for path in CASES.glob("*.yaml"))
    return [case["source"] for case in cases if "source" in case]


def test_nothing_overlaps() -> None:
    """In the drawings of the corpus, what lies within a box lies inside it, and neighbours do not touch."""
    drawn = 0
    for source in [*_sources(), EVERY_KIND, LOOP]:
        try:
            program = parse(source if isinstance(source, str) else yaml.safe_dump(source))
        except SourceError:
            continue
        for graph in graphs_of(program):
            _check(layout(graph))
            drawn += 1
    assert drawn > 200


def _check(drawing: Drawing) -> None:
    whole = Placed(0, 0, drawing.width, drawing.height)
    for first, second in itertools.combinations([whole, *drawing.placed][:60], 2):
        apart = (
            first.x + first.width <= second.x + 0.01
            or second.x + second.width <= first.x + 0.01
            or first.y + first.height <= second.y + 0.01
            or second.y + second.height <= first.y + 0.01
        )
        inside = (
            first.x <= second.x + 0.01
            and first.y <= second.y + 0.01
            and second.x + second.width <= first.x + first.width + 0.01
            and second.y + second.height <= first.y + first.height + 0.01
        )
        assert apart or inside, (first, second)
    for way in drawing.ways:
        for x, y in (way.start, way.end, (way.lane or way.end[0], way.end[1])):
            assert -0.01 <= x <= drawing.width + 0.01
            assert -0.01 <= y <= drawing.height + 0.01


def test_jumps_have_lanes_of_their_own() -> None:
    """Jumps into the same block are drawn beside each other."""
    lanes = [way.lane for way in layout(graphs_of(parse(LOOP))[0]).ways if way.lane is not None]
    assert len(lanes) == len(set(lanes)) == 2


def test_the_server_shows_workflows_and_executions() -> None:
    """/ui lists workflows, a workflow its executions, an execution its page; nothing there may run or be fetched."""

    async def scenario(cloud: Cloud) -> None:
        assert "No workflow is deployed" in (await cloud.client.get("/ui")).text
        await cloud.deploy("- a: {call: sys.sleep, args: {seconds: 5}}")
        name = PARENT + await cloud.execute()
        workflow = f"/ui/{PARENT}/workflows/w"
        front = await cloud.client.get("/ui/")
        assert f'href="{workflow}"' in front.text
        listed = await cloud.client.get(workflow)
        assert f'href="/ui/{name}"' in listed.text
        page = await cloud.client.get(f"/ui/{name}")
        assert "ACTIVE" in page.text
        assert 'http-equiv="refresh"' in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        await cloud.clock.advance(10)
        assert "refresh" not in (await cloud.client.get(f"/ui/{name}")).text
        missing = await cloud.client.get(f"/ui/{PARENT}/workflows/%3Cb%3E")
        assert (missing.status_code, "<b>" in missing.text) == (404, False)

    run(scenario)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ms"),
        (0.0123, "12.3 ms"),
        (1.5, "1.5 s"),
        (59.96, "60 s"),
        (75, "1 min 15 s"),
        (7200, "2 h"),
        (9000, "2 h 30 min"),
        (180000, "2 d 2 h"),
    ],
)
def test_durations_are_written_for_people(value: float, text: str) -> None:
    """A duration has two or three figures and a unit."""
    assert seconds(value) == text
