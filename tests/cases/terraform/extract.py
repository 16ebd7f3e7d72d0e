"""Write provider_schema.json: what the Google provider's resources take and give, for the resources in use.

Terraform publishes no schema outside its registry. The npm packages ``@cdktf/provider-google`` and ``-beta``, generated
from the providers, carry the same names and need no registry. After using another resource, add it below and run:

    mkdir /tmp/cdktf && npm install --prefix /tmp/cdktf --ignore-scripts --legacy-peer-deps \
        @cdktf/provider-google@16.12.1 @cdktf/provider-google-beta@16.12.1
    python tests/cases/terraform/extract.py /tmp/cdktf/node_modules/@cdktf

A block has `attributes` and `blocks` (true where required) and `computed`, which can be read but not set.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

RESOURCES = (
    "data-google-project",
    "data-google-storage-project-service-account",
    "artifact-registry-repository",
    "artifact-registry-repository-iam-member",
    "cloud-run-v2-service-iam-member",
    "cloudfunctions2-function",
    "eventarc-trigger",
    "kms-crypto-key-iam-member",
    "project-iam-member",
    "project-service",
    "pubsub-subscription",
    "pubsub-subscription-iam-member",
    "pubsub-topic",
    "pubsub-topic-iam-member",
    "service-account",
    "service-account-iam-member",
    "storage-bucket",
    "storage-bucket-iam-member",
    "storage-bucket-object",
    "workflows-workflow",
)
BETA_RESOURCES = ("google-project-service-identity",)
OUTPUT = Path(__file__).with_name("provider_schema.json")


def main(packages: Path) -> None:
    sources = [packages / "provider-google" / "lib" / name for name in RESOURCES]
    sources += [packages / "provider-google-beta" / "lib" / name for name in BETA_RESOURCES]
    schema = dict(_resource(folder) for folder in sources)
    OUTPUT.write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _resource(folder: Path) -> tuple[str, dict[str, Any]]:
    """Terraform's name of a resource (data sources start with ``data.``), and its block."""
    code = (folder / "index.js").read_text(encoding="utf-8")
    types = (folder / "index.d.ts").read_text(encoding="utf-8")
    name = _found(re.search(r'tfResourceType = "(\w+)"', types))
    class_name = _found(re.search(r"export declare class (\w+) extends cdktf\.Terraform(?:Resource|DataSource)", types))
    written = _found(re.search(r"synthesizeAttributes\(\) \{\s+return \{(.*?)\n        \};", code, re.DOTALL))
    block = _block(code, types, f"{class_name}Config", class_name, written)
    # Every resource of the package seems to take `id`; the provider only computes it.
    block["attributes"].pop("id", None)
    return ("data." if "TerraformDataSource" in types else "") + name, block


def _block(code: str, types: str, interface: str, getters: str, written: str) -> dict[str, Any]:
    """A block: names from the written object, what is required from the interface, computed ones from the getters."""
    declared = _found(re.search(rf"export interface {interface}\b[^{{]*\{{(.*?)\n\}}", types, re.DOTALL), default="")
    required = {_snake(field) for field in re.findall(r"readonly (\w+):", declared)}
    block: dict[str, Any] = {"attributes": {}, "blocks": {}}
    for key, value in re.findall(r"^ +(\w+): (.*),$", written, re.MULTILINE):
        nested = re.search(r"\b(?!string|number|boolean|hashMapper|listMapper)([a-z]\w+)ToTerraform\b", value)
        if nested is None:
            block["attributes"][key] = key in required
            continue
        body = _found(
            re.search(rf"function {nested[1]}ToTerraform\(struct\) .*?return \{{(.*?)\n    \}};", code, re.DOTALL)
        )
        type_name = nested[1][0].upper() + nested[1][1:]
        block["blocks"][key] = _block(code, types, type_name, f"{type_name}OutputReference", body)
        block["blocks"][key]["required"] = key in required
    properties = _found(
        re.search(rf"export declare class {getters}\b[^{{]*\{{(.*?)\n\}}", types, re.DOTALL), default=""
    )
    readable = {_snake(field) for field in re.findall(r"get (\w+)\(\):", properties) if not field.endswith("Input")}
    known = {"internal_value", "fqn", *block["attributes"], *block["blocks"]}
    block["computed"] = sorted(readable - known)
    return block


def _snake(camel: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", camel).lower()


def _found(match: re.Match[str] | None, default: str | None = None) -> str:
    if match is not None:
        return match[1]
    if default is None:
        raise SystemExit("the package is not laid out as this script expects; see its docstring for the version")
    return default


if __name__ == "__main__":
    main(Path(sys.argv[1]))
