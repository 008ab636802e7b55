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
from ..results import Record, figures, missing, samples
from ..tables import median, number, ratio, spread, table, verdict

TITLE = "A step of fine-tuning"
GRAFT, KERAS = "Graft", "Keras"
PRECISIONS = ("float32", "bfloat16")
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
    for _ in range(bench.repeats(2)):
        for precision in PRECISIONS:
            contenders = step.contenders(folder, bench.weights, steps, precision)
            record.note("names", [contender.name for contender in contenders])
            for contender in contenders:
                for kind in KINDS:
                    record.add(key(contender.name, kind, precision), lambda: take(step, contender, kind, folder))


def key(name: str, kind: str, precision: str) -> str:
    return f"{name}, {kind}, {precision}"


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
    parts = [
        "InceptionV3 at 150×150 cut at `mixed7`, unfrozen from `mixed5` up, the tutorial's head without dropout; RMSprop "
        "1e-5, batch 20; in bfloat16 weights and optimizer state stay in float32 (Keras's policy `mixed_bfloat16`, "
        "PyTorch's `autocast` behind a frozen part in bfloat16). The whole step begins at pixels; the other one at what "
        "the part that stays frozen put out before, which Graft keeps by itself and the others by hand. Median "
        "(smallest–largest) of the processes' own medians. Losses are compared with those of Keras in float32 over all "
        "steps from the same start: the largest relative difference.",
    ]
    for precision in PRECISIONS:
        for kind, title in KINDS.items():
            ours = median(figures(values, key(GRAFT, kind, precision), "milliseconds"))
            rows = [row(values, name, kind, precision, ours) for name in values["names"]]
            parts.append(table([f"{title}, {precision}", "time", "Graft is faster", "losses", "peak memory"], rows))
        parts.append("\n".join(verdicts(values, precision)))
    return parts


def row(values: dict, name: str, kind: str, precision: str, ours: float | None) -> list[str]:
    own = key(name, kind, precision)
    if not samples(values, own):
        return [name, missing(values, own), "", "", ""]
    milliseconds = figures(values, own, "milliseconds")
    return [
        name, spread(milliseconds, ".0f", "ms"), number(ratio(median(milliseconds), ours), ".2f", "×"),
        number(difference(values, own, key(KERAS, kind, "float32")), ".1e"),
        number(median([peak / 1e9 for peak in figures(values, own, "peak")]), ".2f", "GB"),
    ]


def difference(values: dict, name: str, reference: str) -> float | None:
    own, keras = figures(values, name, "losses"), figures(values, reference, "losses")
    if not own or not keras:
        return None
    return max(abs(a - b) / abs(b) for a, b in zip(own[0], keras[0]))


def verdicts(values: dict, precision: str) -> list[str]:
    def best(rivals: list[str], kind: str, figure: str) -> float | None:
        found = (median(figures(values, key(name, kind, precision), figure)) for name in rivals)
        return min((value for value in found if value), default=None)

    rivals = [name for name in values["names"] if name != GRAFT]
    lines = []
    for kind, title in KINDS.items():
        faster = ratio(best(rivals, kind, "milliseconds"), best([GRAFT], kind, "milliseconds"))
        lines.append(verdict(f"{title} in {precision}, times faster than the best rival", faster, 1.5))
        memory = ratio(best([GRAFT], kind, "peak"), best(rivals, kind, "peak"))
        lines.append(verdict(f"{title} in {precision}, peak memory beside the smallest rival's", memory, 1, at_most=True))
    return lines
