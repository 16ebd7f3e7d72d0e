"""Terraform modules as parsed blocks, and what is wrong with them by the provider's published schema.

It stands in for ``terraform validate``, which needs the provider itself and so a registry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hcl2

Body = dict[str, Any]
Schema = dict[str, Any]

# Arguments that every block of this kind takes, whatever its provider.
META_ARGUMENTS = {"for_each", "count", "provider", "depends_on", "lifecycle"}
MODULE_ARGUMENTS = {"source", "for_each", "count", "depends_on", "providers"}
# python-hcl2 adds this to every block, and other keys of its own that start with two underscores.
MARKER = "__is_block__"


@dataclass(frozen=True)
class Module:
    """One folder of .tf files. `resources` are keyed by address: ``google_x.name``, ``data.google_x.name``."""

    folder: Path
    text: str
    resources: dict[str, Body] = field(default_factory=dict)
    variables: dict[str, Body] = field(default_factory=dict)
    outputs: dict[str, Body] = field(default_factory=dict)
    calls: dict[str, Body] = field(default_factory=dict)
    locals: set[str] = field(default_factory=set)

    def variables_needed(self) -> set[str]:
        return {name for name, body in self.variables.items() if "default" not in body}


def read(folder: Path) -> Module:
    """The module in a folder; its text without comments."""
    files = sorted(folder.glob("*.tf"))
    module = Module(folder, "\n".join(_without_comments(path.read_text(encoding="utf-8")) for path in files))
    for path in files:
        parsed = hcl2.loads(path.read_text(encoding="utf-8"))
        for kind, prefix in (("resource", ""), ("data", "data.")):
            for block in parsed.get(kind, []):
                for resource_type, named in _labelled(block):
                    for name, body in _labelled(named):
                        module.resources[f"{prefix}{resource_type}.{name}"] = body
        for kind, into in (("variable", module.variables), ("output", module.outputs), ("module", module.calls)):
            for block in parsed.get(kind, []):
                into.update(_labelled(block))
        for block in parsed.get("locals", []):
            module.locals.update(key for key in block if not key.startswith("__"))
    return module


def schema_problems(body: Body, schema: Schema, place: str) -> Iterator[str]:
    """Arguments and blocks that the provider does not know, and required ones that are not there."""
    given: set[str] = set()
    for key, value in body.items():
        if key.startswith("__") or key in META_ARGUMENTS:
            continue
        if key == "dynamic":
            for block in value:
                for name, dynamic in _labelled(block):
                    given.add(name)
                    yield from _block_problems(name, dynamic["content"], schema, place)
            continue
        given.add(key)
        if isinstance(value, list) and any(isinstance(item, dict) and MARKER in item for item in value):
            yield from _block_problems(key, value, schema, place)
        elif key not in schema["attributes"]:
            yield f"{place}: the provider knows no argument {key!r}"
    required = {name for name, needed in schema["attributes"].items() if needed}
    required |= {name for name, block in schema["blocks"].items() if block["required"]}
    for name in sorted(required - given):
        yield f"{place}: {name!r} is required"


def _block_problems(name: str, blocks: list[Body], schema: Schema, place: str) -> Iterator[str]:
    if name not in schema["blocks"]:
        yield f"{place}: the provider knows no block {name!r}"
        return
    for block in blocks:
        yield from schema_problems(block, schema["blocks"][name], f"{place}.{name}")


def reference_problems(module: Module, schemas: dict[str, Schema]) -> Iterator[str]:
    """References to variables, locals, resources and attributes that do not exist."""
    for kind, declared in (("var", set(module.variables)), ("local", module.locals), ("module", set(module.calls))):
        for name in sorted(set(re.findall(rf"(?<![\w.]){kind}\.(\w+)", module.text)) - declared):
            yield f"{module.folder.name}: {kind}.{name} is not declared"
    reference = r"(?<![\w.\"])((?:data\.)?(?:google|time|archive)_\w+)\.(\w+)((?:\[[^\]]*\]|\.\w+)*)"
    for resource_type, name, path in re.findall(reference, module.text):
        address = f"{resource_type}.{name}"
        if address not in module.resources:
            yield f"{module.folder.name}: {address} is not declared"
        elif resource_type in schemas and (attributes := re.sub(r"\[[^\]]*\]", "", path).strip(".")):
            place = f"{module.folder.name}: {address}"
            yield from _attribute_problems(attributes.split("."), schemas[resource_type], place)


def _attribute_problems(path: list[str], schema: Schema, place: str) -> Iterator[str]:
    head, *rest = path
    if head in schema["blocks"] and rest:
        yield from _attribute_problems(rest, schema["blocks"][head], f"{place}.{head}")
    elif head != "id" and head not in {*schema["attributes"], *schema["blocks"], *schema["computed"]}:
        yield f"{place} has no attribute {head!r}"


def output_references(text: str) -> set[tuple[str, str]]:
    """(module, output) for each output that a text reads, also through the variable of a ``for`` over the modules."""
    found = set(re.findall(r"(?<![\w.])module\.(\w+)(?:\[[^\]]*\])*\.(\w+)", text))
    for variable, call, rest in re.findall(r"for (?:\w+, )?(\w+) in module\.(\w+) :(.*)", text):
        found |= {(call, output) for output in re.findall(rf"(?<![\w.]){variable}\.(\w+)", rest)}
    return found


def _labelled(block: Body) -> Iterator[tuple[str, Any]]:
    """(label, body) of a labelled block; python-hcl2 keeps the quotes of labels."""
    for label, body in block.items():
        if not label.startswith("__"):
            yield label.strip('"'), body


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)(^|\s)#.*$", "", text)
