"""Small line charts as SVG, legible on light and dark pages."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 13px; }
  .small { font-size: 11px; fill: #57606a; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .first { stroke: #0969da; fill: #0969da; } .second { stroke: #bc4c00; fill: #bc4c00; }
  path { fill: none !important; stroke-width: 2; } circle { stroke: none; }
  .label { stroke: none !important; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .small { fill: #9198a1; } .grid { stroke: #3d444d; }
    .first { stroke: #58a6ff; fill: #58a6ff; } .second { stroke: #f0883e; fill: #f0883e; }
  }
""".strip("\n")

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 400, 260, 52, 28, 46, 44
CLASSES = ("first", "second")


@dataclass
class Series:
    name: str
    points: list[tuple[float, float]]


@dataclass
class Panel:
    """One chart; its vertical axis begins at 0."""

    title: str
    axis: str
    series: list[Series] = field(default_factory=list)
    #: Whether the horizontal axis counts doublings.
    logarithmic: bool = False


def grid(panels: list[Panel]) -> str:
    """The charts, two beside each other."""
    rows = math.ceil(len(panels) / 2)
    parts = [
        f'<g transform="translate({index % 2 * WIDTH},{index // 2 * HEIGHT})">{drawn(panel)}</g>'
        for index, panel in enumerate(panels)
    ]
    size = f'width="{2 * WIDTH}" height="{rows * HEIGHT}" viewBox="0 0 {2 * WIDTH} {rows * HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>\n{STYLE}\n</style>\n' + "\n".join(parts) + "\n</svg>\n"


def drawn(panel: Panel) -> str:
    parts = [text(LEFT, 18, panel.title, "title"), text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, panel.axis, "small", "middle")]
    points = [point for series in panel.series for point in series.points]
    if not points:
        return "".join(parts + [text(LEFT, HEIGHT / 2, "not measured", "small")])
    highest = nice(max(y for _, y in points))
    places = sorted({x for x, _ in points})
    low, high = position(places[0], panel), position(places[-1], panel)

    def at(x: float, y: float) -> tuple[float, float]:
        share = (position(x, panel) - low) / (high - low) if high > low else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y / highest * (HEIGHT - TOP - BOTTOM)

    for tick in range(5):
        value = highest * tick / 4
        _, y = at(places[0], value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(text(LEFT - 6, y + 4, f"{value:g}", "small", "end"))
    last = -math.inf
    for place in places:
        x, _ = at(place, 0)
        if x - last >= 34:
            parts.append(text(x, HEIGHT - BOTTOM + 16, f"{place:,.0f}", "small", "middle"))
            last = x
    for number, series in enumerate(panel.series):
        parts += line(series, CLASSES[number % len(CLASSES)], at)
    parts += legend(panel)
    return "".join(parts)


def line(series: Series, style: str, at) -> list[str]:
    places = [at(x, y) for x, y in series.points]
    if not places:
        return []
    path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return [f'<path class="{style}" d="{path}"/>'] + [
        f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places
    ]


def legend(panel: Panel) -> list[str]:
    if len(panel.series) < 2:
        return []
    parts, x = [], float(LEFT)
    for number, series in enumerate(panel.series):
        parts.append(text(x, 34, series.name, f"label {CLASSES[number % len(CLASSES)]}"))
        x += 8 * len(series.name) + 16
    return parts


def position(x: float, panel: Panel) -> float:
    return math.log2(x) if panel.logarithmic else x


def nice(value: float) -> float:
    """The smallest of 1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * power for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if step * power >= value * 0.999)


def text(x: float, y: float, words: str, style: str, anchor: str = "start") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
