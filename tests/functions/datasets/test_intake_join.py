"""Which objects make up a data set, and which are missing."""

from __future__ import annotations

import itertools

import pytest

from droptune.datasets.join import BadName, folder, is_folder_member
from droptune.errors import NotOurs, Refused
from droptune.ports import StoredObject
from droptune.request import Request


@pytest.mark.parametrize(
    ("name", "member"),
    [("a.jsonl", False), ("A b.jsonl", False), ("a/train.jsonl", True), ("a/eval.jsonl", True), ("a/job.yaml", True)],
)
def test_data_is_known_by_its_name(name: str, member: bool) -> None:
    """A .jsonl at the root is a data set of its own; in a folder the name says the role."""
    assert is_folder_member(name) is member


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "a/README",
        "a/readme.txt",
        "LICENSE",
        "a/LICENCE.md",
        "a/",
        "/",
        ".DS_Store",
        "a/.keep",
        ".x/a.jsonl",
    ],
)
def test_what_comes_along_is_ignored(name: str) -> None:
    """A folder upload brings placeholders, dot files, a README and a licence: they are not data."""
    with pytest.raises(NotOurs):
        is_folder_member(name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("data.csv", "OBJECT-NAME"),
        ("notes.txt", "OBJECT-NAME"),
        ("job.yaml", "OBJECT-NAME"),
        ("a/b/c.jsonl", "OBJECT-NAME"),
        ("a/data.jsonl", "OBJECT-NAME"),
        ("/train.jsonl", "OBJECT-NAME"),
        ("a/b/prompts.jsonl", "OBJECT-NAME"),
        ("a/prompts.jsonl", "ROLE-UNAVAILABLE"),
        ("a/preferences.jsonl", "ROLE-UNAVAILABLE"),
        ("a/labels.tsv", "ROLE-UNAVAILABLE"),
    ],
)
def test_other_names_are_refused(name: str, code: str) -> None:
    """Every other name is told apart: stray, or of a method that is not available."""
    with pytest.raises(BadName) as raised:
        is_folder_member(name)
    assert raised.value.code == code


def listing(*names: str) -> list[StoredObject]:
    return [StoredObject("in", f"set/{name}", n, 1) for n, name in enumerate(names)]


def test_a_folder_is_the_same_in_whatever_order_its_files_came() -> None:
    """Joining looks at what is there, not at how it came."""
    pieces = listing("train.jsonl", "eval.jsonl", "job.yaml", "README.md")
    joined = [folder("set", order) for order in itertools.permutations(pieces)]
    assert all(one == joined[0] for one in joined)
    assert list(joined[0].files) == ["train", "eval"]
    assert joined[0].job == pieces[2]


@pytest.mark.parametrize(
    ("files", "needs"),
    [
        ((), ("train", "eval")),
        (("train.jsonl",), ("train",)),
        (("eval.jsonl", "train.jsonl"), ("train", "eval")),
    ],
)
def test_job_yaml_decides_what_is_waited_for(files: tuple[str, ...], needs: tuple[str, ...]) -> None:
    """Without a list both files are needed; with one, what it names."""
    assert folder("set", []).needs(Request(files=files)) == needs


@pytest.mark.parametrize("files", [("eval.jsonl",), ("train.jsonl", "x.jsonl"), ("train.jsonl", "corpus.jsonl")])
def test_a_list_that_cannot_be_is_refused(files: tuple[str, ...]) -> None:
    """There is nothing to wait for that would make these a data set."""
    with pytest.raises(Refused, match=r"job\.yaml: `files`"):
        folder("set", []).needs(Request(files=files))
