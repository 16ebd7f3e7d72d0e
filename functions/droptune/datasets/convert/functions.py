"""Functions that a model may call, as Gemini and as OpenAI declare them.

OpenAI takes JSON Schema. Gemini takes the part of it that OpenAPI 3.0 has, with the names of types in capitals.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .meaning import Fields, Loss

# Keywords whose values are plain; those with schemas inside are handled by name.
_PLAIN = frozenset({
    *("title", "description", "format", "default", "example", "enum", "required", "pattern", "nullable"),
    *("minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum", "minLength", "maxLength"),
    "propertyOrdering",
})  # fmt: skip
_OF_FUNCTION = ("name", "description", "parameters")


def from_gemini(tools: Iterable[Any], lost: set[Loss]) -> tuple[Fields, ...]:
    """The functions among Gemini's tools, with JSON Schema parameters."""
    functions: list[Fields] = []
    for tool in tools:
        declared = tool.get("functionDeclarations") if isinstance(tool, dict) else None
        if not isinstance(declared, list) or len(tool) > 1:
            lost.add(Loss("other_tools"))
        for one in declared if isinstance(declared, list) else ():
            function = _kept(one, lost)
            if isinstance(function.get("parameters"), dict):
                function["parameters"] = _json_schema(function["parameters"])
            functions.append(function)
    return tuple(functions)


def to_gemini(functions: tuple[Fields, ...], lost: set[Loss]) -> list[Any]:
    """Gemini's `tools` of these functions."""
    declared = []
    for one in functions:
        function = dict(one)
        if isinstance(function.get("parameters"), dict):
            function["parameters"] = _gemini_schema(function["parameters"], lost)
        declared.append(function)
    return [{"functionDeclarations": declared}]


def from_openai(tools: Iterable[Any], lost: set[Loss]) -> tuple[Fields, ...]:
    """The functions among OpenAI's tools."""
    functions: list[Fields] = []
    for tool in tools:
        if isinstance(tool, dict) and isinstance(tool.get("function"), dict):
            functions.append(_kept(tool["function"], lost))
        else:
            lost.add(Loss("other_tools"))
    return tuple(functions)


def to_openai(functions: tuple[Fields, ...]) -> list[Any]:
    """OpenAI's `tools` of these functions."""
    return [{"type": "function", "function": dict(one)} for one in functions]


def _kept(function: Fields, lost: set[Loss]) -> dict[str, Any]:
    lost.update(Loss("field", key) for key in function.keys() - set(_OF_FUNCTION))
    return {key: function[key] for key in _OF_FUNCTION if key in function}


def _json_schema(schema: Fields) -> dict[str, Any]:
    built = _mapped(schema, _json_schema)
    if isinstance(kind := built.get("type"), str):
        built["type"] = kind.lower()
        if built.pop("nullable", False):
            built["type"] = [kind.lower(), "null"]
    return built


def _gemini_schema(schema: Fields, lost: set[Loss]) -> dict[str, Any]:
    known = {key: value for key, value in schema.items() if key in _PLAIN or key in ("type", "anyOf", *_INSIDE)}
    if len(known) < len(schema):
        lost.add(Loss("schema"))
    built = _mapped(known, lambda inner: _gemini_schema(inner, lost))
    kind = built.get("type")
    if isinstance(kind, list):
        kinds = [one for one in kind if one != "null"]
        if "null" in kind:
            built["nullable"] = True
        if len(kinds) == 1:
            kind = kinds[0]
        else:
            lost.add(Loss("schema"))
            del built["type"]
    if isinstance(kind, str):
        built["type"] = kind.upper()
    return built


_INSIDE = ("items", "properties")


def _mapped(schema: Fields, each: Any) -> dict[str, Any]:
    """A copy of a schema with every schema directly inside it changed."""
    built = dict(schema)
    if isinstance(items := built.get("items"), dict):
        built["items"] = each(items)
    if isinstance(choices := built.get("anyOf"), list):
        built["anyOf"] = [each(one) if isinstance(one, dict) else one for one in choices]
    if isinstance(properties := built.get("properties"), dict):
        built["properties"] = {name: each(one) if isinstance(one, dict) else one for name, one in properties.items()}
    return built
