"""A training step with part of the base unfrozen; Benchmarks/fine_tuning_step.py knows the programs."""

from __future__ import annotations

import importlib
import os
import statistics
import subprocess
import sys
from pathlib import Path

from ..bench import BENCHMARKS, Bench
from ..processes import Failure
from ..results import Record, failure, figures, samples
from ..tables import median, number, ratio, spread, table, verdict

TITLE = "A step of fine-tuning"
GRAFT, KERAS = "Graft", "Keras"
KINDS = {"whole": "whole step", "kept": "step on kept features"}


def run(bench: Bench, record: Record) -> None:
    step = importlib.import_module("fine_tuning_step")
    folder = bench.scratch / "fine-tuning"
    folder.mkdir()
    steps = 6 if bench.quick else 10
    prepare(bench, folder, steps)
    try:
        # Built once, where it is not there.
        os.environ.setdefault("GRAFT_TRAINING_STEPS", step.training_steps())
    except subprocess.CalledProcessError as error:
        raise Failure(f"Examples/TrainingSteps does not build: {error}") from error
    record.note("names", [contender.name for contender in step.contenders(folder, bench.weights, steps)])
    for _ in range(bench.repeats(2)):
        for contender in step.contenders(folder, bench.weights, steps):
            for kind in KINDS:
                record.add(f"{contender.name}, {kind}", lambda: take(step, contender, kind, folder))


def prepare(bench: Bench, folder: Path, steps: int) -> None:
    """The model that all begin with, and its batches."""
    program = BENCHMARKS / "programs/keras_fine_tuning.py"
    command = [sys.executable, program, "prepare", folder, "--weights", bench.weights, "--steps", steps]
    try:
        subprocess.run([*map(str, command)], check=True, stdout=sys.stderr)
    except subprocess.CalledProcessError as error:
        raise Failure(f"{program.name} failed: {error}") from error


def take(step, contender, kind: str, folder: Path) -> dict:
    try:
        step.run(contender, kind, folder)
    except SystemExit as error:
        raise Failure(" ".join(str(error).split())[-400:]) from error
    return {
        "milliseconds": 1e3 * statistics.median(contender.seconds[kind]), "peak": contender.peak_bytes[kind],
        "losses": contender.losses,
    }


def page(values: dict) -> list[str]:
    names = values["names"]
    rivals = [name for name in names if not name.startswith(GRAFT)]
    parts = [
        "InceptionV3 at 150×150 cut at `mixed7`, unfrozen from `mixed5` up, the tutorial's head without dropout; RMSprop "
        "1e-5, batch 20, float32. The whole step begins at pixels; the other one at what the part that stays frozen put "
        "out before, which Graft keeps by itself and the others by hand. Median (smallest–largest) of the processes' own "
        "medians. Losses are compared with Keras's over all steps from the same start: the largest relative difference.",
    ]
    for kind, title in KINDS.items():
        ours = median(figures(values, f"{GRAFT}, {kind}", "milliseconds"))
        rows = [row(values, name, kind, ours) for name in names]
        parts.append(table([title, "time", "Graft is faster", "losses", "peak memory"], rows))
    return parts + ["\n".join(verdicts(values, rivals))]


def row(values: dict, name: str, kind: str, ours: float | None) -> list[str]:
    own = f"{name}, {kind}"
    if not samples(values, own):
        return [name, f"failed: {failure(values, own)}", "", "", ""]
    milliseconds = figures(values, own, "milliseconds")
    return [
        name, spread(milliseconds, ".0f", "ms"), number(ratio(median(milliseconds), ours), ".2f", "×"),
        number(difference(values, own, f"{KERAS}, {kind}"), ".1e"),
        number(median([peak / 1e9 for peak in figures(values, own, "peak")]), ".2f", "GB"),
    ]


def difference(values: dict, name: str, reference: str) -> float | None:
    own, keras = figures(values, name, "losses"), figures(values, reference, "losses")
    if not own or not keras:
        return None
    return max(abs(a - b) / abs(b) for a, b in zip(own[0], keras[0]))


def verdicts(values: dict, rivals: list[str]) -> list[str]:
    lines = []
    for kind, title in KINDS.items():
        best = {name: median(figures(values, f"{name}, {kind}", "milliseconds")) for name in rivals}
        quickest = min((value for value in best.values() if value), default=None)
        ours = median(figures(values, f"{GRAFT}, {kind}", "milliseconds"))
        lines.append(verdict(f"{title}, times faster than the best rival", ratio(quickest, ours), 1.5))
        peaks = [median(figures(values, f"{name}, {kind}", "peak")) for name in rivals]
        least = min((peak for peak in peaks if peak), default=None)
        peak = median(figures(values, f"{GRAFT}, {kind}", "peak"))
        lines.append(verdict(f"{title}, peak memory beside the smallest rival's", ratio(peak, least), 1, at_most=True))
    return lines
