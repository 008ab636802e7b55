"""The tutorial's job, from photos to a saved model, as whole processes."""

from __future__ import annotations

import shutil
from typing import Callable

from ..bench import Bench
from ..processes import Run
from ..results import Record, failure, figures, samples
from ..tables import median, number, ratio, spread, table, verdict
from . import head

TITLE = "The tutorial's job"

GRAFT, WRITTEN = "Graft", "Keras, as its tutorials write it"
NARROW = "Graft, optimizer state in bfloat16"
CACHED = "Keras, features cached by hand, XLA"
COMPILED = "PyTorch, bfloat16 trunk compiled, features cached, head compiled"
EAGER = "PyTorch, bfloat16 trunk not compiled, otherwise the same"
OPENVINO = "OpenVINO, bfloat16 trunk, features cached, head in Keras with XLA"
TUNED = (CACHED, COMPILED, EAGER, OPENVINO)
RANDOM = "Graft, random weights"
LIMIT = "limit"


def contestants(bench: Bench) -> dict[str, tuple[int, Callable[[int], Run]]]:
    """How often each runs, and the run for a seed."""

    def rival(program: str, *options: str) -> Callable[[int], Run]:
        def start(seed: int) -> Run:
            # Nobody finds what an earlier run compiled.
            compiled = bench.scratch / "compiled"
            shutil.rmtree(compiled, ignore_errors=True)
            return bench.program(
                program, str(bench.images), "--weights", str(bench.weights), "--epochs", str(bench.epochs),
                "--seed", str(seed), "--output", str(bench.scratch / "rival.keras"), *options,
                environment={"TORCHINDUCTOR_CACHE_DIR": str(compiled)},
            )

        return start

    ours = bench.scratch / "job.keras"
    return {
        GRAFT: (3, lambda seed: bench.train(ours, seed=seed)),
        WRITTEN: (2, rival("keras_tutorial.py")),
        CACHED: (2, rival("keras_cached.py")),
        OPENVINO: (3, rival("openvino_job.py")),
        EAGER: (1, rival("torch_job.py", "--trunk", "bfloat16")),
        COMPILED: (2, rival("torch_job.py", "--trunk", "bfloat16-compiled")),
        "Graft, float32": (2, lambda seed: bench.train(ours, seed=seed, precision="float32")),
        NARROW: (3, lambda seed: bench.train(ours, seed=seed, options=("--optimizer-state", "bfloat16"))),
        RANDOM: (1, lambda seed: bench.train(ours, weights="none", seed=seed)),
    }


def sample(run: Run) -> dict:
    last = run.epochs[-1]
    return {
        "seconds": run.seconds, "peak": run.peak_bytes, "accuracy": last["val_accuracy"], "loss": last["loss"],
        "accuracies": [epoch["val_accuracy"] for epoch in run.epochs], "parts": run.answer.get("parts"),
        "trunk_seconds": run.answer.get("trunk_seconds"),
    }


def run(bench: Bench, record: Record) -> None:
    record.note("epochs", bench.epochs)
    record.note("photos", [bench.count("train"), bench.count("validation")])
    everybody = contestants(bench)
    record.add(LIMIT, lambda: limit(bench))
    # In turn, so that a slow moment of the machine meets all.
    for turn in range(max(count for count, _ in everybody.values())):
        for name, (count, start) in everybody.items():
            if turn < bench.repeats(count):
                record.add(name, lambda: sample(start(turn)))


def limit(bench: Bench) -> dict:
    """Every photo once through the bare convolutions, and every step of the head at the memory's speed."""
    seconds = ["--seconds", str(bench.seconds)]
    answer = bench.part("convolutions", "--precision", "bfloat16", *seconds).answer
    step = head.limit(bench.part("memory", *seconds))["milliseconds"] / 1e3
    train, validation = bench.count("train"), bench.count("validation")
    trunk = (train + validation) * answer["seconds"] / answer["images"]
    steps = bench.epochs * -(-train // head.BATCH)
    return {"seconds": trunk + steps * step, "trunk": trunk, "head": steps * step}


def page(values: dict) -> list[str]:
    train, validation = values["photos"]
    ours = median(figures(values, GRAFT, "seconds"))
    rows = [row(values, name, ours) for name in values.get("samples", {}) if name not in (RANDOM, LIMIT)]
    return [
        f"{values['epochs']} epochs of {train:,} photos, validation on {validation:,} after each: frozen InceptionV3 at "
        "150×150 cut at `mixed7`, head Flatten, Dense 1024, Dropout 0.2, Dense 1; RMSprop 1e-4, batch 20. Whole "
        "processes, from start to the saved model, imports, conversions and compilations included; Graft begins with an "
        "empty cache, and with `--precision auto` unless it says otherwise. Median (smallest–largest) of *n* runs with "
        "different seeds, all contestants in turn. Accuracy on the validation photos and loss on the training photos after "
        "the last epoch show that the same work was done." + limit_words(values),
        table(["", "n", "time", "Graft is faster", "of the limit", "peak memory", "accuracy", "loss"], rows),
        "\n".join(verdicts(values, ours)),
        *where_time_goes(values),
        *pretrained(values),
    ]


def limit_words(values: dict) -> str:
    if not samples(values, LIMIT):
        return ""
    whole, trunk, steps = (median(figures(values, LIMIT, key)) for key in ("seconds", "trunk", "head"))
    return (
        f" The limit, measured before, is {whole:.1f} s: each photo once through oneDNN's bare convolutions in bfloat16 "
        f"({trunk:.1f} s), and each step of the head as fast as the memory gives and takes weights and optimizer state "
        f"({steps:.1f} s); nothing for start, decoding, validation and saving. Graft may stay below it: its Winograd "
        "filtering takes fewer multiplications, and rows of the head that meet nothing but zeros are not read."
    )


def row(values: dict, name: str, ours: float | None) -> list[str]:
    taken = samples(values, name)
    problem = failure(values, name)
    if not taken:
        return [name, "0", f"failed: {problem}", "", "", "", "", ""]
    seconds = figures(values, name, "seconds")
    return [
        name + (f" (one run failed: {problem})" if problem else ""), str(len(taken)), spread(seconds, ".1f", "s"),
        number(ratio(median(seconds), ours), ".2f", "×"),
        number(ratio(median(figures(values, LIMIT, "seconds")), median(seconds)), ".0%"),
        spread([value / 1e9 for value in figures(values, name, "peak")], ".2f", "GB"),
        spread(figures(values, name, "accuracy"), ".4f"), spread(figures(values, name, "loss"), ".4f"),
    ]


def verdicts(values: dict, ours: float | None) -> list[str]:
    tuned = {name: median(figures(values, name, "seconds")) for name in TUNED}
    best = min((name for name in tuned if tuned[name]), key=lambda name: tuned[name], default=None)
    narrow = median(figures(values, NARROW, "seconds"))
    peaks = [median(figures(values, name, "peak")) for name in (GRAFT, WRITTEN)]
    return [
        verdict("times faster than Keras as written", ratio(median(figures(values, WRITTEN, "seconds")), ours), 10),
        verdict(f"times faster than the best tuned rival ({best})", ratio(tuned.get(best), ours), 5),
        verdict("the same by choice, with optimizer state in bfloat16", ratio(tuned.get(best), narrow), 5),
        verdict("peak memory as a share of Keras's", ratio(*peaks), 1 / 3, at_most=True),
    ]


def where_time_goes(values: dict) -> list[str]:
    """The parts of the rivals' jobs, as they took them themselves."""
    names = [name for name in TUNED if any(s.get("parts") for s in samples(values, name))]
    if not names:
        return []
    parts = ["imports", "load", "compile", "trunk", "head", "save"]
    rows = []
    for name in names:
        taken = [sample["parts"] for sample in samples(values, name)]
        rows.append([name] + [number(median([t[part] for t in taken if part in t]), ".1f", "s") for part in parts])
    return ["Where the tuned rivals' time goes (medians):", table(["", *parts], rows)]


def pretrained(values: dict) -> list[str]:
    if not samples(values, RANDOM):
        return []
    rows = [
        ["published weights, median", number(median(figures(values, GRAFT, "accuracy")), ".4f")],
        ["random weights", number(median(figures(values, RANDOM, "accuracy")), ".4f")],
    ]
    return ["The same command with the base's weights drawn at random, in Graft:", table(["", "accuracy"], rows)]
