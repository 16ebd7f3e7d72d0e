"""The last screen of the demo: what came of it, and what to do with one's own file."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..story import Story
from .report import finding, outcome, stand_in_in_words, timeline

QUESTION = "My card has not come yet, where is it?"


def ending(story: Story, folder: str, *, cloud_stays: bool) -> Group:
    """Scores and verdict (or why there are none), the model, every hop's time, where it all lies, what to try next."""
    parts: list[RenderableType] = []
    if story.report is not None and story.status == "rejected":
        parts += ["", *(finding(one) for one in story.report.findings)]
    parts += outcome(story)
    rows = [("Run", story.run_id), ("Status", story.status), ("Model", story.model), ("Endpoint", story.endpoint)]
    if story.stand_in is not None:
        rows.append(("Tuned", stand_in_in_words(story)))
    if story.registered is not None:
        rows.append(("Aliases", ", ".join(story.registered.aliases)))
    rows += [("Folder", folder), ("Report", f"{folder}report.html")]
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in rows:
        if value:
            facts.add_row(name, Text(value))
    parts += ["", facts, "", timeline(story), "", Text("Next", "bold")]
    if not cloud_stays:
        parts.append(
            Text("  droptune up                          # keeps the local cloud running, with this run in it")
        )
    if story.endpoint is not None:
        parts.append(Text(f'  droptune ask {story.run_id} "{QUESTION}"', overflow="fold"))
    elif story.failure is not None:
        parts.append(Text(f"  droptune logs {story.run_id}", overflow="fold"))
    parts.append(
        Text("  droptune drop YOUR_FILE.jsonl --watch  # rows of input_text and output_text, or Gemini contents")
    )
    return Group(*parts)
