"""The page's own script in a real browser: the filter shows what it says, and a link opens what it points to."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from intake_reports import finding, report, rules_of

from droptune.datasets.page import page
from droptune.events import Finding

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="neither chromium nor google-chrome is installed")

ERROR, SECOND_ERROR = rules_of("error", 2)
(WARNING,) = rules_of("warning", 1)
FOUND = [
    *(finding(ERROR, line, text=f"row {line}") for line in range(1, 13)),
    finding(SECOND_ERROR, 5, file="eval.jsonl", text="needle in the hay"),
    finding(WARNING, 7, text="row 7 again"),
]
# Does to the form what a user does, and notes after each step what is to be seen.
DRIVER = """
const form = document.getElementById("filter");
const seen = [];
const note = () => seen.push({
  rules: [...document.querySelectorAll(".rule")].filter((one) => !one.hidden).map((one) => one.id),
  places: [...document.querySelectorAll(".places > li")].filter((one) => !one.hidden && !one.closest(".rule").hidden)
    .map((one) => one.querySelector("b").textContent),
  open: [...document.querySelectorAll("details[open]")].map((one) => one.id || one.className),
  nothing: !document.getElementById("none").hidden,
  shown: form.elements.shown.textContent,
  form: !form.hidden,
});
const change = (element, property, value) => {
  element[property] = value;
  element.dispatchEvent(new Event("input", { bubbles: true }));
};
const box = (severity) => form.querySelector(`[value=${severity}]`);
note();
for (const step of STEPS) {
  if (step.box) change(box(step.box), "checked", step.checked);
  else if (step.reset) form.reset();
  else change(form.elements[step.name], "value", step.value);
  if (!step.reset) note();
}
setTimeout(() => {
  note();
  document.body.innerHTML = "";
  document.body.append(Object.assign(document.createElement("pre"), { id: "seen", textContent: JSON.stringify(seen) }));
}, 50);
"""


def after_scripts(folder: Path, html: str, target: str = "") -> str:
    """The page as it is once its scripts have run; `target` is what its address ends with."""
    path = folder / "page.html"
    path.write_text(html)
    command = [
        *(str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
        *("--no-first-run", f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=2000", "--dump-dom"),
        f"{path.as_uri()}#{target}",
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def seen(folder: Path, found: Sequence[Finding], steps: Sequence[dict[str, Any]], target: str = "") -> list[Any]:
    """What is to be seen at first, after each step but a reset, and at the end."""
    html = page(report(found)).decode()
    # The page's policy lets no script run but its own: here the test's has to.
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    driver = f"<script>{DRIVER.replace('STEPS', json.dumps(list(steps)))}</script>"
    shown = after_scripts(folder, html.replace("</body>", f"{driver}</body>"), target)
    match = re.search(r'<pre id="seen">(.*?)</pre>', shown, re.DOTALL)
    assert match is not None, shown[-2000:]
    steps_seen: list[Any] = json.loads(unescape(match[1]))
    return steps_seen


def test_the_policy_lets_the_script_run(tmp_path: Path) -> None:
    """The form, hidden where no script runs, is there: the policy knows the script that the page has."""
    html = page(report(FOUND)).decode()
    forms = [re.findall(r'<form id="filter"[^>]*>', text) for text in (html, after_scripts(tmp_path, html))]
    assert [" hidden" in form for [form] in forms] == [True, False]


def test_the_filter_narrows_and_its_reset_shows_everything(tmp_path: Path) -> None:
    """By severity, by words of a place or of a rule, by kind and by file; what nothing fits is said."""
    steps = [
        {"box": "error", "checked": False},
        {"box": "error", "checked": True},
        {"name": "text", "value": "NEEDLE"},
        {"name": "text", "value": "no such words anywhere"},
        {"name": "text", "value": WARNING.code.lower()},
        {"name": "text", "value": ""},
        {"name": "file", "value": "eval.jsonl"},
        {"name": "kind", "value": WARNING.kind},
        {"reset": True},
    ]
    first, no_errors, again, needle, nothing, by_code, all_again, by_file, neither, end = seen(tmp_path, FOUND, steps)
    everything = [ERROR.code, SECOND_ERROR.code, WARNING.code]
    assert first["form"] and first["rules"] == again["rules"] == all_again["rules"] == end["rules"] == everything
    assert len(first["places"]) == len(end["places"]) == 14
    assert no_errors["rules"] == [WARNING.code]
    assert needle["rules"] == [SECOND_ERROR.code] and needle["places"] == ["line 5"]
    assert SECOND_ERROR.code in needle["open"]
    assert nothing["rules"] == [] and nothing["nothing"]
    assert by_code["rules"] == [WARNING.code] and not by_code["nothing"]
    assert by_file["rules"] == [SECOND_ERROR.code]
    assert (neither["rules"] == []) == (WARNING.kind != SECOND_ERROR.kind)
    assert [one["shown"] for one in (first, no_errors, nothing)] == [
        first["shown"],
        first["shown"].replace("3", "1", 1),
        first["shown"].replace("3", "0", 1),
    ]


def test_places_beyond_the_first_are_searched_too(tmp_path: Path) -> None:
    """A word that only a folded place has unfolds it."""
    _, searched, _ = seen(tmp_path, FOUND, [{"name": "text", "value": "row 12"}])
    assert searched["places"] == ["line 12"]
    assert "more" in searched["open"]


def test_a_link_to_a_rule_opens_it(tmp_path: Path) -> None:
    """The address of a page can end with a rule's code."""
    first, _ = seen(tmp_path, FOUND, [], target=WARNING.code)
    assert WARNING.code in first["open"]
