"""Answers and label scores from the base model and from everything tuned from it."""

from .engine import Engine, Generation, LabelScore, PromptError

__all__ = ["Engine", "Generation", "LabelScore", "PromptError"]
