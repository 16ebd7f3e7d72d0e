"""Templates to values."""

from __future__ import annotations

from typing import Any

from ..errors import type_error
from ..expressions import compute, evaluate
from ..language.syntax import ComputedMap, Expression, ListTemplate, Literal, MapTemplate, Template
from ..values import copy_value, type_name
from .runtime import Strand
from .scope import Scope


async def template_value(template: Template, scope: Scope, strand: Strand) -> Any:
    """The value of a template; a fresh one for literals, possibly a variable's own for expressions."""
    if not template.waits:
        return plain_value(template, scope, strand)
    if type(template) is Expression:
        return await evaluate(template.node, scope, strand)
    if type(template) is MapTemplate:
        return {key: await template_value(item, scope, strand) for key, item in template.items.items()}
    if type(template) is ComputedMap:
        return {
            _key(await template_value(key, scope, strand)): await template_value(item, scope, strand)
            for key, item in template.entries
        }
    assert type(template) is ListTemplate
    return [await template_value(item, scope, strand) for item in template.items]


def plain_value(template: Template, scope: Scope, strand: Strand) -> Any:
    """The same for a template that has nothing to wait for."""
    if type(template) is Expression:
        return compute(template.node, scope, strand)
    if type(template) is Literal:
        return copy_value(template.value)
    if type(template) is MapTemplate:
        return {key: plain_value(item, scope, strand) for key, item in template.items.items()}
    if type(template) is ComputedMap:
        return {
            _key(plain_value(key, scope, strand)): plain_value(item, scope, strand) for key, item in template.entries
        }
    assert type(template) is ListTemplate
    return [plain_value(item, scope, strand) for item in template.items]


def _key(value: Any) -> str:
    if type(value) is not str:
        raise type_error(f"a map's key must be a string, not {type_name(value)}")
    return value
