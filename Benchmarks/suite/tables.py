"""Markdown."""

from __future__ import annotations

import statistics
from typing import Iterable

NOTHING = "–"


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def spread(values: list[float], form: str, unit: str = "") -> str:
    """The median and, of several values, the smallest and the largest."""
    if not values:
        return NOTHING
    text = f"{statistics.median(values):{form}} {unit}".rstrip()
    return text if len(values) == 1 else f"{text} ({min(values):{form}}–{max(values):{form}})"


def median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def number(value: float | None, form: str, unit: str = "") -> str:
    return NOTHING if value is None else f"{value:{form}} {unit}".rstrip()


def ratio(a: float | None, b: float | None) -> float | None:
    """a / b, where both are known."""
    return a / b if a is not None and b else None


def verdict(name: str, value: float | None, bound: float, form: str = ".2f", at_most: bool = False) -> str:
    """A line that holds a figure against what was asked for."""
    if value is None:
        return f"- {name}: not measured; asked for {'at most' if at_most else 'at least'} {bound:.3g}."
    reached = value <= bound if at_most else value >= bound
    asked = f"asked for {'at most' if at_most else 'at least'} {bound:.3g}"
    return f"- {name}: **{value:{form}}**, {asked}: {'reached' if reached else 'not reached'}."
