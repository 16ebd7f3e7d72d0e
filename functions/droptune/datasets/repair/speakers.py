"""What others call those who speak in a conversation."""

from __future__ import annotations

from collections.abc import Mapping

ASKING = ("user", "human", "customer")
ANSWERING = ("assistant", "model", "ai", "bot", "gpt", "chatbot", "gemini")
INSTRUCTING = ("system", "developer")


def names_for(asks: str, answers: str, system: str | None, kept: tuple[str, ...] = ()) -> Mapping[str, str]:
    """The format's own name for each name in lower case; those of `kept` mean something else in the format."""
    names = {name: asks for name in ASKING} | {name: answers for name in ANSWERING}
    if system is not None:
        names |= {name: system for name in INSTRUCTING}
    return names | {name: name for name in kept}
