"""The Terraform configuration is formatted, uses what the provider offers, and deploys all that pipeline.yaml says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl_modules
import pytest
import yaml

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "infra" / "terraform"
PIPELINE = ROOT / "infra" / "pipeline.yaml"
FOLDERS = sorted({path.parent for path in TERRAFORM.rglob("*.tf") if ".terraform" not in path.parts})
MODULES = {folder: hcl_modules.read(folder) for folder in FOLDERS}
SCHEMAS: dict[str, Any] = json.loads((ROOT / "tests" / "cases" / "terraform" / "provider_schema.json").read_text())

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
each_module = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(TERRAFORM.parent)))


def _terraform(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run terraform without a user's configuration, which may name a mirror or a file that is not there."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    environment["CHECKPOINT_DISABLE"] = "1"
    return subprocess.run(
        ["terraform", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@needs_terraform
def test_files_are_formatted() -> None:
    """Every file is as ``terraform fmt`` writes it."""
    result = _terraform("fmt", "-check", "-recursive", "-diff", cwd=TERRAFORM)
    assert result.returncode == 0, result.stdout + result.stderr


@each_module
def test_arguments_are_those_of_the_provider(folder: Path) -> None:
    """Every resource sets only arguments and blocks that the provider knows, and all that it requires."""
    problems: list[str] = []
    for address, body in MODULES[folder].resources.items():
        resource_type = address.rpartition(".")[0]
        if not resource_type.removeprefix("data.").startswith("google_"):
            continue
        if resource_type not in SCHEMAS:
            problems.append(
                f"{resource_type} is not in provider_schema.json; add it with tests/cases/terraform/extract.py"
            )
            continue
        problems.extend(hcl_modules.schema_problems(body, SCHEMAS[resource_type], address))
    assert problems == []


def test_a_wrong_argument_is_noticed() -> None:
    """The check itself finds an unknown argument, an unknown block and a missing required one."""
    body = {"nam": '"x"', "versions": [{"enabled": "true", hcl_modules.MARKER: True}], hcl_modules.MARKER: True}
    problems = list(hcl_modules.schema_problems(body, SCHEMAS["google_storage_bucket"], "bucket"))
    assert problems == [
        "bucket: the provider knows no argument 'nam'",
        "bucket: the provider knows no block 'versions'",
        "bucket: 'location' is required",
        "bucket: 'name' is required",
    ]


@each_module
def test_references_lead_somewhere(folder: Path) -> None:
    """Every variable, local, module, resource and attribute that an expression reads is declared."""
    assert list(hcl_modules.reference_problems(MODULES[folder], SCHEMAS)) == []


@each_module
def test_modules_are_called_as_they_are_declared(folder: Path) -> None:
    """A call gives every variable without default and no other, and reads only outputs that exist."""
    caller, problems = MODULES[folder], []
    for name, call in caller.calls.items():
        callee = MODULES[(folder / call["source"].strip('"')).resolve()]
        given = {argument for argument in call if not argument.startswith("__")} - hcl_modules.MODULE_ARGUMENTS
        problems += [f"module.{name} takes no {argument!r}" for argument in given - set(callee.variables)]
        problems += [f"module.{name} needs {argument!r}" for argument in callee.variables_needed() - given]
        read = {output for call_name, output in hcl_modules.output_references(caller.text) if call_name == name}
        problems += [f"module.{name} has no output {output!r}" for output in read - set(callee.outputs)]
    assert problems == []


@each_module
def test_variables_are_used(folder: Path) -> None:
    """No variable is declared and then not read."""
    module = MODULES[folder]
    assert [name for name in module.variables if not re.search(rf"\bvar\.{name}\b", module.text)] == []


@each_module
@pytest.mark.parametrize("kind", ["variables", "outputs"])
def test_variables_and_outputs_are_ordered_and_described(folder: Path, kind: str) -> None:
    """Variables and outputs stand in alphabetical order and say what they mean; variables have a type."""
    blocks: dict[str, Any] = getattr(MODULES[folder], kind)
    assert list(blocks) == sorted(blocks)
    assert [name for name, body in blocks.items() if "description" not in body] == []
    if kind == "variables":
        assert [name for name, body in blocks.items() if "type" not in body] == []


@each_module
def test_folders_explain_themselves(folder: Path) -> None:
    """Every module has a README that names each of its variables and outputs."""
    readme = folder / "README.md"
    assert readme.exists(), f"{readme.relative_to(ROOT)} is missing"
    text = readme.read_text(encoding="utf-8")
    module = MODULES[folder]
    assert [name for name in [*module.variables, *module.outputs] if f"`{name}`" not in text] == []


def test_wiring_reads_every_key_of_the_schema() -> None:
    """No key that pipeline.yaml may hold is ignored by Terraform."""
    schema = json.loads((ROOT / "infra" / "pipeline.schema.json").read_text(encoding="utf-8"))
    text = MODULES[TERRAFORM / "modules" / "wiring"].text
    assert {key for key in _properties(schema) if not re.search(rf"\.{key}\b", text)} == set()


def _properties(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for inner in node.values():
            yield from _properties(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _properties(inner)


def test_everything_that_wiring_says_is_deployed() -> None:
    """The root module reads every output of the wiring."""
    read = {output for call, output in hcl_modules.output_references(MODULES[TERRAFORM].text) if call == "wiring"}
    assert read == set(MODULES[TERRAFORM / "modules" / "wiring"].outputs)


def _evaluate(pipeline: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Terraform's own evaluation of a pipeline file: the wiring module needs no provider, so it runs as it is."""
    functions = yaml.safe_load(pipeline.read_text(encoding="utf-8"))["functions"]
    configuration = {
        "module": {
            "wiring": {
                "source": str(TERRAFORM / "modules" / "wiring"),
                "pipeline_file": str(pipeline),
                "project": "some-project",
                "region": "some-region",
                "function_uris": {name: f"https://{name}.run.app" for name in functions},
            }
        },
        "output": {"wiring": {"value": "${module.wiring}"}},
    }
    (folder / "main.tf.json").write_text(json.dumps(configuration), encoding="utf-8")
    started = _terraform("init", "-input=false", "-no-color", cwd=folder)
    assert started.returncode == 0, started.stderr
    return _terraform("apply", "-auto-approve", "-input=false", "-no-color", cwd=folder)


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("wiring")
    applied = _evaluate(PIPELINE, folder)
    assert applied.returncode == 0, applied.stderr
    outputs = json.loads(_terraform("output", "-json", cwd=folder).stdout)
    value: dict[str, Any] = outputs["wiring"]["value"]
    return value


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))
    return loaded


@needs_terraform
def test_terraform_sees_every_resource(wiring: dict[str, Any], pipeline: dict[str, Any]) -> None:
    """Terraform finds the same buckets, topics, functions, workflows and triggers as any reader of the file."""
    for section in ("buckets", "topics", "functions", "workflows", "triggers"):
        assert set(wiring[section]) == set(pipeline[section]), section
    subscriptions = {name for topic in wiring["topics"].values() for name in topic["subscriptions"]}
    assert subscriptions == set(pipeline.get("subscriptions", {}))


@needs_terraform
def test_terraform_grants_exactly_the_roles(wiring: dict[str, Any], pipeline: dict[str, Any]) -> None:
    """Every role of the file is granted to its owner on its resource, and none besides."""
    expected = {
        (f"{kind}.{name}", role["role"], role["resource"], role["why"])
        for kind in ("function", "workflow")
        for name, member in pipeline[f"{kind}s"].items()
        for role in member["roles"]
    }
    granted = {(g["who"], g["role"], g["resource"], g["why"]) for g in wiring["roles"].values()}
    assert granted == expected


@needs_terraform
def test_terraform_fills_in_every_placeholder(wiring: dict[str, Any]) -> None:
    """Names and variables reach Google Cloud with project, region, buckets and addresses in place."""
    assert "{" not in json.dumps(list(wiring["functions_environment"].values()))
    assert "{" not in json.dumps([list(workflow["environment"].values()) for workflow in wiring["workflows"].values()])
    assert wiring["buckets"]["intake"]["name"] == "some-project-intake"
    assert wiring["functions_environment"]["DROPTUNE_RUNS_BUCKET"] == wiring["buckets"]["runs"]["name"]
    assert wiring["workflows"]["tune"]["environment"]["PLAN_URL"] == "https://plan.run.app"


@needs_terraform
def test_root_module_reads_only_what_wiring_gives(wiring: dict[str, Any]) -> None:
    """``each.value.X`` of a module made for each entry of the wiring exists in every entry."""
    missing = []
    for name, call in MODULES[TERRAFORM].calls.items():
        section = re.fullmatch(r"\$\{module\.wiring\.(\w+)\}", str(call.get("for_each", "")))
        if section is None:
            continue
        for attribute in re.findall(r"each\.value\.(\w+)", json.dumps(call)):
            missing += [f"{name}: {attribute}" for entry in wiring[section[1]].values() if attribute not in entry]
    assert missing == []


@needs_terraform
@pytest.mark.parametrize(
    ("found", "put", "message"),
    [
        ("{bucket.runs}", "{bucket.attic}", "does not identify an element in this collection"),
        ("version: 1", "version: 2", "a version that this configuration does not know"),
        ("signature: cloudevent", "signature: http", "must have signature cloudevent"),
    ],
)
def test_terraform_refuses(found: str, put: str, message: str, tmp_path: Path) -> None:
    """An unknown placeholder, an unknown version and a trigger to a plain function stop the plan."""
    text = PIPELINE.read_text(encoding="utf-8")
    assert found in text
    spoiled = tmp_path / "pipeline.yaml"
    spoiled.write_text(text.replace(found, put), encoding="utf-8")
    applied = _evaluate(spoiled, tmp_path)
    assert applied.returncode != 0
    assert message in " ".join(re.sub("[│╷╵]", " ", applied.stderr).split())


def test_deployed_files_leave_out_the_command_line() -> None:
    """The archive holds main.py, its requirements and the package with its data, without command line and caches."""
    folder = ROOT / "functions"
    lines = (folder / ".gcloudignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    # Only what means the same to gcloud (gitignore rules) and to Terraform's archive (globs from the folder).
    assert [p for p in patterns if p != ".gcloudignore" and not re.fullmatch(r"[\w./*-]+/\*\*|\*\*/\*\.\w+", p)] == []
    excluded = [re.compile(_glob(pattern)) for pattern in patterns]
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    deployed = {file for file in files if not any(pattern.fullmatch(file) for pattern in excluded)}
    assert {"requirements.txt", "droptune/__init__.py", "droptune/methods/catalogue.yaml"} <= deployed
    assert [file for file in deployed if "cli/" in file or "__pycache__" in file or file.endswith(".pyc")] == []
    imports = re.compile(r"^\s*(?:from|import) (?:droptune|\.+)\.?cli\b", re.MULTILINE)
    python = [file for file in deployed if file.endswith(".py")]
    assert [file for file in python if imports.search((folder / file).read_text(encoding="utf-8"))] == []


def _glob(pattern: str) -> str:
    """A glob with ``**`` as a regular expression."""
    parts = {"**/": r"(?:.*/)?", "/**": r"(?:/.*)?", "*": r"[^/]*"}
    return "".join(parts.get(part) or re.escape(part) for part in re.split(r"(\*\*/|/\*\*$|\*)", pattern))
