"""A step of the head on features that are there already, beside the memory's limit."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Callable

import numpy as np

from ..bench import Bench
from ..processes import Run
from ..results import Record, figures, missing, samples
from ..tables import median, number, ratio, spread, table, verdict

TITLE = "The head's step"

GRAFT, NARROW, MEMORY = "Graft", "Graft, optimizer state in bfloat16", "memory"
RIVALS = {
    "Keras": ("keras", ""), "Keras, XLA": ("keras", "xla"), "PyTorch": ("pytorch", ""),
    "PyTorch, compiled": ("pytorch", "compiled"),
}
STEPS, BATCH, FEATURES, UNITS = 10, 20, 37_632, 1024


def run(bench: Bench, record: Record) -> None:
    arrays = made(bench.scratch)
    names = ["--features", "--labels", "--kernel", "--output"]
    options = [word for pair in zip(names, map(str, arrays)) for word in pair]
    options += ["--seconds", str(bench.seconds)]
    everybody: dict[str, Callable[[], Run]] = {
        GRAFT: lambda: bench.part("head", *options),
        NARROW: lambda: bench.part("head", "--optimizer-state", "bfloat16", *options),
    }
    for name, (program, mode) in RIVALS.items():
        everybody[name] = lambda program=program, mode=mode: bench.program("head.py", program, "--mode", mode, *options)
    for _ in range(bench.repeats(3)):
        record.add(MEMORY, lambda: limit(bench.part("memory", "--seconds", str(bench.seconds))))
        for name, start in everybody.items():
            record.add(name, lambda: sample(start()))


def made(scratch: Path) -> list[Path]:
    """Features like those behind a ReLU, labels, and initial kernels by Glorot's rule: the same for all."""
    generator = np.random.default_rng(0)
    count = STEPS * BATCH
    bound = (6 / (FEATURES + UNITS)) ** 0.5
    last = (6 / (UNITS + 1)) ** 0.5
    arrays = {
        "head-features": np.maximum(generator.standard_normal((count, FEATURES), dtype=np.float32) * 0.3, 0),
        "head-labels": generator.integers(0, 2, count).astype(np.float32),
        "head-kernel": generator.uniform(-bound, bound, (FEATURES, UNITS)).astype(np.float32),
        "head-output": generator.uniform(-last, last, (UNITS, 1)).astype(np.float32),
    }
    paths = []
    for name, array in arrays.items():
        paths.append(scratch / f"{name}.npy")
        np.save(paths[-1], array)
    return paths


def sample(run: Run) -> dict:
    answer = run.answer
    return {
        "milliseconds": 1e3 * statistics.median(answer["seconds"]), "losses": answer["losses"],
        "first": answer.get("first"), "peak": run.peak_bytes,
    }


def limit(run: Run) -> dict:
    """Forward reads the weights; the update reads and writes weights and state."""
    answer = run.answer
    read, update = (statistics.median(answer[name]) for name in ("read_seconds", "update_seconds"))
    size = answer["bytes"]
    return {"milliseconds": 1e3 * (read + update), "update": 1e3 * update,
            "read_rate": size / read / 1e9, "update_rate": 4 * size / update / 1e9}


def page(values: dict) -> list[str]:
    ours, bound = (median(figures(values, name, "milliseconds")) for name in (GRAFT, MEMORY))
    update = median(figures(values, MEMORY, "update"))
    # Half of what the update moves is state, and half of that is saved.
    less = bound - update / 4 if bound and update else None
    halved = f"; with optimizer state in bfloat16 it is {number(less, '.1f', 'ms')}" if samples(values, NARROW) else ""
    rows = [row(values, GRAFT, ours, bound)]
    rows += [row(values, NARROW, ours, less)] if halved else []
    rows += [row(values, name, ours, bound) for name in RIVALS]
    pytorch = [median(figures(values, name, "milliseconds")) for name in RIVALS if name.startswith("PyTorch")]
    quickest = min((value for value in pytorch if value), default=None)
    return [
        f"Dense 1024 on {FEATURES:,} features, Dropout 0.2, Dense 1, RMSprop, batch 20, float32: one step, features in "
        "memory; median (smallest–largest) of the processes' own medians. The limit, measured in the same run, is "
        "the time to read the weights once for the forward pass (154 MB) and to read and write weights and optimizer state "
        f"for the update (617 MB): {number(bound, '.1f', 'ms')}, of which the update takes "
        f"{number(update, '.1f', 'ms')}, at "
        f"{number(median(figures(values, MEMORY, 'read_rate')), '.0f', 'GB/s')} for reading and "
        f"{number(median(figures(values, MEMORY, 'update_rate')), '.0f', 'GB/s')} for both{halved}. Losses are compared over "
        f"{STEPS} steps without dropout from the same weights: the largest relative difference from Keras's.",
        table(["", "one step", "Graft is faster", "of the limit", "losses", "peak memory", "ready after"], rows),
        "\n".join([
            verdict("times faster than PyTorch", ratio(median(figures(values, "PyTorch", "milliseconds")), ours), 3),
            verdict("times faster than PyTorch at its best", ratio(quickest, ours), 3),
            verdict("share of the memory's limit", ratio(bound, ours), 0.7),
        ]),
    ]


def row(values: dict, name: str, ours: float | None, bound: float | None) -> list[str]:
    if not samples(values, name):
        return [name, missing(values, name), "", "", "", "", ""]
    own = median(figures(values, name, "milliseconds"))
    return [
        name, spread(figures(values, name, "milliseconds"), ".1f", "ms"), number(ratio(own, ours), ".2f", "×"),
        number(ratio(bound, own), ".0%"), number(difference(values, name), ".1e"),
        number(median([value / 1e9 for value in figures(values, name, "peak")]), ".2f", "GB"),
        number(median(figures(values, name, "first")), ".1f", "s"),
    ]


def difference(values: dict, name: str) -> float | None:
    """The largest relative difference of the losses from Keras's."""
    both = [figures(values, who, "losses") for who in (name, "Keras")]
    if not all(both):
        return None
    own, keras = (np.array(losses[0]) for losses in both)
    return float(np.max(np.abs(own - keras) / np.abs(keras)))
