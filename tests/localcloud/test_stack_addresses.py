"""Which ports a cloud takes, and when an emulator of the user's own is used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localcloud.addresses import PORT_NAMES, PORTS_FILE, choose_ports, external, require_answer
from localcloud.process import CannotStart, free_port, listen

ANY = dict.fromkeys(PORT_NAMES, 0)


def remember(data: Path, ports: dict[str, int]) -> None:
    (data / PORTS_FILE).write_text(json.dumps(ports))


def test_each_service_has_a_port_of_its_own(tmp_path: Path) -> None:
    """Without a wish and without a past, all are free ones."""
    ports = choose_ports(ANY, tmp_path)
    assert tuple(ports) == PORT_NAMES
    assert len(set(ports.values())) == len(PORT_NAMES)


def test_the_ports_of_the_last_time_are_taken_again(tmp_path: Path) -> None:
    """Addresses that people wrote down stay right."""
    last = choose_ports(ANY, tmp_path)
    remember(tmp_path, last)
    assert choose_ports(ANY, tmp_path) == last


def test_a_port_that_somebody_else_has_taken_is_replaced(tmp_path: Path) -> None:
    """Only that one changes."""
    last = choose_ports(ANY, tmp_path)
    remember(tmp_path, last)
    with listen(last["vertex"]) as taken:
        taken.listen()
        again = choose_ports(ANY, tmp_path)
    assert {name for name in PORT_NAMES if again[name] != last[name]} == {"vertex"}


def test_a_port_that_is_asked_for_is_what_is_taken(tmp_path: Path) -> None:
    """Also when the last time it belonged to another service, which then moves."""
    last = choose_ports(ANY, tmp_path)
    remember(tmp_path, last)
    ports = choose_ports({**ANY, "vertex": last["storage"]}, tmp_path)
    assert ports["vertex"] == last["storage"]
    assert len(set(ports.values())) == len(PORT_NAMES)


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"storage": "high"}'])
def test_a_damaged_port_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    """A crash or an editor must not keep the cloud from starting."""
    (tmp_path / PORTS_FILE).write_text(text)
    assert tuple(choose_ports(ANY, tmp_path)) == PORT_NAMES


def test_an_emulator_of_the_users_own_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by its usual variable; none when the variable is unset or blank."""
    ports = choose_ports(ANY, tmp_path)
    foreign = f"localhost:{free_port()}"
    url = f"http://{foreign}"
    for value, expected in ((foreign, url), (url, url), (f" {foreign}/", url), (" ", None)):
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", value)
        assert external("PUBSUB_EMULATOR_HOST", ports, tmp_path) == expected
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST")
    assert external("PUBSUB_EMULATOR_HOST", ports, tmp_path) is None


@pytest.mark.parametrize("prefix", ["127.0.0.1:", "http://127.0.0.1:", "localhost:"])
def test_our_own_address_of_the_last_time_is_no_foreign_emulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    """The exports of `droptune env` may still be in force in the shell, even when the port moved since."""
    last = choose_ports(ANY, tmp_path)
    remember(tmp_path, last)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"{prefix}{last['pubsub']}")
    with listen(last["pubsub"]) as taken:
        taken.listen()
        now = choose_ports(ANY, tmp_path)
    assert now["pubsub"] != last["pubsub"]
    assert external("PUBSUB_EMULATOR_HOST", now, tmp_path) is None


def test_an_emulator_that_does_not_answer_is_named(storage_address: str) -> None:
    """The message says which variable to unset; one that answers, whatever it says, will do."""
    require_answer("STORAGE_EMULATOR_HOST", storage_address)
    with pytest.raises(CannotStart, match="unset PUBSUB_EMULATOR_HOST"):
        require_answer("PUBSUB_EMULATOR_HOST", f"http://127.0.0.1:{free_port()}")
