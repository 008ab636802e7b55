#!/usr/bin/env python3
"""What bfloat16 costs in accuracy: the same training runs in both precisions, over several seeds.

Feature extraction (the tutorial's head on a frozen InceptionV3 cut at `mixed7`) and fine-tuning (the same, then the base
from `mixed5` upwards), each seed with initial weights, order of images and dropout of its own. Writes a Markdown page.

    Benchmarks/precision.py --images ../shared/images/cats-and-dogs --weights ../shared/weights/….h5

Needs the release build (`make build`; GRAFT names another one) and a processor with AVX512_BF16 or AMX.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
GRAFT = os.environ.get("GRAFT", str(ROOT / ".build/release/graft"))
PRECISIONS = ["float32", "bfloat16"]
NETWORK = "--base inception-v3 --input-size 150 --cut mixed7"
JOB = "--head flatten,dense:1024:relu,dropout:0.2 --optimizer rmsprop --learning-rate 1e-4 --batch-size 20"


@dataclass
class Run:
    """How one training run ended, on the validation photos."""

    accuracy: float
    loss: float


def graft(arguments: list[str], cache: Path) -> list[dict]:
    """The events of a run of the command; ends the program where it fails."""
    print("$ graft", " ".join(arguments), file=sys.stderr, flush=True)
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    process = subprocess.run([GRAFT, *arguments, "--json"], capture_output=True, text=True, env=environment)
    if process.returncode != 0:
        sys.exit(f"graft {' '.join(arguments)} failed ({process.returncode}):\n{process.stderr[-4000:]}")
    return [json.loads(line) for line in process.stdout.splitlines()]


def train(given: argparse.Namespace, precision: str, seed: int, more: list[str], scratch: Path) -> Run:
    """Trains once; features are kept for the runs of other seeds, in a folder of their own for each precision."""
    events = graft(
        ["train", str(given.images), *NETWORK.split(), "--weights", str(given.weights), *JOB.split(), *more,
         "--seed", str(seed), "--precision", precision, "--output", str(scratch / "model.keras")],
        scratch)
    chosen = [event["precision"] for event in events if event["event"] == "precision"]
    assert chosen == [precision], chosen
    last = [event for event in events if event["event"] == "epoch"][-1]
    run = Run(last["val_accuracy"], last["val_loss"])
    print(f"  {precision} seed {seed}: {run}", file=sys.stderr, flush=True)
    return run


def feature_distance(given: argparse.Namespace, scratch: Path) -> tuple[int, float]:
    """How many photos, and the length of the difference of all features over that of float32's."""
    import numpy

    features = {}
    for precision in PRECISIONS:
        path = scratch / f"{precision}.npy"
        graft(["features", "inception-v3", str(given.images / "validation"), "--input-size", "150", "--cut", "mixed7",
               "--weights", str(given.weights), "--precision", precision, "--output", str(path)], scratch)
        features[precision] = numpy.load(path).astype("float64")
    difference = numpy.linalg.norm(features["bfloat16"] - features["float32"])
    return len(features["float32"]), float(difference / numpy.linalg.norm(features["float32"]))


def table(title: str, runs: dict[str, list[Run]]) -> list[str]:
    """A table of one job, and whether the precisions differ by more than chance."""
    lines = [f"## {title}", "", "| | " + " | ".join(PRECISIONS) + " |", "|---|---|---|"]
    count = len(runs[PRECISIONS[0]])
    for seed in range(count):
        cells = [f"{runs[p][seed].accuracy:.4f} (loss {runs[p][seed].loss:.4f})" for p in PRECISIONS]
        lines.append(f"| seed {seed} | " + " | ".join(cells) + " |")
    accuracies = {p: [run.accuracy for run in runs[p]] for p in PRECISIONS}
    means = {p: statistics.mean(accuracies[p]) for p in PRECISIONS}
    deviations = {p: statistics.stdev(accuracies[p]) for p in PRECISIONS}
    lines += [
        "| mean | " + " | ".join(f"**{means[p]:.4f}**" for p in PRECISIONS) + " |",
        "| standard deviation | " + " | ".join(f"{deviations[p]:.4f}" for p in PRECISIONS) + " |",
    ]
    loss = means["float32"] - means["bfloat16"]
    verdict = "within" if loss <= deviations["float32"] else "NOT within"
    lines += ["", f"bfloat16 loses {loss:+.4f} of accuracy on average: {verdict} one standard deviation of float32's "
              f"{count} seeds ({deviations['float32']:.4f}).", ""]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, default=SHARED / "images/cats-and-dogs")
    parser.add_argument("--weights", type=Path, default=SHARED / "weights/inception_v3-2015-12-05-notop.h5")
    parser.add_argument("--seeds", type=int, default=5, help="runs of feature extraction in each precision")
    parser.add_argument("--tuning-seeds", type=int, default=3, help="runs of fine-tuning in each precision")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--tuning-epochs", type=int, default=2)
    parser.add_argument("--output", type=Path, default=HERE / "PRECISION.md")
    given = parser.parse_args()
    if min(given.seeds, given.tuning_seeds) < 2:
        parser.error("a standard deviation needs two seeds at least")

    def both(seeds: int, more: list[str]) -> dict[str, list[Run]]:
        runs: dict[str, list[Run]] = {precision: [] for precision in PRECISIONS}
        for seed in range(seeds):
            for precision in PRECISIONS:
                runs[precision].append(train(given, precision, seed, more, scratch))
        return runs

    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        scratch = Path(folder)
        photos, distance = feature_distance(given, scratch)
        extraction = both(given.seeds, ["--epochs", str(given.epochs)])
        tuning = both(given.tuning_seeds, [
            "--epochs", "1", "--fine-tune-from", "mixed5", "--fine-tune-epochs", str(given.tuning_epochs),
            "--fine-tune-learning-rate", "1e-5"])
    lines = [
        "# bfloat16 against float32", "",
        "Written by `Benchmarks/precision.py`. Cats and dogs on InceptionV3 at 150 × 150, cut at `mixed7`; accuracy and "
        f"loss on the validation photos after the last epoch. {platform.machine()}, {os.cpu_count()} cores.", "",
        "## Features", "",
        f"Of {photos} validation photos at `mixed7`: ‖bfloat16 − float32‖ / ‖float32‖ = **{distance:.4f}** "
        f"(bound 0.02: {'kept' if distance <= 0.02 else 'NOT kept'}).", "",
        *table(f"Feature extraction, {given.epochs} epochs", extraction),
        *table(f"Fine-tuning from mixed5, {given.tuning_epochs} epochs after one of the head", tuning),
    ]
    given.output.write_text("\n".join(lines).rstrip() + "\n")
    print(f"wrote {given.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
