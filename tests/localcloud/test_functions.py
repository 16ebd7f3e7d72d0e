"""Functions under functions-framework, several in one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from localcloud.functions import parse_function

SOURCE = """
import functions_framework

@functions_framework.cloud_event
def listen(event):
    if event.data.get("fail"):
        raise ValueError("asked to")

@functions_framework.http
def greet(request):
    return {"hello": request.get_json()["name"]}
"""
HEADERS = {
    "Content-Type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-type": "google.cloud.storage.object.v1.finalized",
    "ce-source": "//storage.googleapis.com/projects/_/buckets/b",
}


def test_each_function_answers_under_its_name(start_service: Callable[..., Any], tmp_path: Path) -> None:
    """An event that is handled gives 2xx, one that raises gives 500, so that it is delivered again."""
    (tmp_path / "main.py").write_text(SOURCE)
    functions = ("--function", "listen=listen:cloudevent", "--function", "greet=greet:http")
    address = start_service("functions", "--source", str(tmp_path), *functions).addresses["rest"]
    assert requests.post(f"{address}/greet/", json={"name": "you"}, timeout=10).json() == {"hello": "you"}
    assert requests.post(f"{address}/listen/", json={}, headers=HEADERS, timeout=10).ok
    assert requests.post(f"{address}/listen/", json={"fail": 1}, headers=HEADERS, timeout=10).status_code == 500
    assert requests.post(f"{address}/nobody/", json={}, timeout=10).status_code == 404


@pytest.mark.parametrize("text", ["x", "a=b", "a=b:grpc", "=b:http", "a=:http"])
def test_a_malformed_function_option_is_refused(text: str) -> None:
    """The message shows the form."""
    with pytest.raises(ValueError, match="NAME=ENTRY_POINT"):
        parse_function(text)
