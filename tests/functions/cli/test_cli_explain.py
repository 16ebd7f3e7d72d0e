"""``droptune explain``: rules in full, rules by kind, both languages, and what is nearly a code."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from droptune.cli import main
from droptune.datasets.rules import all_rules, kinds


def run(*arguments: str, columns: int = 120) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["explain", *arguments], env={"COLUMNS": str(columns)})
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("typed", ["TEXT-EMPTY-OUTPUT", "text-empty-output", "Text_Empty_Output"])
def test_a_code_is_explained_in_full(typed: str) -> None:
    """Rule, wrong and right example and source are shown, however the code is typed."""
    code, out, _ = run(typed)
    assert code == 0
    first, *rest = out.splitlines()
    assert first == "TEXT-EMPTY-OUTPUT  error  empty_value"
    assert all(heading in rest for heading in ("Allowed", "Fix", "Wrong", "Right", "Source"))
    assert '  {"input_text": "Where is my card?", "output_text": ""}' in rest
    assert rest[rest.index("Source") + 1].strip()


def test_a_kind_lists_its_codes() -> None:
    """The kind with its meaning, then every code of it and no other; hyphens will do."""
    expected = [rule.code for rule in all_rules() if rule.kind == "role_order"]
    for typed in ("role_order", "role-order"):
        code, out, _ = run(typed)
        heading, *lines = out.splitlines()
        assert code == 0 and heading.startswith("role_order  ")
        assert [line.split()[0] for line in lines] == expected


def test_without_a_code_every_rule_is_listed() -> None:
    """Each rule once, under its kind."""
    code, out, _ = run()
    assert code == 0
    listed = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted(rule.code for rule in all_rules())
    assert len(out.splitlines()) == len(listed) + len({rule.kind for rule in all_rules()})


def test_codes_and_kinds_go_together() -> None:
    """A code is told in full even when a kind is asked for beside it."""
    _, out, _ = run("role_order", "LEAKAGE")
    assert out.startswith("LEAKAGE  ") and "Wrong" in out and "\nrole_order  " in out


def test_in_a_narrow_window_the_titles_remain() -> None:
    """Forty columns break lines, and lose nothing of them."""
    _, out, _ = run("empty_value", columns=40)
    titles = [rule.title["en"] for rule in all_rules() if rule.kind == "empty_value"]
    text = " ".join(out.split())
    assert all(title in text for title in titles)
    assert max(map(len, out.splitlines())) <= 40


def test_it_speaks_japanese() -> None:
    """Texts and headings are Japanese; codes and examples are what they are."""
    _, out, _ = run("TEXT-EMPTY-OUTPUT", "--lang", "ja")
    assert "回答が空です" in out and "誤りの例" in out and "Allowed" not in out


def test_programs_get_one_object_for_a_code_and_a_list_for_a_kind() -> None:
    """What is printed depends on what was asked for, not on how many rules a kind happens to have."""
    _, one, _ = run("LEAKAGE", "--json")
    assert json.loads(one)["code"] == "LEAKAGE" and set(json.loads(one)["title"]) == {"en", "ja"}
    for kind in kinds():
        _, several, _ = run(kind, "--json")
        assert {rule["kind"] for rule in json.loads(several)} == {kind}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("TEXT-EMTY-OUTPUT", "TEXT-EMPTY-OUTPUT"), ("mising_field", "missing_field"), ("leakages", "LEAKAGE")],
)
def test_what_is_nearly_a_code_is_told_what_it_should_be(typed: str, meant: str) -> None:
    """A usage error that names the nearest codes and kinds."""
    code, out, err = run(typed)
    assert (code, out) == (2, "")
    assert meant in err.partition("Did you mean")[2]


def test_what_is_no_code_at_all_is_refused() -> None:
    """Without anything near, the list is named."""
    code, _, err = run("xyzzy")
    assert code == 2
    assert "no rule or kind 'xyzzy'. `droptune explain` lists them all." in err
