"""The table of runs."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from ..story import Story
from .report import STATUS_STYLES
from .stages import rows_in_words
from .words import age, metric


def runs_table(stories: Iterable[Story], now: float) -> Table:
    """One line per run, in the order given."""
    found = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    found.add_column("run", overflow="fold")
    found.add_column("status", no_wrap=True)
    found.add_column("format", overflow="fold")
    found.add_column("rows", overflow="fold")
    found.add_column("tuned model", overflow="fold")
    found.add_column("age", justify="right", no_wrap=True)
    for story in stories:
        report = story.report
        found.add_row(
            story.run_id,
            Text(story.status, STATUS_STYLES.get(story.status, "cyan")),
            report.format or "-" if report else "-",
            rows_in_words(report) if report and report.files else "-",
            _score(story),
            age(now - story.began) if story.began is not None else "-",
        )
    return found


def _score(story: Story) -> str:
    score = story.tuned_score
    if score is None or story.evaluation is None:
        return "-"
    return f"{metric(story.evaluation.metric)} {score.value:.3f}"
