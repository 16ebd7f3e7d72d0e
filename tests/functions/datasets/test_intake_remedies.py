"""What a rule promises of `droptune fix` is what it does to the rule's own example."""

from __future__ import annotations

import io
import json

import pytest
from intake_rows import codes, judge, rows
from test_intake_rules import FORMATS, RULES

from droptune.datasets.repair import Options, fix_stream
from droptune.datasets.rules import Rule
from droptune.datasets.setaside import SetAside

LINES = [one for one in RULES.values() if one.wrong.lstrip().startswith(("{", "["))]


def fixed(data: bytes) -> tuple[bytes, list[dict[str, object]]]:
    """The corrected file, and what was set aside."""
    out, aside = io.BytesIO(), io.BytesIO()
    fix_stream(lambda: io.BytesIO(data), out, SetAside(lambda: aside), Options())
    return out.getvalue(), [json.loads(line) for line in aside.getvalue().splitlines()]


def broken_file(one: Rule) -> bytes | None:
    """The example of a rule among right rows of its format, or alone; None when only other files show its finding."""
    wrong = one.wrong.encode("utf-8", "surrogatepass") + b"\n"
    for filler in [*(rows(fmt, 100, 112) for fmt in FORMATS.get(one.code.partition("-")[0], ("text",))), b""]:
        if one.code in codes(filler + wrong):
            return filler + wrong
    return None


@pytest.mark.parametrize("one", [one for one in LINES if one.remedy == "correct"], ids=lambda one: one.code)
def test_what_can_be_corrected_is_corrected_without_loss(one: Rule) -> None:
    """The finding is gone, and no row is."""
    data = broken_file(one)
    assert data is not None
    out, aside = fixed(data)
    before, after = judge(data), judge(out)
    assert one.code not in after.findings.by_code
    assert aside == []
    assert after.scans["train"].rows >= before.scans["train"].rows or one.code.startswith("FILE-")


@pytest.mark.parametrize(
    "one", [one for one in LINES if one.remedy == "remove" and one.severity == "error"], ids=lambda one: one.code
)
def test_what_cannot_be_corrected_is_set_aside(one: Rule) -> None:
    """The row is in the quarantine with its reason, and the rest is right."""
    data = broken_file(one)
    if data is None:
        pytest.skip("its example is about several files")
    out, aside = fixed(data)
    assert one.code not in judge(out).findings.by_code
    assert any(one.code in row["codes"] for row in aside)  # type: ignore[operator]
