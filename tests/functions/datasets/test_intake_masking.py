"""No report shows personal data or a secret, wherever in a row it stands and whatever is said of that row."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_rows import line, text

from droptune.datasets.check import check_files
from droptune.datasets.describe import build
from droptune.datasets.junit import junit
from droptune.datasets.masking import MASK, masked
from droptune.datasets.page import page
from droptune.datasets.report import encode
from droptune.datasets.sarif import sarif

# In two parts, so that no scanner takes this file for a leak.
SECRETS = {
    "aws": "AKIA" + "Z7Q2RTYUIOPLKJH4",
    "openai": "sk-" + "aB3dE5fG7hJ9kL1mN3pQ",
    "github": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "google": "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "slack": "xoxb-" + "123456789012-abcdefghij",
    "jwt": "eyJ" + "raWQiOiI3QiJ9.eyJqdGkiOiI5OTQyIn0.qrsTUV987654",
    "mail": "erika.mustermann@" + "firma-beispiel.de",
    "card": "4111 1111 " + "1111 1111",
    "iban": "DE89 3704 0044 " + "0532 0130 00",
    "ssn": "536-22-" + "1234",
    "phone": "+81 3-" + "5555-1234",
    "address": "93.184." + "216.34",
}
PASSWORD = "hunter2" + "Wx"
# What a row can have wrong so that its text would be shown.
BROKEN: dict[str, Callable[[str], bytes]] = {
    "a value": lambda secret: line({"input_text": [secret], "output_text": "a"}),
    "the name of a field": lambda secret: line({**text(0), secret: 1}),
    "a name further in": lambda secret: line({**text(0), "output_text": {secret: secret}}),
    "no JSON": lambda secret: json.dumps({"input_text": "a", "output_text": secret}).encode()[:-1] + b",}\n",
    "no value": lambda secret: f'{{"input_text": {secret}}}\n'.encode(),
    "no object": lambda secret: line(secret),
    "two values": lambda secret: (json.dumps(text(0)) + json.dumps({"more": secret})).encode() + b"\n",
    "single quotes": lambda secret: f"{{'input_text': '{secret}'}}\n".encode(),
    "a repeated key": lambda secret: f'{{"input_text": "a", "{secret}": 1, "{secret}": 2}}\n'.encode(),
    "labels": lambda secret: b"".join(line({**text(n), "output_text": f"{secret}."}) for n in range(9)),
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_no_report_shows_what_is_secret(tmp_path: Path, secret: str, broken: Callable[[str], bytes]) -> None:
    """In JSON, on the page, in SARIF and in JUnit, whatever rule the row breaks."""
    path = tmp_path / "train.jsonl"
    rows = b"".join(line({**text(n), "output_text": secret}) for n in range(40))
    path.write_bytes(rows + broken(secret) * 3)
    report = build(dataset="bank", run_id=None, status="ready", checked=check_files({"train": path}))
    assert len(report.findings) > 0
    for output in (encode(report), page(report), sarif(report), junit(report)):
        assert secret[:9].encode() not in output


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_what_is_secret_is_left_out(secret: str) -> None:
    """And nothing beside it."""
    assert masked(f"Call {secret}, or not.") == f"Call {MASK}, or not."


@pytest.mark.parametrize(
    "text",
    [
        f"password: {PASSWORD}",
        f'{{"api_key": "{PASSWORD}"}}',
        f"postgres://bob:{PASSWORD}@db.internal/x",
        f"it is {SECRETS['aws'][:12]}…",
        f"it is {SECRETS['mail'][:22]}…",
    ],
)
def test_given_and_cut_values_are_left_out(text: str) -> None:
    """What stands after the name of a password, within an address, or may go on where a text was cut."""
    shown = masked(text)
    assert MASK in shown
    assert PASSWORD not in shown
    assert SECRETS["aws"][:12] not in shown and "mustermann@" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "gemini-2.0-flash-001",
        "text-bison@002",
        "[000000001] where",
        "1e999",
        "2025-11-21",
        '"choice": 2',
        "row 12 of 40…",
    ],
)
def test_what_only_looks_a_little_like_it_stays(text: str) -> None:
    """Names of models, serial numbers, dates and values."""
    assert masked(text) == text


@given(st.text(max_size=60))
def test_any_text_can_be_masked_twice(text: str) -> None:
    """What was left out once is not there to be left out again."""
    assert masked(masked(text)) == masked(text)
