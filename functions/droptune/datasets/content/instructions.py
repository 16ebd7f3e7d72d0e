"""Whether rows say what is to be done, and all in the same way."""

from __future__ import annotations

from collections.abc import Sequence

from ..findings import Findings
from ..formats.fields import excerpt
from .frames import Frame, prefixes, suffixes
from .labels import looks_like_labels
from .sample import Sample
from .totals import Totals

LEAST_ROWS = 10
COMMON_SHARE = 0.7  # of rows with an instruction, for the others to be exceptions
COMMON_SHARE_ONE_TASK = 0.3  # the same where all rows have the same labels as answers, hence one task
MARKER_SHARE = 0.25
MARKER_ROWS = 500  # in so many rows a marker is looked for first
# What is looked for, without a first letter that may be a capital, and the marker that it belongs to.
MARKERS = {
    **{
        f"{name[1:]}:": f"{name}:"
        for name in ("question", "context", "text", "input", "passage", "document", "article")
    },
    **{f"{name}{colon}": f"{name}{colon}" for name in ("質問", "文章", "文脈", "本文", "問題") for colon in ":："},
}


def examine_instructions(sample: Sample, totals: Totals, findings: Findings) -> tuple[Frame | None, Frame | None]:
    """Missing, partial and competing instructions; returns the most common beginning and end of the prompts."""
    prompts = sample.prompts
    if len(prompts) < LEAST_ROWS or len(set(prompts[:MARKER_ROWS])) == 1:
        return None, None
    starts, ends = prefixes(prompts), suffixes(prompts)
    labels = looks_like_labels(totals.answers) and bool(sample.answers)
    instructions = [frame for frame in starts if frame.is_long]
    partial = _partial(sample, starts, labels) or _partial(sample, ends, labels)
    if partial:
        present = set(partial.positions)
        missing = [at for at in range(len(prompts)) if at not in present]
        sample.report(findings, "INSTRUCTION-SOME", missing, found=excerpt(partial.text.strip()))
    elif len(instructions) > 1 and sum(len(each.positions) for each in instructions) >= COMMON_SHARE * len(prompts):
        _several(sample, instructions, findings)
    else:
        _markers(sample, findings)
    if labels and not any(len(frame.positions) >= len(prompts) / 2 for frame in (*starts, *ends)):
        findings.add("INSTRUCTION-NONE", {"count": len(totals.answers or ())}, file=sample.file)
    return starts[0] if starts else None, ends[0] if ends else None


def _partial(sample: Sample, frames: Sequence[Frame], labels: bool) -> Frame | None:
    """The instruction that most rows have and some lack, those with other instructions aside."""
    rows = len(sample)
    frame = next((each for each in frames if each.is_instruction), None)
    if frame is None or len(frame.positions) == rows or any(each.is_long for each in frames if each is not frame):
        return None
    share = len(frame.positions) / rows
    if share >= COMMON_SHARE:
        return frame
    one_task = labels and frame.is_long and share >= COMMON_SHARE_ONE_TASK
    return frame if one_task and _same_labels(sample.answers, frame.positions) else None


def _same_labels(answers: Sequence[str], positions: Sequence[int]) -> bool:
    """Whether the answers of the rows at these positions are, by and large, those of the other rows too."""
    present = set(positions)
    here = {answers[at] for at in positions}
    others = {answer for at, answer in enumerate(answers) if at not in present}
    return len(here & others) >= 0.5 * min(len(here), len(others))


def _several(sample: Sample, instructions: Sequence[Frame], findings: Findings) -> None:
    first = instructions[0].positions[0]
    names = " / ".join(f"{excerpt(frame.text.strip())} ({len(frame.positions):,})" for frame in instructions[:3])
    sample.report(findings, "INSTRUCTION-SEVERAL", [first], count=len(instructions), found=names)


def _markers(sample: Sample, findings: Findings) -> None:
    """Marks such as ``question:`` that many rows have and others lack; of several, the one that is most frequent."""
    prompts = sample.prompts
    some = prompts[:: -(-len(prompts) // MARKER_ROWS)]
    joined = "\n".join(some)
    likely = [
        core for core in MARKERS if core in joined and sum(core in each for each in some) >= MARKER_SHARE * len(some)
    ]
    missing = {core: [at for at, prompt in enumerate(prompts) if core not in prompt] for core in likely}
    partial = {core: rows for core, rows in missing.items() if 0 < len(rows) < len(prompts)}
    if partial:
        core = min(partial, key=lambda each: len(partial[each]))
        sample.report(findings, "INSTRUCTION-MARKERS", partial[core], found=MARKERS[core])
