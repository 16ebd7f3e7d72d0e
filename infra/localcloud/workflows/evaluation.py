"""Templates to values."""

from __future__ import annotations

from typing import Any

from .expressions import evaluate
from .runtime import Strand
from .scope import Scope
from .syntax import Expression, Literal, MapTemplate, Template
from .values import copy_value


async def template_value(template: Template, scope: Scope, strand: Strand) -> Any:
    """The value of a template; a fresh one for literals, possibly a variable's own for expressions."""
    if type(template) is Literal:
        return copy_value(template.value)
    if type(template) is Expression:
        return await evaluate(template.node, scope, strand)
    if type(template) is MapTemplate:
        return {key: await template_value(item, scope, strand) for key, item in template.items.items()}
    assert not isinstance(template, Literal | Expression | MapTemplate)
    return [await template_value(item, scope, strand) for item in template.items]
