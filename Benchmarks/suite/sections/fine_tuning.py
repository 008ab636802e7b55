"""A step with part of the base unfrozen: taken by Benchmarks/fine_tuning_step.py, shown here."""

from __future__ import annotations

from ..bench import BENCHMARKS, Bench
from ..processes import Failure, measure
from ..results import Record, failure, samples
from ..tables import table

TITLE = "A step of fine-tuning"
PROGRAM = BENCHMARKS / "fine_tuning_step.py"


def run(bench: Bench, record: Record) -> None:
    record.add("step", lambda: take(bench))


def take(bench: Bench) -> dict:
    if not PROGRAM.exists():
        raise Failure(f"{PROGRAM.name} is not there")
    return {"events": measure(["python3", str(PROGRAM)]).events}


def page(values: dict) -> list[str]:
    if not samples(values, "step"):
        return [f"Not measured: {failure(values, 'step')}."]
    rows = [[str(event)] for event in samples(values, "step")[-1]["events"]]
    return [table(["step"], rows)]
