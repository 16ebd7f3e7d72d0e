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
    """`as_text` joins everything into one text of Input/Output pairs, for models that know no turns.

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
            return (Turn("user", f"{self._text_prefix}Input: {_text(prompt)}\nOutput:"),)
        own_system = [turn for turn in prompt if turn.role == "system"]
        system = own_system or ([Turn("system", self.instruction)] if self.instruction else [])
        shots = [turn for shot in self.shots for turn in (*_without_system(shot.prompt), Turn("model", shot.expected))]
        return (*system, *shots, *_without_system(prompt))

    def answer(self, text: str) -> str:
        """The part of an output that answers the row: a base model tends to go on with a further Input of its own."""
        if self.bare or not self.as_text:
            return text
        if self.one_line_answers:
            return text.strip().partition("\n")[0]
        return text.partition("\n\nInput:")[0]

    @property
    def bare(self) -> bool:
        return not self.instruction and not self.shots

    @property
    def outline(self) -> str:
        """The template with placeholders instead of anything that comes from the data set."""
        if self.bare:
            return "{prompt}"
        examples = f"{{{len(self.shots)} examples}}"
        if self.as_text:
            head = (["{instruction}\n\n"] if self.instruction else []) + ([f"{examples}\n\n"] if self.shots else [])
            return "".join(head) + "Input: {prompt}\nOutput:"
        system = "system: {instruction}\n" if self.instruction else ""
        return system + (f"{examples} as turns\n" if self.shots else "") + "{prompt}"

    @property
    def _text_prefix(self) -> str:
        instruction = f"{self.instruction}\n\n" if self.instruction else ""
        pairs = (f"Input: {_text(shot.prompt)}\nOutput: {shot.expected.strip()}\n\n" for shot in self.shots)
        return instruction + "".join(pairs)


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
    """As `instructed`, with up to ten training examples in front, as many as fit."""
    shots: list[Example] = []
    room = MAX_SHOTS_BYTES
    for candidate in profile.candidates:
        size = len(_text(candidate.prompt).encode()) + len(candidate.expected.encode())
        if len(shots) < MAX_SHOTS and size <= room:
            shots.append(candidate)
            room -= size
    return Template(
        as_text=fmt == "text",
        instruction=_instruction(profile, rows),
        shots=tuple(shots),
        one_line_answers=profile.task == "classification",
    )


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
