#!/usr/bin/env python3
"""One step of fine-tuning InceptionV3 from `mixed5`, in Graft, in Keras and in PyTorch, all in one run.

Batch 20, pictures of 150 × 150, cut at mixed7, the tutorial's head without dropout, RMSprop 1e-5, in float32 or in
bfloat16 with weights and optimizer state in float32. Two figures each: the whole step, which begins at pixels, and the
step on what the frozen part put out before, which Graft keeps by itself and the others by hand. Prints a Markdown table.

    Benchmarks/fine_tuning_step.py --weights ../shared/weights/….h5

Needs the release build of Examples/TrainingSteps (or the program that GRAFT_TRAINING_STEPS names); runs Keras and PyTorch
with the Python that runs it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
WEIGHTS = SHARED / "weights/inception_v3-2015-12-05-notop.h5"
#: Steps that are not counted: plans, graphs and caches are made in them.
WARM_UP = 3
KINDS = ("whole", "kept")
PRECISIONS = ("float32", "bfloat16")


@dataclass
class Contender:
    """A program, and what was measured of it."""

    name: str
    command: list[str]
    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    losses: list[float] = field(default_factory=list)
    peak_bytes: dict[str, int] = field(default_factory=dict)

    def median(self, kind: str) -> float:
        """Seconds of a step."""
        return statistics.median(self.seconds[kind])


def contenders(folder: Path, weights: Path, steps: int, precision: str) -> list[Contender]:
    programs = HERE / "programs"
    options = [str(folder), "--steps", str(steps), "--precision", precision]
    keras = [sys.executable, str(programs / "keras_fine_tuning.py"), "KIND", *options]
    torch = [sys.executable, str(programs / "torch_fine_tuning.py"), "KIND", *options, "--weights", str(weights)]
    inputs = [str(folder / name) for name in ("start.keras", "inputs.npy", "targets.npy")]
    return [
        Contender("Graft", [training_steps(), *inputs, "mixed5", "1e-5", str(folder), "KIND", precision]),
        Contender("Keras", keras),
        Contender("Keras, XLA", [*keras, "--compiled"]),
        Contender("PyTorch", torch),
        Contender("PyTorch, compiled", [*torch, "--compiled"]),
    ]


def training_steps() -> str:
    program = os.environ.get("GRAFT_TRAINING_STEPS")
    if program:
        return program
    # The build folder of Graft itself, so that it is not built a second time.
    folder = ROOT / ".build"
    package = ["--package-path", ROOT / "Examples", "--scratch-path", folder]
    subprocess.run(
        ["swift", "build", "-c", "release", *package, "--product", "TrainingSteps"], check=True, stdout=sys.stderr
    )
    return str(folder / "release/TrainingSteps")


def run(contender: Contender, kind: str, folder: Path) -> None:
    """Runs a program for its steps; its peak memory is that of the whole process."""
    command = [kind if word == "KIND" else word for word in contender.command]
    print("$", " ".join(command), file=sys.stderr, flush=True)
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"{contender.name} failed ({process.returncode}):\n{errors.read()[-4000:]}")
    text = (folder / "losses.json").read_text() if contender.name == "Graft" else output.splitlines()[-1]
    result = json.loads(text)
    contender.seconds[kind] += result["seconds"][WARM_UP:]
    contender.losses = result["losses"]
    unit = 1 if sys.platform == "darwin" else 1024
    contender.peak_bytes[kind] = max(contender.peak_bytes.get(kind, 0), usage.ru_maxrss * unit)
    print(f"  {1000 * contender.median(kind):.1f} ms a step", file=sys.stderr, flush=True)


def measure(weights: Path, steps: int, rounds: int, precision: str) -> list[Contender]:
    """Runs all programs in turn, several times, so that a slow moment of the machine meets all of them."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare = [sys.executable, HERE / "programs/keras_fine_tuning.py", "prepare", folder, "--weights", weights]
        subprocess.run([*map(str, prepare), "--steps", str(steps)], check=True, stdout=sys.stderr)
        measured = contenders(folder, weights, steps, precision)
        for _ in range(rounds):
            for contender in measured:
                for kind in KINDS:
                    run(contender, kind, folder)
    return measured


def table(measured: list[Contender]) -> str:
    """The figures as Markdown, with a reading."""
    graft, others = measured[0], measured[1:]
    lines = [
        "| | whole step | on kept features | peak memory, whole / kept | loss of the first, the last step |",
        "|---|---|---|---|---|",
    ]
    for one in measured:
        first, last = one.losses[0], one.losses[-1]
        memory = " / ".join(f"{one.peak_bytes[kind] / 1e9:.2f} GB" for kind in KINDS)
        times = " | ".join(spread(one.seconds[kind]) for kind in KINDS)
        lines.append(f"| {one.name} | {times} | {memory} | {first:.5f}, {last:.5f} |")
    best = {kind: min(others, key=lambda one: one.median(kind)) for kind in KINDS}
    ratios = {kind: best[kind].median(kind) / graft.median(kind) for kind in KINDS}
    as_used = best["whole"].median("whole") / graft.median("kept")
    return "\n".join(lines) + (
        f"\n\nGraft against the best of the others: the whole step **{ratios['whole']:.2f} times** as fast "
        f"({best['whole'].name}), the step on kept features **{ratios['kept']:.2f} times** ({best['kept'].name}). "
        f"As each is used, Graft with kept features and the others without: {as_used:.1f} times.\n\n"
        "Medians, the fastest and the slowest step in brackets. The first losses are those of one network on the same "
        "numbers. The last ones differ a little where an optimizer differs: Keras and Graft divide by √(v + ε), PyTorch by "
        "√v + ε.\n"
    )


def spread(seconds: list[float]) -> str:
    middle, low, high = (1000 * value for value in (statistics.median(seconds), min(seconds), max(seconds)))
    return f"{middle:.0f} ms ({low:.0f}–{high:.0f})"


def check(measured: list[Contender], precision: str) -> None:
    """All begin with the same loss, and Keras and Graft end with the same; bfloat16 has 8 bits."""
    reference = measured[1].losses
    first, last = (1e-3, 2e-3) if precision == "float32" else (2e-2, 2e-2)
    for one in measured:
        if abs(one.losses[0] - reference[0]) > first * reference[0]:
            sys.exit(f"{one.name} begins with a loss of {one.losses[0]}, Keras with {reference[0]}: not the same work")
    if abs(measured[0].losses[-1] - reference[-1]) > last * reference[-1]:
        sys.exit(f"Graft ends with a loss of {measured[0].losses[-1]}, Keras with {reference[-1]}: not the same work")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="InceptionV3's weight file without top")
    parser.add_argument("--steps", type=int, default=10, help=f"steps of a run; the first {WARM_UP} do not count")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    arguments = parser.parse_args()
    measured = measure(arguments.weights, arguments.steps, arguments.rounds, arguments.precision)
    check(measured, arguments.precision)
    print(table(measured))


if __name__ == "__main__":
    main()
