"""Whether bfloat16 costs accuracy: the tutorial's job over several seeds in both precisions."""

from __future__ import annotations

import statistics

from ..bench import Bench
from ..results import Record, failure, figures, samples
from ..tables import number, table

TITLE = "Accuracy in bfloat16"
PRECISIONS = ("float32", "bfloat16")
SEEDS = 5


def run(bench: Bench, record: Record) -> None:
    record.note("epochs", bench.epochs)
    # Features are kept from seed to seed: they do not depend on it.
    cache = bench.scratch / "precision-cache"
    for seed in range(bench.repeats(SEEDS)):
        for precision in PRECISIONS:
            record.add(precision, lambda: sample(bench, seed, precision, cache))


def sample(bench: Bench, seed: int, precision: str, cache) -> dict:
    run = bench.train(bench.scratch / "precision.keras", seed=seed, precision=precision, cache=cache)
    last = run.epochs[-1]
    return {"accuracy": last["val_accuracy"], "loss": last["val_loss"]}


def page(values: dict) -> list[str]:
    rows = []
    for precision in PRECISIONS:
        accuracies = figures(values, precision, "accuracy")
        if not accuracies:
            rows.append([precision, "0", f"failed: {failure(values, precision)}", "", "", ""])
            continue
        deviation = statistics.stdev(accuracies) if len(accuracies) > 1 else None
        rows.append([
            precision, str(len(accuracies)), f"{statistics.mean(accuracies):.4f}", number(deviation, ".4f"),
            f"{min(accuracies):.4f}–{max(accuracies):.4f}",
            f"{statistics.mean(figures(values, precision, 'loss')):.4f}",
        ])
    header = ["trunk", "seeds", "mean accuracy", "standard deviation", "range", "mean loss"]
    return [
        f"The tutorial's job in Graft, {values['epochs']} epochs, seeds from 0 on; accuracy and loss on the validation "
        "photos after the last one.",
        table(header, rows), *verdict(values),
    ]


def verdict(values: dict) -> list[str]:
    full, half = (figures(values, precision, "accuracy") for precision in PRECISIONS)
    if len(samples(values, "float32")) < 2 or not half:
        return []
    lost, deviation = statistics.mean(full) - statistics.mean(half), statistics.stdev(full)
    return [
        f"- bfloat16 changes the mean by **{-lost:+.4f}**; asked for a loss of no more than one standard deviation, "
        f"{deviation:.4f}: {'reached' if lost <= deviation else 'not reached'}."
    ]
