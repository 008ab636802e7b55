"""How many images a second the frozen base takes, in memory, beside oneDNN's bare convolutions."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Callable

import numpy as np

from ..bench import Bench
from ..processes import Run
from ..results import Record, figures, missing, samples
from ..tables import median, number, ratio, spread, table, verdict

TITLE = "The trunk"

PRECISIONS = ("float32", "bfloat16")
#: For each precision the rivals' program and its mode.
RIVALS = {
    "float32": {
        "Keras": ("keras", "float32"), "PyTorch": ("pytorch", "float32"),
        "PyTorch, compiled and frozen": ("pytorch", "float32-compiled"), "OpenVINO": ("openvino", "float32"),
    },
    "bfloat16": {
        "Keras": ("keras", "bfloat16"), "PyTorch": ("pytorch", "bfloat16"),
        "PyTorch, compiled and frozen": ("pytorch", "bfloat16-compiled"), "OpenVINO": ("openvino", "bfloat16"),
    },
}
GRAFT, BARE = "Graft", "oneDNN's convolutions alone"


def key(name: str, precision: str) -> str:
    return f"{name}, {precision}"


def run(bench: Bench, record: Record) -> None:
    record.note("batch", 20)
    pixels = bench.pixels(150)
    reference = bench.scratch / "features-keras.npy"
    for turn in range(bench.repeats(2)):
        for precision in PRECISIONS:
            for name, start in contestants(bench, precision, pixels).items():
                features = reference if (name, precision) == ("Keras", "float32") else bench.scratch / "features.npy"
                record.add(
                    key(name, precision), lambda: sample(start(features), None if name == BARE else features, reference)
                )


def contestants(bench: Bench, precision: str, pixels: Path) -> dict[str, Callable[[Path], Run]]:
    def rival(name: str, mode: str) -> Callable[[Path], Run]:
        return lambda features: bench.program(
            "trunk.py", name, "--mode", mode, "--weights", str(bench.weights), "--pixels", str(pixels),
            "--features", str(features), "--seconds", str(bench.seconds),
        )

    everybody = {name: rival(*program) for name, program in RIVALS[precision].items()}
    everybody[GRAFT] = lambda features: bench.part(
        "trunk", "--weights", str(bench.weights), "--pixels", str(pixels), "--features", str(features),
        "--precision", precision, "--seconds", str(bench.seconds),
    )
    everybody[BARE] = lambda _: bench.part(
        "convolutions", "--precision", precision, "--seconds", str(2 * bench.seconds)
    )
    return everybody


def sample(run: Run, features: Path | None, reference: Path) -> dict:
    answer = run.answer
    if features is None:
        result = {"rate": answer["images"] / answer["seconds"]}
        return result | {name: answer[name] for name in ("operations", "convolutions", "onednn")}
    result = {"rate": answer["images"] / statistics.median(answer["seconds"]), "first": answer.get("first")}
    if reference.exists():
        ours, theirs = np.load(features).ravel(), np.load(reference).ravel()
        distance = ours.astype(np.float64) - theirs
        result["relative_l2"] = float(np.linalg.norm(distance) / np.linalg.norm(theirs.astype(np.float64)))
        result["largest"] = float(np.abs(distance).max() / np.abs(theirs).max())
    return result


def page(values: dict) -> list[str]:
    parts = [
        "Images a second through InceptionV3 at 150×150 up to `mixed7`, batch 20, pixels in memory and features out; median "
        "(smallest–largest) of the processes' own medians, all contestants in turn. The limit: every convolution of the "
        "network by itself, again and again on the same memory, its kernel packed, bias and activation fused, the times "
        "added up. Differences are those of 100 photos' features from Keras's in float32: the largest as a share of the "
        "largest feature, and relative L2.",
    ]
    for precision in PRECISIONS:
        parts.append(table(
            [precision, "images/s", "Graft is faster", "of bare convolutions", "largest difference", "relative L2", "ready after"],
            rows(values, precision),
        ))
    return parts + ["\n".join(verdicts(values))]


def rows(values: dict, precision: str) -> list[list[str]]:
    rate = lambda name: median(figures(values, key(name, precision), "rate"))  # noqa: E731
    result = []
    for name in (GRAFT, *RIVALS[precision], BARE):
        own = key(name, precision)
        if not samples(values, own):
            result.append([name, missing(values, own)] + [""] * 5)
            continue
        result.append([
            name, spread(figures(values, own, "rate"), ".0f"), number(ratio(rate(GRAFT), rate(name)), ".2f", "×"),
            number(ratio(rate(name), rate(BARE)), ".0%"), number(median(figures(values, own, "largest")), ".1e"),
            number(median(figures(values, own, "relative_l2")), ".2e"),
            number(median(figures(values, own, "first")), ".1f", "s"),
        ])
    return result


def verdicts(values: dict) -> list[str]:
    rate = lambda name: median(figures(values, key(name, "bfloat16"), "rate"))  # noqa: E731
    best = max((rate(name) or 0 for name in RIVALS["bfloat16"]), default=0) or None
    return [
        verdict("bfloat16 beside the fastest rival", ratio(rate(GRAFT), best), 1),
        verdict("bfloat16 as a share of bare convolutions", ratio(rate(GRAFT), rate(BARE)), 0.85),
        verdict(
            "relative L2 of bfloat16 features", median(figures(values, key(GRAFT, "bfloat16"), "relative_l2")), 0.02,
            form=".4f", at_most=True,
        ),
    ]
