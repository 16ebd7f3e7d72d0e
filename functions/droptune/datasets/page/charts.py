"""Charts as inline SVG. They carry their numbers as text too, for those who hear the page."""

from __future__ import annotations

from ..report import Bin, Summary
from ..wording import Wording
from .markup import plain

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 30, 34
MARKS = ("p95", "p50")  # percentiles drawn into a histogram, each in a row of its own above it


def histogram(name: str, summary: Summary, unit: str, say: Wording) -> str:
    """The bins of a summary as bars of equal width, however wide the bins are; empty without bins."""
    bins = summary.histogram
    if not bins:
        return ""
    median = summary.percentiles.get("p50", summary.min)
    described = say("histogram_of", name=name, n=summary.count, least=summary.min, most=summary.max, median=median)
    tallest = max(max(one.count for one in bins), 1)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{plain(described)}">'
        f"{_grid(tallest)}{_bars(bins, tallest, say)}{_ticks(bins)}{_marks(summary)}"
        f'<text class="axis" x="{LEFT + _plot_width() // 2}" y="{HEIGHT - 3}" text-anchor="middle">{plain(unit)}</text>'
        f'<text class="axis" x="2" y="11">{plain(say("axis_rows"))}</text></svg>'
    )


def bar(share: float) -> str:
    """A horizontal bar for a table cell that has the number beside it; `share` is of the longest bar, 0..1."""
    return (
        '<svg class="level" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/>'
        f'<rect class="bar" width="{_number(100 * share)}" height="10"/></svg>'
    )


def stack(shares: dict[str, float], described: str) -> str:
    """Shares of a whole, side by side in one bar, as classes s0, s1 … of the style sheet."""
    parts, at = [], 0.0
    for index, share in enumerate(shares.values()):
        parts.append(f'<rect class="s{index % 6}" x="{_number(100 * at)}" width="{_number(100 * share)}" height="10"/>')
        at += share
    return (
        '<svg class="stack" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{plain(described)}">{"".join(parts)}</svg>'
    )


def compact(number: int) -> str:
    """A number short enough for an axis: ``950``, ``12k``, ``1.5M``."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if number >= size:
            scaled = number / (1_000 if unit == "k" else size)
            return f"{scaled:.1f}".removesuffix(".0") + unit
    return f"{number:,}"


def _plot_width() -> int:
    return WIDTH - LEFT - RIGHT


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _height(count: int, tallest: int) -> float:
    return (HEIGHT - TOP - BOTTOM) * count / tallest


def _grid(tallest: int) -> str:
    lines = []
    for count in sorted({0, tallest // 2, tallest}):
        y = _number(HEIGHT - BOTTOM - _height(count, tallest))
        lines.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
            f'<text class="axis" x="{LEFT - 6}" y="{y}" dy=".32em" text-anchor="end">{compact(count)}</text>'
        )
    return "".join(lines)


def _bars(bins: tuple[Bin, ...], tallest: int, say: Wording) -> str:
    step = _plot_width() / len(bins)
    gap = min(1.5, step * 0.15)
    drawn = []
    for index, one in enumerate(bins):
        height = max(_height(one.count, tallest), 1.0 if one.count else 0.0)  # one row among thousands is still seen
        reach = f"{one.least:,}" if one.least == one.most else say("range", least=one.least, most=one.most)
        drawn.append(
            f'<rect class="bar" x="{_number(LEFT + index * step + gap / 2)}" y="{_number(HEIGHT - BOTTOM - height)}" '
            f'width="{_number(step - gap)}" height="{_number(height)}">'
            f"<title>{plain(reach)}: {plain(say('count_rows', n=one.count))}</title></rect>"
        )
    return "".join(drawn)


def _ticks(bins: tuple[Bin, ...]) -> str:
    """The least value of the first, a middle and the last bin's greatest, below the bars where they begin and end."""
    step = _plot_width() / len(bins)
    ticks = [(0.0, bins[0].least, "start"), (_plot_width(), bins[-1].most, "end")]
    if len(bins) >= 4:
        middle = len(bins) // 2
        ticks.append((middle * step, bins[middle].least, "middle"))
    y = HEIGHT - BOTTOM + 14
    return "".join(
        f'<text class="axis" x="{_number(LEFT + x)}" y="{y}" text-anchor="{anchor}">{compact(value)}</text>'
        for x, value, anchor in ticks
    )


def _marks(summary: Summary) -> str:
    drawn = []
    for row, name in enumerate(MARKS):
        if name not in summary.percentiles:
            continue
        value = summary.percentiles[name]
        x, y = LEFT + _place(value, summary.histogram), 11 + 11 * row
        anchor, shift = ("start", 4) if x < WIDTH * 0.7 else ("end", -4)
        drawn.append(
            f'<line class="mark" x1="{_number(x)}" x2="{_number(x)}" y1="{y - 8}" y2="{HEIGHT - BOTTOM}"/>'
            f'<text class="mark-name" x="{_number(x + shift)}" y="{y}" text-anchor="{anchor}">'
            f"{name} {compact(value)}</text>"
        )
    return "".join(drawn)


def _place(value: int, bins: tuple[Bin, ...]) -> float:
    """How far to the right a value stands, its bin being as wide as every other."""
    step = _plot_width() / len(bins)
    for index, one in enumerate(bins):
        if value <= one.most:
            within = (max(value, one.least) - one.least + 0.5) / (one.most - one.least + 1)
            return (index + within) * step
    return _plot_width()
