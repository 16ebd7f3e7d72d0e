"""Chats as token ids: the one place where prompts for tuning and for answering are laid out, so that they are equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Turn:
    """What one side of a chat said."""

    role: Role
    text: str


class ChatError(ValueError):
    """A chat that the model's template cannot lay out."""


@dataclass(frozen=True)
class Marked:
    """Token ids of a whole chat; `target[i]` says that a model turn (its end token included) holds token i."""

    ids: tuple[int, ...]
    target: tuple[bool, ...]


class ChatFormat:
    """A model's tokenizer and chat template.

    Texts are never read as control tokens: someone who writes ``<|im_end|>`` gets those letters, not the end of a turn.
    No default system line is added: what the caller wrote is the whole prompt (as far as the template allows it).
    """

    def __init__(self, folder: Path) -> None:
        from transformers import PreTrainedTokenizerFast  # the slow import is paid by the processes that need it

        self._tokenizer: Any = PreTrainedTokenizerFast.from_pretrained(folder)
        self._plain: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._plain.no_truncation()
        self._plain.no_padding()
        self._plain.encode_special_tokens = True
        if self._tokenizer.chat_template is None:
            raise ChatError(f"the model in {folder} has no chat template; take an instruction-tuned model")
        self.end_id: int = self._tokenizer.eos_token_id
        self.pad_id: int = self.end_id if self._tokenizer.pad_token_id is None else self._tokenizer.pad_token_id
        self._layout = cache(self._render_layout)

    def prompt_ids(self, turns: Sequence[Turn]) -> list[int]:
        """The ids after which the model's next turn begins. ChatError when the template refuses the roles."""
        layout = self._layout(tuple(turn.role for turn in turns), True)
        ids = list(layout[0])
        for turn, after in zip(turns, layout[1:], strict=True):
            ids += self.text_ids(turn.text)
            ids += after
        return ids

    def training_ids(self, turns: Sequence[Turn]) -> Marked:
        """The whole chat with every model turn marked; ends with the last turn's end token."""
        layout = self._layout(tuple(turn.role for turn in turns), False)
        ids = list(layout[0])
        target = [False] * len(ids)
        last_target = 0
        for turn, after in zip(turns, layout[1:], strict=True):
            text = self.text_ids(turn.text)
            spoken = turn.role == "assistant"
            if spoken and (not after or after[0] != self.end_id):
                raise ChatError("the chat template does not close a model turn with the end token")
            ids += [*text, *after]
            target += [spoken] * len(text) + [spoken and i == 0 for i in range(len(after))]
            last_target = len(ids) - len(after) + 1 if spoken else last_target
        return Marked(tuple(ids[:last_target]), tuple(target[:last_target]))

    def answer_ids(self, text: str) -> list[int]:
        """A model turn that says `text`, its end token included."""
        return [*self.text_ids(text), self.end_id]

    def text_ids(self, text: str) -> list[int]:
        return list(self._plain.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _render_layout(self, roles: tuple[Role, ...], open_answer: bool) -> tuple[tuple[int, ...], ...]:
        """The template's own tokens before, between and after the texts of turns with these roles."""
        from jinja2 import TemplateError

        marks = [f"\ue000{i}\ue001" for i in range(len(roles))]
        messages = [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)]
        try:
            rendered = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=open_answer)
        except TemplateError as error:
            raise ChatError(f"the model's chat template refuses the roles {', '.join(roles)}: {error}") from error
        pieces = []
        for mark in marks:
            before, found, rendered = rendered.partition(mark)
            if not found:
                raise ChatError(f"the model's chat template leaves out a turn of the roles {', '.join(roles)}")
            pieces.append(before)
        return tuple(tuple(self._tokenizer.encode(piece, add_special_tokens=False)) for piece in [*pieces, rendered])
