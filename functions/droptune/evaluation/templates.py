"""How a row's prompt is put to a base model: as it is, with an instruction, or after worked examples.

A template never depends on the row, so what stands before the row is one shared prefix that a server can cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..events import Format
from ..ports import Prompt, Turn
from .examples import Example, Profile

MAX_SHOTS = 10
# A token is at least one byte, so examples of this size leave room for the row even in a context of 8,192 tokens.
MAX_SHOTS_BYTES = 6000


@dataclass(frozen=True)
class Template:
    """`as_text` puts the instruction and the row into one text of Input and Output, for models without system turns.

    The bare template (no instruction, no shots) leaves prompts and answers as they are.
    """

    as_text: bool
    instruction: str | None = None
    shots: tuple[Example, ...] = ()
    one_line_answers: bool = False

    def render(self, prompt: Prompt) -> Prompt:
        """The prompt to send for a row's prompt."""
        if self.bare:
            return prompt
        if self.as_text:
            return (Turn("user", f"{self.instruction}\n\nInput: {_text(prompt)}\nOutput:"),)
        own_system = [turn for turn in prompt if turn.role == "system"]
        system = own_system or ([Turn("system", self.instruction)] if self.instruction else [])
        shots = [turn for shot in self.shots for turn in (*_without_system(shot.prompt), Turn("model", shot.expected))]
        return (*system, *shots, *_without_system(prompt))

    def answer(self, text: str) -> str:
        """The part of an output that answers the row: a base model tends to go on talking after a label."""
        return text.strip().partition("\n")[0] if self.one_line_answers else text

    @property
    def bare(self) -> bool:
        return not self.instruction and not self.shots

    @property
    def outline(self) -> str:
        """The template with placeholders instead of anything that comes from the data set."""
        if self.bare:
            return "{prompt}"
        if self.as_text:
            return "{instruction}\n\nInput: {prompt}\nOutput:"
        system = "system: {instruction}\n" if self.instruction else ""
        return system + (f"{{{len(self.shots)} examples}} as turns\n" if self.shots else "") + "{prompt}"


def bare(fmt: Format) -> Template:
    """The prompt exactly as it stands in the row."""
    return Template(as_text=fmt == "text")


def instructed(fmt: Format, profile: Profile, rows: Sequence[Example]) -> Template:
    """A list of the classes before the row, unless the task has none or the rows bring their instruction along."""
    return Template(
        as_text=fmt == "text",
        instruction=_instruction(profile, rows),
        one_line_answers=profile.task == "classification",
    )


def few_shot(fmt: Format, profile: Profile, rows: Sequence[Example]) -> Template:
    """Up to ten training examples in front, as many as fit, each a turn of the user and one of the model.

    The examples show what to do by themselves, so bare rows get no instruction on top: a small model does worse with
    both (SmolLM2-135M on banking intents: 0.19 by examples as turns, 0.00 by examples inside one instructed text).
    """
    shots: list[Example] = []
    room = MAX_SHOTS_BYTES
    for candidate in profile.candidates:
        size = len(_text(candidate.prompt).encode()) + len(candidate.expected.encode())
        if len(shots) < MAX_SHOTS and size <= room:
            shots.append(candidate)
            room -= size
    instruction = None if fmt == "text" else _instruction(profile, rows)
    one_line = profile.task == "classification"
    return Template(as_text=False, instruction=instruction, shots=tuple(shots), one_line_answers=one_line)


def _instruction(profile: Profile, rows: Sequence[Example]) -> str | None:
    if profile.task != "classification" or 2 * sum(_instructs(row, profile.labels) for row in rows) > len(rows):
        return None
    classes = ", ".join(profile.labels)
    return (
        f"Classify the following text into one of the following classes: [{classes}]. "
        "Answer with the name of the class alone."
    )


def _instructs(row: Example, labels: Sequence[str]) -> bool:
    """Whether a row says itself what to do: by a system turn, or by naming most of the labels."""
    if any(turn.role == "system" for turn in row.prompt):
        return True
    text = _text(row.prompt)
    return 2 * sum(label in text for label in labels) > len(labels)


def _text(prompt: Prompt) -> str:
    return "\n\n".join(turn.text for turn in prompt)


def _without_system(prompt: Prompt) -> tuple[Turn, ...]:
    return tuple(turn for turn in prompt if turn.role != "system")
