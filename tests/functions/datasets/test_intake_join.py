"""Which objects make up a data set, and which are missing."""

from __future__ import annotations

import itertools

import pytest

from droptune.datasets.join import FILES, BadName, folder, is_folder_member
from droptune.errors import NotOurs
from droptune.ports import StoredObject
from droptune.request import InvalidRequest, Request, from_yaml


@pytest.mark.parametrize(
    ("name", "member"),
    [("a.jsonl", False), ("A b.jsonl", False), ("a/job.yaml", True), *((f"a/{name}", True) for name in FILES)],
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
    "name",
    [
        "data.csv",
        "notes.txt",
        "job.yaml",
        "labels.tsv",
        "a/b/c.jsonl",
        "a/data.jsonl",
        "/train.jsonl",
        "a/b/train.jsonl",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    """A name that says no role is not guessed at."""
    with pytest.raises(BadName) as raised:
        is_folder_member(name)
    assert (raised.value.code, raised.value.values) == ("OBJECT-NAME", {"found": name})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("a/validation.jsonl", "a/eval.jsonl"),
        ("a/Test.jsonl", "a/eval.jsonl"),
        ("a/train.json", "a/train.jsonl"),
        ("a/train.jsonl.gz", "a/train.jsonl"),
        ("a/labels.csv", "a/labels.tsv"),
        ("a/labels.jsonl", "a/labels.tsv"),
        ("a/job.yml", "a/job.yaml"),
    ],
)
def test_a_name_that_is_nearly_right_is_told_what_it_should_be(name: str, meant: str) -> None:
    """It is refused all the same: what was meant is for its owner to say."""
    with pytest.raises(BadName) as raised:
        is_folder_member(name)
    assert (raised.value.code, raised.value.values) == ("ROLE-NAME", {"found": name, "meant": meant})


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
    ("present", "needs"),
    [
        ((), ("train", "eval")),
        (("eval.jsonl",), ("train", "eval")),
        (("train.jsonl",), ("train", "eval")),
        (("train.jsonl", "eval.jsonl"), ("train", "eval")),
        (("prompts.jsonl",), ("prompts", "preferences")),
        (("preferences.jsonl",), ("prompts", "preferences")),
        (("preferences.jsonl", "prompts.jsonl", "eval.jsonl"), ("prompts", "preferences")),
        (("labels.tsv",), ("corpus", "queries", "labels")),
        (("queries.jsonl", "corpus.jsonl"), ("corpus", "queries", "labels")),
    ],
)
def test_what_is_there_says_what_belongs_to_it(present: tuple[str, ...], needs: tuple[str, ...]) -> None:
    """Without a job.yaml, files call for those that go together with them."""
    assert folder("set", listing(*present)).needs(Request()) == needs


@pytest.mark.parametrize(
    ("method", "present", "needs"),
    [
        ("rlhf", (), ("prompts", "preferences")),
        ("rlhf", ("train.jsonl", "prompts.jsonl"), ("prompts", "preferences")),
        ("embedding", (), ("corpus", "queries", "labels")),
        ("palm_distill", ("prompts.jsonl",), ("prompts",)),
        ("palm_distill", ("train.jsonl",), ("train", "eval")),
        ("palm_text_sft", ("train.jsonl", "preferences.jsonl"), ("train", "eval")),
        ("no such method", ("prompts.jsonl",), ("prompts", "preferences")),
    ],
)
def test_a_method_that_is_asked_for_says_what_it_needs(
    method: str, present: tuple[str, ...], needs: tuple[str, ...]
) -> None:
    """The wish settles what the files alone leave open; one that nobody knows settles nothing."""
    assert folder("set", listing(*present)).needs(Request(method=method)) == needs


@pytest.mark.parametrize(
    ("present", "line"),
    [
        (("preferences.jsonl", "train.jsonl", "eval.jsonl"), "files: [train.jsonl, eval.jsonl]"),
        (("prompts.jsonl", "labels.tsv"), "files: [prompts.jsonl]"),
        (("train.jsonl", "corpus.jsonl"), "files: [train.jsonl]"),
    ],
)
def test_files_that_do_not_go_together_need_a_line(present: tuple[str, ...], line: str) -> None:
    """What a mixed folder is for is never guessed: the line to add is said, and settles it."""
    mixed = folder("set", listing(*present))
    with pytest.raises(InvalidRequest) as raised:
        mixed.needs(Request())
    assert raised.value.code == "SET-MIXED"
    assert raised.value.values["line"] == line
    listed = from_yaml(line)
    assert set(mixed.needs(listed)) == {FILES[name] for name in listed.files}


def test_a_method_that_could_read_two_files_needs_a_line() -> None:
    """Asking for it does not say which of them."""
    with pytest.raises(InvalidRequest) as raised:
        folder("set", listing("train.jsonl", "preferences.jsonl")).needs(Request(method="gemini_preference"))
    assert raised.value.code == "SET-MIXED"


@pytest.mark.parametrize(
    ("files", "needs"),
    [
        (("train.jsonl",), ("train",)),
        (("eval.jsonl", "train.jsonl"), ("train", "eval")),
        (("prompts.jsonl",), ("prompts",)),
        (("preferences.jsonl", "eval.jsonl"), ("eval", "preferences")),
        (("preferences.jsonl", "prompts.jsonl"), ("prompts", "preferences")),
        (("labels.tsv", "queries.jsonl", "corpus.jsonl"), ("corpus", "queries", "labels")),
    ],
)
def test_a_list_in_job_yaml_decides_what_is_waited_for(files: tuple[str, ...], needs: tuple[str, ...]) -> None:
    """Whatever else is there: nothing more and nothing less."""
    everything = folder("set", listing(*FILES))
    assert everything.needs(Request(files=files)) == folder("set", []).needs(Request(files=files)) == needs
    assert set(everything.unused(needs)) == FILES.keys() - set(files)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (("eval.jsonl",), "REQUEST-FILES"),
        (("train.jsonl", "x.jsonl"), "REQUEST-FILE"),
        (("train.jsonl", "corpus.jsonl"), "REQUEST-FILES"),
        (("corpus.jsonl", "queries.jsonl"), "REQUEST-FILES"),
        (("train.jsonl", "preferences.jsonl"), "REQUEST-FILES"),
    ],
)
def test_a_list_that_cannot_be_is_refused(files: tuple[str, ...], code: str) -> None:
    """There is nothing to wait for that would make these a data set."""
    with pytest.raises(InvalidRequest) as raised:
        folder("set", []).needs(Request(files=files))
    assert raised.value.code == code
    assert files[-1] in str(raised.value)
