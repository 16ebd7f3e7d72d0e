"""Judging data sets: against the bare decoder, today's validators, a broken file, two processes, and within memory.

``python tests/benchmarks/intake.py [--megabytes N] [--rounds N] [--formats text,gemini,preference] [--files DIR]``

Files are made first, or taken from DIR (NAME.jsonl for each format): rows of 500 to 700 bytes on average, of which
about a tenth is beyond ASCII and 2 to 3 % are backslashes; a tenth of the lines is written in escapes, 1 % of the rows
repeats. Every program is a process of its own on one core and takes its time without imports, on the file and on its
first fifth: what counts is the difference. They run in turn, A B C A B C, and each round gives one ratio. `together` is
measured where that package can be imported (``--together PYTHON`` names another interpreter that has it).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ASCII = (
    *("the", "of", "card", "payment", "where", "is", "my", "account", "please", "could", "how", "change", "model"),
    *("training", "answer", "user", "bank", "data"),
)
OTHER = (
    "für",
    "Straße",
    "données",
    "élève",
    "日本語",
    "東京",
    "カード",
    "mañana",
    "größer",
    "naïve",
    "привет",
    "данные",
)

# --- the files ------------------------------------------------------------------------------------------------------


def words(rng: random.Random, size: float) -> str:
    """A text of about so many bytes."""
    found: list[str] = []
    length = 0
    while length < size:
        draw = rng.random()
        word = rng.choice(ASCII) + str(rng.randrange(1000))
        if draw < 0.31:
            word = rng.choice(OTHER) if draw < 0.20 else '"quoted"' if draw < 0.28 else "line\nbreak"
        found.append(word)
        length += len(word.encode()) + 1
    return " ".join(found)


def text_row(rng: random.Random) -> dict[str, Any]:
    return {
        "input_text": words(rng, rng.lognormvariate(5.75, 0.5)),
        "output_text": words(rng, rng.lognormvariate(4.2, 0.6)),
    }


def preference_row(rng: random.Random) -> dict[str, Any]:
    first, second = (words(rng, rng.lognormvariate(4.7, 0.5)) for _ in range(2))
    prompt = words(rng, rng.lognormvariate(5.2, 0.5))
    return {"input_text": prompt, "candidate_0": first, "candidate_1": second, "choice": rng.randrange(2)}


def gemini_row(rng: random.Random) -> dict[str, Any]:
    turns = [
        {"role": role, "parts": [{"text": words(rng, rng.lognormvariate(4.2, 0.5))}]}
        for _ in range(rng.randint(1, 4))
        for role in ("user", "model")
    ]
    return {"contents": turns}


ROWS: Mapping[str, Callable[[random.Random], dict[str, Any]]] = {
    "text": text_row,
    "gemini": gemini_row,
    "preference": preference_row,
}


def write(path: Path, make: Callable[[random.Random], dict[str, Any]], megabytes: float) -> None:
    """A file of good rows."""
    rng, kept, size = random.Random(5), list[dict[str, Any]](), 0
    with path.open("w", encoding="utf-8") as file:
        while size < megabytes * 1e6:
            row = rng.choice(kept) if kept and rng.random() < 0.01 else make(rng)
            if len(kept) < 200:
                kept.append(row)
            line = json.dumps(row, ensure_ascii=rng.random() < 0.1) + "\n"
            size += file.write(line)


def spoil(line: bytes, rng: random.Random) -> bytes:
    """The line with a fault: cut off, no JSON, a misnamed field, a wrong type, or a misnamed role."""
    return rng.choice(
        (
            lambda: line[:40] + b"\n",
            lambda: b"this is no JSON\n",
            lambda: line.replace(b'"input_text"', b'"input"', 1).replace(b'"contents"', b'"content"', 1),
            lambda: line.replace(b'"input_text": "', b'"input_text": 1, "x": "', 1).replace(b'"user"', b"7", 1),
            lambda: line.replace(b'"model"', b'"bot"', 1).replace(b'"choice": ', b'"choice": 2', 1),
        )
    )()


def spoiled(path: Path, share: float) -> Path:
    """A copy with so many broken lines."""
    rng, out = random.Random(7), path.with_name(f"{path.stem}.broken.jsonl")
    with path.open("rb") as source, out.open("wb") as file:
        file.writelines(spoil(line, rng) if rng.random() < share else line for line in source)
    return out


# --- the programs: each is timed without its imports ----------------------------------------------------------------


def decode(path: Path, kind: str) -> Callable[[], object]:
    """Typed `msgspec` decode_lines alone, over blocks in a buffer that is used again."""
    from typing import Literal

    import msgspec

    def struct(name: str, **fields: Any) -> type[Any]:
        return msgspec.defstruct(name, list(fields.items()), gc=False)

    part = struct("Part", text=str)
    turn = struct("Turn", role=Literal["user", "model"], parts=list[part])  # type: ignore[valid-type]
    system = struct("System", parts=list[part], role=str)  # type: ignore[valid-type]
    rows: dict[str, type[Any]] = {
        "text": struct("Text", input_text=str, output_text=str),
        "preference": struct("Preference", input_text=str, candidate_0=str, candidate_1=str, choice=Literal[0, 1]),
        "gemini": msgspec.defstruct(
            "Gemini", [("contents", list[turn]), ("systemInstruction", system | None, None)], gc=False
        ),
    }
    lines = msgspec.json.Decoder(rows[kind]).decode_lines

    def run() -> None:
        size = 256 * 1024
        buffer = bytearray(2 * size)
        view, held = memoryview(buffer), 0
        with path.open("rb", buffering=0) as stream:
            while count := stream.readinto(view[held : held + size]):
                end = held + count
                cut = buffer.rfind(b"\n", 0, end) + 1
                lines(view[:cut])
                held = end - cut
                buffer[:held] = buffer[cut:end]

    return run


def judge(path: Path, content: bool, processes: int = 1) -> Callable[[], object]:
    """The whole judgement, its report included."""
    from droptune.datasets.check import Options, check_files
    from droptune.datasets.describe import build
    from droptune.datasets.report import encode

    def run() -> bytes:
        checked = check_files({"train": path}, options=Options(content=content, processes=processes))
        return encode(build(dataset="x", run_id=None, status="ready", checked=checked))

    return run


def together(path: Path, kind: str) -> Callable[[], object]:
    """`check_file` of together, over the same bytes: UTF-8, JSON, and that each line is an object."""
    from together.lib.utils import check_file  # type: ignore[import-not-found, unused-ignore]

    return lambda: check_file(path)


def pydantic(path: Path, kind: str) -> Callable[[], object]:
    """Strict `model_validate_json` of each line."""
    from typing import Literal

    from pydantic import BaseModel, ConfigDict

    class Strict(BaseModel):
        model_config = ConfigDict(strict=True, extra="forbid")

    class Text(Strict):
        input_text: str
        output_text: str

    class Preference(Strict):
        input_text: str
        candidate_0: str
        candidate_1: str
        choice: Literal[0, 1]

    class Part(Strict):
        text: str

    class Turn(Strict):
        role: Literal["user", "model"]
        parts: list[Part]

    class System(Strict):
        parts: list[Part]
        role: str = ""

    class Gemini(Strict):
        contents: list[Turn]
        systemInstruction: System | None = None

    for model in (Turn, System, Gemini):
        model.model_rebuild(_types_namespace={**locals()})
    row: type[BaseModel] = {"text": Text, "preference": Preference, "gemini": Gemini}[kind]

    def run() -> None:
        with path.open("rb") as file:
            for line in file:
                row.model_validate_json(line)

    return run


PROGRAMS: Mapping[str, Callable[[Path, str], Callable[[], object]]] = {
    "decode": decode,
    "judge": lambda path, kind: judge(path, content=True),
    "lines": lambda path, kind: judge(path, content=False),
    "two": lambda path, kind: judge(path, content=False, processes=2),
    "together": together,
    "pydantic": pydantic,
}

# --- taking times ---------------------------------------------------------------------------------------------------


def timed(program: str, path: Path, kind: str, python: str = sys.executable, cores: int = 1) -> tuple[float, float]:
    """Seconds of a program in a process of its own on one core or two, and the most memory it had, in MB."""
    command = [python, __file__, "--run", program, str(path), kind, str(cores)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seconds, memory = json.loads(out.splitlines()[-1])
    return seconds, memory


def run(program: str, path: Path, kind: str, cores: int) -> None:
    """Be that process."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[-cores:]))
    work = PROGRAMS[program](path, kind)
    before = time.perf_counter()
    work()
    seconds = time.perf_counter() - before
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def ratios(taken: Mapping[str, Sequence[float]], over: str, under: str) -> str:
    """How many times faster one was than another: the median of the rounds, and their span."""
    found = sorted(slow / fast for slow, fast in zip(taken[under], taken[over], strict=True))
    return f"{statistics.median(found):5.2f}  ({found[0]:.2f} to {found[-1]:.2f})"


def slope(program: str, files: Sequence[Path], kind: str, python: str, cores: int) -> float:
    """Seconds more for the larger of two files: what starting takes is in both, and cancels out."""
    small, large = (timed(program, path, kind, python, cores)[0] for path in files)
    return large - small


def beginning(path: Path, share: float) -> Path:
    """A copy of the first part of a file."""
    out, left = path.with_name(f"{path.stem}.small.jsonl"), path.stat().st_size * share
    with path.open("rb") as source, out.open("wb") as file:
        for line in source:
            left -= file.write(line)
            if left <= 0:
                break
    return out


def compare(path: Path, kind: str, rounds: int, peer: str | None) -> Iterator[str]:
    """What is printed of one file."""
    programs = ["decode", "lines", "judge", "pydantic", *(["together"] if peer else [])]
    taken: dict[str, list[float]] = {name: [] for name in (*programs, "two", "broken")}
    small = beginning(path, 0.2)
    files, broken = (small, path), (spoiled(small, 0.01), spoiled(path, 0.01))
    for _ in range(rounds):
        for name in programs:
            python = peer if name == "together" and peer else sys.executable
            taken[name].append(slope(name, files, kind, python, 1))
        taken["broken"].append(slope("lines", broken, kind, sys.executable, 1))
        taken["two"].append(slope("two", files, kind, sys.executable, 2))
    megabytes = path.stat().st_size / 1e6
    speed = 0.8 * megabytes / statistics.median(taken["decode"])
    yield f"{kind}: {megabytes:.0f} MB, {speed:.0f} MB/s decoded alone"
    yield f"  all but content rules / typed decode_lines   {ratios(taken, 'lines', 'decode')}"
    yield f"  everything            / typed decode_lines   {ratios(taken, 'judge', 'decode')}"
    yield f"  all but content rules / pydantic per line    {ratios(taken, 'lines', 'pydantic')}"
    if peer:
        yield f"  all but content rules / together check_file  {ratios(taken, 'lines', 'together')}"
    yield f"  two processes         / one                  {ratios(taken, 'two', 'lines')}"
    yield f"  1 % broken lines      / clean file           {ratios(taken, 'broken', 'lines')}"
    yield f"  most memory of everything: {timed('judge', path, kind)[1]:.0f} MB"
    for made in (small, *broken):
        made.unlink()


def command_times(folder: Path, rounds: int) -> Iterator[str]:
    """What a person waits for: the whole command on a small file, and the import of the function."""
    small = folder / "small.jsonl"
    write(small, text_row, 0.001)
    command = [sys.executable, "-c", "from droptune.cli import main; main()", "check", str(small)]
    imports = [sys.executable, "-c", "import droptune.validate"]
    for name, arguments in (("droptune check of 1 KB", command), ("import droptune.validate", imports)):
        times = []
        for _ in range(rounds):
            before = time.perf_counter()
            subprocess.run(arguments, capture_output=True, check=False)
            times.append(time.perf_counter() - before)
        yield f"{name}: median {statistics.median(times):.2f} s, worst {max(times):.2f} s"


def has_together(python: str) -> bool:
    return subprocess.run([python, "-c", "import together.lib.utils"], capture_output=True).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--formats", default=",".join(ROWS))
    parser.add_argument("--files", type=Path, help="a folder with NAME.jsonl for each format")
    parser.add_argument("--together", default=sys.executable, help="a Python interpreter that has together")
    arguments = parser.parse_args()
    peer = arguments.together if has_together(arguments.together) else None
    if peer is None:
        print("together is not installed: left out")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for kind in arguments.formats.split(","):
            path = folder / f"{kind}.jsonl"
            if arguments.files is None:
                write(path, ROWS[kind], arguments.megabytes)
            else:
                path = arguments.files / f"{kind}.jsonl"
            for line in compare(path, kind, arguments.rounds, peer):
                print(line, flush=True)
        for line in command_times(folder, arguments.rounds):
            print(line, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(sys.argv[2], Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
    else:
        main()
