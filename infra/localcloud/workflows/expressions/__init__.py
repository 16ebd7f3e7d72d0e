"""The expression language between `${` and `}`: text to tokens, tokens to tree, tree to value."""

from __future__ import annotations

from .evaluator import compute, evaluate
from .lexer import ExpressionError
from .parser import parse_expression, parse_target
from .tree import Node, Target, has_call

__all__ = [
    "ExpressionError",
    "Node",
    "Target",
    "compute",
    "evaluate",
    "has_call",
    "parse_expression",
    "parse_target",
]
