"""What a person sees, at two widths. DROPTUNE_WRITE_GOLDENS=1 writes the goldens anew, to be read in the diff."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_ledgers import BEGAN, FAILED, JOB, LOST, REJECTED, RUN, WAITING, ledger, story, until
from rich.console import Console, RenderableType

from droptune.cli.deadletters import Letter
from droptune.cli.follow import Snapshot
from droptune.cli.health import Result
from droptune.cli.jobs import Job, Line, Progress
from droptune.cli.views.answers import side_by_side
from droptune.cli.views.demo import ending
from droptune.cli.views.health import health_line
from droptune.cli.views.letters import letters_table
from droptune.cli.views.live import table
from droptune.cli.views.report import whole_story
from droptune.cli.views.runs import runs_table
from droptune.cli.views.stages import stages

FOLDER = f"/state/droptune/cloud/storage/droptune-local-runs/{RUN}/"
STEP = Line(
    phase="training", step=20, steps=50, rows_per_second=7.2, seconds_left=24.0, metrics={"/train_total_loss": 1.2345}
)
TRAINING = Job(name=JOB, state="PIPELINE_STATE_RUNNING", progress=Progress(phase="training", lines=(STEP,)))
FETCHING = Line(phase="fetching_base_model", step=46_000_000, steps=92_871_040)
FETCHING_JOB = Job(name=JOB, progress=Progress(phase="fetching_base_model", lines=(FETCHING,)))
LETTER = Letter("tuned", "17", "2025-11-21T10:14:26Z", "5", RUN, {}, "")

VIEWS: dict[str, Callable[[], RenderableType]] = {
    "show_registered": lambda: whole_story(story(until("notified-model-registered.json")), FOLDER),
    "show_rejected": lambda: whole_story(story(ledger(report=REJECTED)), FOLDER),
    "show_waiting": lambda: whole_story(story(ledger(report=WAITING)), FOLDER),
    "show_failed": lambda: whole_story(story(until("job-1.json", failed=FAILED)), FOLDER),
    "show_model_rejected": lambda: whole_story(story(until("tuned.json", evaluation=LOST)), FOLDER),
    "runs": lambda: runs_table([story(until("registered.json")), story(ledger(report=WAITING))], BEGAN + 500),
    "demo_ending": lambda: ending(story(until("notified-model-registered.json")), FOLDER, cloud_stays=False),
    "demo_ending_rejected": lambda: ending(story(ledger(report=REJECTED)), FOLDER, cloud_stays=True),
    "stages_fetching": lambda: table(stages(Snapshot(story(until("job-1.json")), FETCHING_JOB, FETCHING))),
    "stages_training": lambda: table(stages(Snapshot(story(until("job-1.json")), TRAINING))),
    "stages_evaluating": lambda: table(stages(Snapshot(story(until("tuned.json")), TRAINING))),
    "stages_failed": lambda: table(stages(Snapshot(story(until("job-1.json", failed=FAILED)), TRAINING))),
    "stages_rejected": lambda: table(stages(Snapshot(story(ledger(report=REJECTED))))),
    "answers": lambda: side_by_side("Where is my card?", "card_arrival", "I'm sorry.\nLet me help.", "text-bison@002"),
    "dead_letters": lambda: letters_table([LETTER]),
    "doctor": lambda: health_line(Result("warn", "base model", "not fetched yet", "The first job fetches it.")),
}


def rendered(view: RenderableType, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(view)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", VIEWS)
def test_a_view_looks_as_its_golden(name: str, width: int) -> None:
    """Text for people changes on purpose only, and stays readable in a narrow terminal."""
    text = rendered(VIEWS[name](), width)
    golden = Path(__file__).parent / "goldens" / f"{name}.{width}.txt"
    if os.environ.get("DROPTUNE_WRITE_GOLDENS"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_fits_a_very_narrow_terminal(name: str) -> None:
    """Nothing is cut off at 40 columns; text goes over more lines instead."""
    text = rendered(VIEWS[name](), 40)
    assert "…" not in text.replace("… ", "")
    assert max(len(line) for line in text.splitlines()) <= 40


def test_what_a_terminal_would_obey_is_made_visible() -> None:
    """Excerpts and answers come from data and models; neither may move the cursor."""
    text = rendered(side_by_side("\x1b[2J", "\x07bell", "\x1b]0;title\x07", "text-bison@002"), 80)
    assert "\x1b" not in text and "\x07" not in text and "\\x1b[2J" in text
