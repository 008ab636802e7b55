"""Whether bfloat16 costs accuracy: the tutorial's job, and fine-tuning, over several seeds in both precisions."""

from __future__ import annotations

import statistics
from pathlib import Path

from ..bench import Bench
from ..results import Record, figures, missing
from ..tables import number, table

TITLE = "Accuracy in bfloat16"
PRECISIONS = ("float32", "bfloat16")
#: The head in float32 with its optimizer's state in bfloat16.
STATE, NARROW_STATE = "float32, optimizer state in bfloat16", ("--optimizer-state", "bfloat16")
SEEDS = 5
HEAD, TUNED = "head", "fine-tuned"
#: Epochs of the head before fine-tuning, and of fine-tuning.
TUNING = (3, 3)
OPTIONS = ("--fine-tune-from", "mixed5", "--fine-tune-epochs", str(TUNING[1]), "--fine-tune-learning-rate", "1e-5")


def run(bench: Bench, record: Record) -> None:
    record.note("epochs", bench.epochs)
    # Features are kept from seed to seed: they do not depend on it.
    cache = bench.scratch / "precision-cache"
    for seed in range(bench.repeats(SEEDS)):
        for precision in PRECISIONS:
            for kind in (HEAD, TUNED):
                record.add(f"{kind} {precision}", lambda: sample(bench, kind, seed, precision, cache))
        record.add(f"{HEAD} {STATE}", lambda: sample(bench, HEAD, seed, "float32", cache, NARROW_STATE))


def sample(
    bench: Bench, kind: str, seed: int, precision: str, cache: Path, state: tuple[str, ...] = ()
) -> dict:
    epochs, options = (None, ()) if kind == HEAD else (TUNING[0], OPTIONS)
    run = bench.train(
        bench.scratch / "precision.keras", seed=seed, precision=precision, cache=cache, epochs=epochs,
        options=options + state,
    )
    last = run.epochs[-1]
    return {"accuracy": last["val_accuracy"], "loss": last["val_loss"]}


def page(values: dict) -> list[str]:
    header = ["", "seeds", "mean accuracy", "standard deviation", "range", "mean loss"]
    has_state = bool(figures(values, f"{HEAD} {STATE}", "accuracy"))
    state = (
        " With optimizer state in bfloat16 the rest is in float32; what is kept is rounded up or down by chance."
        if has_state else ""
    )
    rows = [row(values, HEAD, precision) for precision in (*PRECISIONS, *([STATE] if has_state else []))]
    rows += [row(values, TUNED, precision) for precision in PRECISIONS]
    return [
        f"In Graft, seeds from 0 on; accuracy and loss on the validation photos after the last epoch. Head: the "
        f"tutorial's job of {values['epochs']} epochs, the trunk in the precision named. Fine-tuned: {TUNING[0]} epochs of "
        f"the head, then {TUNING[1]} of everything from `mixed5` up at a rate of 1e-5, forward and backward in the "
        "precision named, weights and optimizer state in float32." + state,
        table(header, rows),
        "\n".join([
            *verdict(values, HEAD, "bfloat16"), *verdict(values, HEAD, STATE, "optimizer state in bfloat16"),
            *verdict(values, TUNED, "bfloat16"),
        ]),
    ]


def row(values: dict, kind: str, precision: str) -> list[str]:
    own = f"{kind} {precision}"
    accuracies = figures(values, own, "accuracy")
    if not accuracies:
        return [f"{kind}, {precision}", "0", missing(values, own), "", "", ""]
    deviation = statistics.stdev(accuracies) if len(accuracies) > 1 else None
    return [
        f"{kind}, {precision}", str(len(accuracies)), f"{statistics.mean(accuracies):.4f}", number(deviation, ".4f"),
        f"{min(accuracies):.4f}–{max(accuracies):.4f}", f"{statistics.mean(figures(values, own, 'loss')):.4f}",
    ]


def verdict(values: dict, kind: str, precision: str, words: str = "bfloat16") -> list[str]:
    full, half = (figures(values, f"{kind} {name}", "accuracy") for name in ("float32", precision))
    if len(full) < 2 or not half:
        return []
    lost, deviation = statistics.mean(full) - statistics.mean(half), statistics.stdev(full)
    return [
        f"- {kind}: {words} changes the mean by **{-lost:+.4f}**; asked for a loss of no more than one standard "
        f"deviation, {deviation:.4f}: {'reached' if lost <= deviation else 'not reached'}."
    ]
