"""What a data set is for, told from formats, roles, neighbours and wishes."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_wording import assert_sayable

from droptune.datasets.purpose import Purpose, needs, played, purpose, started
from droptune.events import Format, Role
from droptune.methods import METHODS, startable
from droptune.methods.catalogue import base_models, known_methods
from droptune.request import Request

FORMATS: tuple[Format, ...] = get_args(Format)
ROLES: tuple[Role, ...] = get_args(Role)


def codes(found: Purpose) -> list[str]:
    for problem in found.problems:
        assert_sayable(problem)
    return [problem.code for problem in found.problems]


@pytest.mark.parametrize(
    ("fmt", "method", "base_model"),
    [
        ("text", "palm_text_sft", "text-bison@002"),
        ("chat", "palm_chat_sft", "chat-bison@002"),
        ("gemini_contents", "gemini_sft", "gemini-2.5-flash"),
        ("gemini_messages", "gemini_sft", "gemini-1.0-pro-002"),
        ("text_rationale", "palm_distill", "text-bison@002"),
        ("preference", "rlhf", "text-bison@002"),
        ("chat_preference", "rlhf", "chat-bison@001"),
        ("chat_prompts", "rlhf", "chat-bison@001"),
        ("gemini_preference", "gemini_preference", "gemini-2.5-flash"),
        ("gemini_prompts", "distill", "gemini-2.5-flash"),
        ("open_prompts", "distill", "google/gemma3@gemma-3-12b-it"),
        ("reinforcement", "reinforcement", "gemini-3.5-flash"),
        ("open_chat", "oss_sft", "google/gemma3@gemma-3-12b-it"),
        ("completion", "oss_sft", "google/gemma3@gemma-3-12b-it"),
        ("open_contents", "oss_sft", "google/gemma3@gemma-3-12b-it"),
        ("embedding_text", "embedding", "text-embedding-005"),
        ("embedding_labels", "embedding", "text-embedding-005"),
    ],
)
def test_the_format_of_a_lone_file_says_what_it_is_for(fmt: Format, method: str, base_model: str) -> None:
    """Most formats serve one method; its usual base model is taken."""
    found = purpose({"train": fmt}, Request())
    assert (found.method, found.base_model, found.why) == (method, base_model, "format")
    assert codes(found) == []
    assert found.tuning is not None


@pytest.mark.parametrize(
    ("fmt", "code"),
    [
        ("prompts", "PURPOSE-AMBIGUOUS"),
        ("openai_chat", "PURPOSE-CONVERT"),
        ("openai_preference", "PURPOSE-CONVERT"),
        ("completion_prompts", "PURPOSE-CONVERT"),
        ("ground_truth", "PURPOSE-EVALUATION"),
        ("batch_requests", "PURPOSE-BATCH"),
    ],
)
def test_rows_that_no_method_claims_are_reported(fmt: Format, code: str) -> None:
    """Bare prompts, rows to be converted, and rows that are not for tuning have no method, and say why."""
    found = purpose({"train": fmt}, Request(), {"train": "rows.jsonl"})
    assert found.method is None
    assert codes(found) == [code]


def test_prompts_beside_preferences_are_for_rlhf() -> None:
    """Neighbours decide what the shape leaves open."""
    found = purpose({"prompts": "prompts", "preferences": "preference"}, Request())
    assert (found.method, found.missing, codes(found)) == ("rlhf", (), [])


def test_preferences_alone_lack_their_prompts() -> None:
    """They are for RLHF all the same, whatever the file is called."""
    assert purpose({"train": "preference"}, Request()).missing == ("prompts",)
    assert purpose({"preferences": "preference"}, Request()).missing == ("prompts",)


@pytest.mark.parametrize("role", ["train", "prompts"])
def test_a_wish_settles_bare_prompts(role: Role) -> None:
    """`method: palm_distill` needs nothing more; `method: rlhf` misses the preferences."""
    distilled = purpose({role: "prompts"}, Request(method="palm_distill"))
    assert (distilled.method, distilled.missing, distilled.why) == ("palm_distill", (), "request")
    assert purpose({role: "prompts"}, Request(method="rlhf")).missing == ("preferences",)


@pytest.mark.parametrize(
    ("request_", "method", "base_model"),
    [
        (Request(method="palm_distill"), "palm_distill", "text-bison@002"),
        (Request(method="palm_code_sft"), "palm_code_sft", "code-bison@002"),
        (Request(base_model="code-bison-32k@002"), "palm_code_sft", "code-bison-32k@002"),
        (Request(base_model="text-bison-32k@002"), "palm_text_sft", "text-bison-32k@002"),
    ],
)
def test_a_wish_chooses_among_what_rows_can_be(request_: Request, method: str, base_model: str) -> None:
    """Text rows are for text models, code models and labelled distillation."""
    found = purpose({"train": "text", "eval": "text"}, request_)
    assert (found.method, found.base_model) == (method, base_model)
    assert codes(found) == []


@pytest.mark.parametrize(
    ("fmt", "request_", "code"),
    [
        ("text", Request(method="rlhf"), "METHOD-UNFIT"),
        ("text", Request(method="alchemy"), "METHOD-UNKNOWN"),
        ("text", Request(method="rlaif"), "METHOD-RLAIF"),
        ("gemini_contents", Request(method="continuous"), "METHOD-CONTINUOUS"),
        ("text", Request(base_model="gpt-4"), "MODEL-UNKNOWN"),
        ("text", Request(base_model="gemini-2.5-flash"), "MODEL-UNFIT"),
        ("gemini_contents", Request(method="gemini_sft", base_model="chat-bison@002"), "MODEL-UNFIT"),
    ],
)
def test_a_wish_never_makes_rows_into_something_else(fmt: Format, request_: Request, code: str) -> None:
    """What cannot be is refused by name, and no method is named in its place."""
    found = purpose({"train": fmt}, request_)
    assert found.method is None
    assert codes(found) == [code]


@pytest.mark.parametrize(
    ("fmt", "request_", "code"),
    [
        ("gemini_contents", Request(train_steps=5), "METHOD-HYPERPARAMETER"),
        ("text", Request(adapter_size=4), "METHOD-HYPERPARAMETER"),
        ("text", Request(train_steps=5, epochs=2), "METHOD-STEPS-AND-EPOCHS"),
        ("gemini_contents", Request(base_model="gemini-2.5-pro", adapter_size=16), "MODEL-ADAPTER-SIZE"),
        ("gemini_contents", Request(base_model="gemini-3.5-flash", region="asia-east1"), "MODEL-REGION"),
    ],
)
def test_wishes_that_would_do_nothing_are_found(fmt: Format, request_: Request, code: str) -> None:
    """Each gives one finding, and the method stays known."""
    found = purpose({"train": fmt}, request_)
    assert found.method in METHODS
    assert codes(found) == [code]


def test_a_file_that_the_method_does_not_read_is_said() -> None:
    """A chat model takes no evaluation rows while it trains."""
    found = purpose({"train": "chat", "eval": "chat"}, Request(), {"eval": "held_out.jsonl"})
    assert codes(found) == ["PURPOSE-FILE-UNUSED"]
    assert found.problems[0].values["found"] == "held_out.jsonl"


def test_files_of_an_embedding_data_set_join() -> None:
    """It needs three files; what is missing is named by role."""
    found = purpose({"corpus": "embedding_text", "queries": "embedding_text"}, Request())
    assert (found.method, found.missing) == ("embedding", ("labels",))
    assert needs("embedding").needs == (("corpus",), ("queries",), ("labels",))


def test_what_cannot_be_started_is_a_note_for_people_and_an_error_for_jobs() -> None:
    """`check` judges files of every method; the pipeline must refuse those that it has no launcher for."""
    chat, text = purpose({"train": "chat"}, Request()), purpose({"train": "text"}, Request())
    assert [p.code for p in started(chat, must_start=False)] == ["METHOD-NOT-STARTED"]
    (problem,) = started(chat, must_start=True)
    assert problem.code == "METHOD-UNAVAILABLE"
    assert_sayable(problem)
    assert list(started(text, must_start=True)) == []
    assert startable(chat.method, chat.base_model) is None
    assert startable(text.method, text.base_model) is not None


def test_nothing_is_known_of_no_files() -> None:
    """Without a format there is no purpose and no finding about it."""
    assert purpose({}, Request()) == Purpose()


@given(
    formats=st.dictionaries(st.sampled_from(ROLES), st.sampled_from(FORMATS)),
    method=st.one_of(st.none(), st.sampled_from([*known_methods(), "rlaif", "x"])),
    base_model=st.one_of(st.none(), st.sampled_from([*base_models(), "x"])),
)
def test_any_files_and_wishes_have_a_purpose_or_a_reason(
    formats: dict[Role, Format], method: str | None, base_model: str | None
) -> None:
    """Whatever lies together: a method with a base model that takes the rows, or findings, in words."""
    found = purpose(formats, Request(method=method, base_model=base_model))
    names = codes(found)
    if found.method is None:
        assert names or not formats
    else:
        assert method in (None, found.method)
        assert base_model in (None, found.base_model)
        assert found.tuning is not None
        assert found.format in found.tuning.formats
        assert found.role is not None
        assert not set(found.missing) & {played(role, fmt) for role, fmt in formats.items()}
