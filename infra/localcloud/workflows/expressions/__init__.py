"""The expression language between `${` and `}`: text to tokens, tokens to tree, tree to value."""

from __future__ import annotations

from .evaluator import evaluate
from .lexer import ExpressionError
from .parser import parse_expression, parse_target
from .tree import Node, Target

__all__ = ["ExpressionError", "Node", "Target", "evaluate", "parse_expression", "parse_target"]
