"""How prompts are put to the base model."""

from __future__ import annotations

import pytest

from droptune.evaluation.examples import Example, Profile
from droptune.evaluation.templates import MAX_SHOTS_BYTES, Template, bare, few_shot, instructed
from droptune.ports import Turn

LABELS = ("lost_card", "refund")


def row(line: int, text: str, expected: str, system: str | None = None) -> Example:
    prompt = ((Turn("system", system),) if system else ()) + (Turn("user", text),)
    return Example(line, prompt, expected)


SHOTS = (row(1, "where is my card", "lost_card"), row(2, "money back", "refund"))
CLASSIFICATION = Profile("classification", LABELS, 9, SHOTS)
GENERATION = Profile("generation", (), 9, SHOTS)
BARE_ROWS = [row(1, "i want my money", "refund")]


def test_the_bare_template_changes_nothing() -> None:
    """Prompt and answer go through as they are."""
    template = bare("text")
    assert template.render(BARE_ROWS[0].prompt) == BARE_ROWS[0].prompt
    assert template.answer(" refund\nInput: x") == " refund\nInput: x"


def test_text_prompts_become_one_text_with_the_classes() -> None:
    """PaLM-style rows without an instruction get the list of classes and Input/Output marks."""
    (turn,) = instructed("text", CLASSIFICATION, BARE_ROWS).render(BARE_ROWS[0].prompt)
    assert turn == Turn(
        "user",
        "Classify the following text into one of the following classes: [lost_card, refund]. "
        "Answer with the name of the class alone.\n\nInput: i want my money\nOutput:",
    )


def test_turn_prompts_get_the_classes_as_system_instruction() -> None:
    """Gemini rows keep their turns."""
    system, user = instructed("gemini_contents", CLASSIFICATION, BARE_ROWS).render(BARE_ROWS[0].prompt)
    assert (system.role, user) == ("system", BARE_ROWS[0].prompt[0])
    assert "[lost_card, refund]" in system.text


def test_rows_that_instruct_get_no_second_instruction() -> None:
    """A system turn, or a prompt that names most labels, is instruction enough."""
    with_system = [row(1, "x", "refund", system="Classify.")]
    with_labels = [row(1, "One of [lost_card, refund]. Text: x", "refund")]
    assert instructed("gemini_contents", CLASSIFICATION, with_system).instruction is None
    assert instructed("text", CLASSIFICATION, with_labels).instruction is None
    assert instructed("text", GENERATION, BARE_ROWS).instruction is None


def test_examples_are_one_prefix_for_all_rows() -> None:
    """What precedes the row is the same turns whatever the row is, so that a server can cache them."""
    template = few_shot("text", CLASSIFICATION, BARE_ROWS)
    prefix = (
        Turn("user", "where is my card"),
        Turn("model", "lost_card"),
        Turn("user", "money back"),
        Turn("model", "refund"),
    )
    for text in ("A", "BB"):
        assert template.render((Turn("user", text),)) == (*prefix, Turn("user", text))


def test_examples_get_an_instruction_only_where_it_is_a_turn_of_its_own() -> None:
    """PaLM-style rows are shown examples alone; Gemini rows get the list of classes as system turn before them."""
    assert few_shot("text", CLASSIFICATION, BARE_ROWS).instruction is None
    system, *rest = few_shot("gemini_contents", CLASSIFICATION, BARE_ROWS).render(BARE_ROWS[0].prompt)
    assert (system.role, "[lost_card, refund]" in system.text) == ("system", True)
    assert [turn.role for turn in rest] == ["user", "model", "user", "model", "user"]


def test_examples_of_gemini_rows_are_turns() -> None:
    """The row's own system turn stays first; the examples follow as user and model."""
    rows = [row(9, "x", "refund", system="Classify.")]
    roles = [turn.role for turn in few_shot("gemini_contents", CLASSIFICATION, rows).render(rows[0].prompt)]
    assert roles == ["system", "user", "model", "user", "model", "user"]


def test_examples_that_do_not_fit_are_left_out() -> None:
    """Long examples give way to shorter ones within the bound in bytes, and there are ten at most."""
    long = row(1, "字" * MAX_SHOTS_BYTES, "a")
    many = tuple(row(line, "short", "b") for line in range(2, 20))
    shots = few_shot("text", Profile("generation", (), 1, (long, *many)), BARE_ROWS).shots
    assert [shot.line for shot in shots] == list(range(2, 12))


@pytest.mark.parametrize(
    ("template", "answer"),
    [
        (instructed("text", CLASSIFICATION, BARE_ROWS), "refund"),
        (few_shot("text", CLASSIFICATION, BARE_ROWS), "refund"),
        (instructed("gemini_contents", CLASSIFICATION, BARE_ROWS), "refund"),
        (few_shot("text", GENERATION, BARE_ROWS), " refund\n\nInput: more"),
        (bare("text"), " refund\n\nInput: more"),
    ],
)
def test_a_base_model_that_talks_on_after_a_label_is_not_blamed_for_it(template: Template, answer: str) -> None:
    """Of a label only the first line counts; free answers, and the tuned model's, are taken whole."""
    assert template.answer(" refund\n\nInput: more") == answer


@pytest.mark.parametrize(
    ("template", "outline"),
    [
        (bare("text"), "{prompt}"),
        (instructed("text", CLASSIFICATION, BARE_ROWS), "{instruction}\n\nInput: {prompt}\nOutput:"),
        (instructed("gemini_contents", CLASSIFICATION, BARE_ROWS), "system: {instruction}\n{prompt}"),
        (few_shot("text", CLASSIFICATION, BARE_ROWS), "{2 examples} as turns\n{prompt}"),
        (
            few_shot("gemini_contents", CLASSIFICATION, BARE_ROWS),
            "system: {instruction}\n{2 examples} as turns\n{prompt}",
        ),
    ],
)
def test_the_outline_holds_no_data(template: Template, outline: str) -> None:
    """What is reported about a template names its parts, and shows neither rows nor labels."""
    assert template.outline == outline
