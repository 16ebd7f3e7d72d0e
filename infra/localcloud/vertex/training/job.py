"""What a tuning job asks for: the content of ``spec.json``, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

Status = Literal["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INTERNAL"]
Count = Annotated[int, msgspec.Meta(ge=1)]


class JobError(Exception):
    """Why a job cannot be done, in the terms of google.rpc.Code."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status: Status = status
        self.message = message


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``spec.json``. A null base model means the default one; null threads mean one for each core."""

    train_path: Path
    method: str = "supervised"
    base_model: str | None = None
    eval_path: Path | None = None
    tuning_mode: Literal["lora", "full"] = "lora"
    steps: Count = 50
    batch_size: Count = 8
    learning_rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 2e-3
    adapter_size: Annotated[int, msgspec.Meta(ge=1, le=256)] = 8
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    max_tokens: Annotated[int, msgspec.Meta(ge=8)] = 2048
    threads: Count | None = None
    eval_interval: Count = 20
    early_stopping: bool = False

    @classmethod
    def read(cls, path: Path) -> Spec:
        """The spec in `path`; JobError naming the field that is wrong."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls, dec_hook=_path)
        except FileNotFoundError as error:
            raise JobError("INVALID_ARGUMENT", f"{path} does not exist; write the job's spec there first") from error
        except msgspec.MsgspecError as error:
            raise JobError("INVALID_ARGUMENT", f"{path.name}: {error}") from error

    def hyperparameters(self) -> dict[str, int | float | str | bool]:
        """What defines the result, together with the data and the base model."""
        named = ("tuning_mode", "steps", "batch_size", "learning_rate", "seed", "max_tokens", "early_stopping")
        chosen = {name: getattr(self, name) for name in named}
        return chosen | ({"adapter_size": self.adapter_size} if self.tuning_mode == "lora" else {})


@dataclass(frozen=True)
class TuningJob:
    """A checked spec, the folder of the job's files, and the folder of the base model."""

    spec: Spec
    folder: Path
    base: Path


def _path(expected: type, value: object) -> object:
    if expected is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"{expected.__name__} cannot be read from {value!r}")
