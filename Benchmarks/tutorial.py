#!/usr/bin/env python3
"""The tutorial's job in Graft and in Keras, both in one run: time, memory and accuracy of whole processes.

Trains a classifier of cats and dogs on a frozen InceptionV3, cut at `mixed7`, from photos to a saved model; then the
same from random weights, with four times the photos, and one prediction. Writes a Markdown page.

    Benchmarks/tutorial.py --images ../shared/images/cats-and-dogs --weights ../shared/weights/….h5

Needs the release build (`make build`) and runs with the Python of Scripts/python-environment; `make benchmark` does
both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
JOB = "--base inception-v3 --input-size 150 --cut mixed7 --head flatten,dense:1024:relu,dropout:0.2 " \
    "--optimizer rmsprop --learning-rate 1e-4 --batch-size 20"


@dataclass
class Run:
    """One finished process."""

    seconds: float
    peak_bytes: int
    events: list[dict]

    @property
    def epochs(self) -> list[dict]:
        return [event for event in self.events if event.get("event") == "epoch"]

    @property
    def accuracy(self) -> float:
        """On the validation photos, after the last epoch."""
        return self.epochs[-1]["val_accuracy"]


def measure(command: list[str], environment: dict[str, str]) -> Run:
    """Runs a command and takes the time and the peak memory of its whole process; ends the program where it fails."""
    print("$", " ".join(command), file=sys.stderr, flush=True)
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"{' '.join(command)} failed ({process.returncode}):\n{errors.read()[-4000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    run = Run(seconds, usage.ru_maxrss * unit, events)
    print(f"  {seconds:.2f} s, {run.peak_bytes / 1e9:.2f} GB", file=sys.stderr, flush=True)
    return run


class Bench:
    """Where things are, and the runs' scratch folder."""

    def __init__(self, arguments: argparse.Namespace, scratch: Path) -> None:
        self.images, self.weights = arguments.images, arguments.weights
        self.epochs, self.seeds = arguments.epochs, arguments.seeds
        self.graft = os.environ.get("GRAFT", str(ROOT / ".build/release/graft"))
        self.scratch = scratch

    def count(self, part: str) -> int:
        """The photos in train/ or validation/."""
        return sum(path.is_file() for path in (self.images / part).glob("*/*"))

    def model(self, name: str) -> str:
        return str(self.scratch / f"{name}.keras")

    def train_graft(self, name: str, images: Path, weights: str, seed: int) -> Run:
        # A cache of its own and empty: every run computes its features.
        cache = self.scratch / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        command = [self.graft, "train", str(images), "--weights", weights, *JOB.split()]
        command += ["--epochs", str(self.epochs), "--seed", str(seed), "--output", self.model(name), "--json"]
        return measure(command, os.environ | {"XDG_CACHE_HOME": str(cache)})

    def train_keras(self, name: str, seed: int) -> Run:
        command = [sys.executable, str(HERE / "keras_tutorial.py"), str(self.images), "--weights", str(self.weights)]
        command += ["--epochs", str(self.epochs), "--seed", str(seed), "--output", self.model(name)]
        return measure(command, dict(os.environ))


# What is measured


def same_job(bench: Bench) -> list[tuple[int, Run, Run]]:
    """Seed, Graft, Keras; one after the other, so that a slow moment of the machine meets both."""
    runs = []
    for seed in bench.seeds:
        ours = bench.train_graft("graft", bench.images, str(bench.weights), seed)
        theirs = bench.train_keras("keras", seed)
        runs.append((seed, ours, theirs))
    return runs


def four_times(bench: Bench) -> Run:
    """The same command on four copies of every photo, none with the same bytes."""
    folder = bench.scratch / "four-times"
    for source in sorted(path for path in bench.images.rglob("*") if path.is_file()):
        relative = source.relative_to(bench.images)
        if len(relative.parts) < 3:
            continue
        (folder / relative).parent.mkdir(parents=True, exist_ok=True)
        for copy in range(4):
            target = (folder / relative).with_stem(f"{source.stem}-{copy}")
            # What follows a JPEG's end marker is no part of the picture, but of the file.
            target.write_bytes(source.read_bytes() + bytes([copy]) * copy)
    run = bench.train_graft("four-times", folder, str(bench.weights), bench.seeds[0])
    shutil.rmtree(folder)
    return run


def predictions(bench: Bench, count: int = 5) -> tuple[list[Run], list[Run]]:
    """One photo with the model that Graft saved, in Graft and in Keras."""
    photo = str(next(path for path in sorted((bench.images / "validation").rglob("*.jpg"))))
    model = bench.model("graft")
    ours = [measure([bench.graft, "predict", model, photo, "--json"], dict(os.environ)) for _ in range(count)]
    command = [sys.executable, str(HERE / "keras_predict.py"), model, photo]
    theirs = [measure(command, dict(os.environ)) for _ in range(min(count, 3))]
    return ours, theirs


# The page


def median(values) -> float:
    return statistics.median(list(values))


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def gigabytes(count: float) -> str:
    return f"{count / 1e9:.2f} GB"


def output_of(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine() -> list[str]:
    processor, memory, flags = platform.processor(), 0, []
    try:
        information = Path("/proc/cpuinfo").read_text()
        processor = next(line.split(":")[1].strip() for line in information.splitlines() if line.startswith("model name"))
        words = set(next(line for line in information.splitlines() if line.startswith("flags")).split())
        flags = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in words]
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, StopIteration):
        pass
    return [
        f"- machine: {processor}, {os.cpu_count()} cores, {memory / 2**30:.0f} GiB ({', '.join(flags)}); {platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        f"- Graft {output_of('git', 'rev-parse', '--short=12', 'HEAD')}, {output_of('swift', '--version').splitlines()[0]}",
    ]


def versions() -> str:
    import importlib.metadata as metadata

    names = ["keras", "tensorflow-cpu", "numpy"]
    return f"- Python {platform.python_version()}, " + ", ".join(f"{name} {metadata.version(name)}" for name in names)


def training_table(runs: list[tuple[int, Run, Run]]) -> str:
    rows = []
    for seed, ours, theirs in runs:
        rows.append([
            f"seed {seed}",
            f"{ours.seconds:.1f} s", f"{theirs.seconds:.1f} s", f"{theirs.seconds / ours.seconds:.2f}",
            gigabytes(ours.peak_bytes), gigabytes(theirs.peak_bytes),
            f"{ours.accuracy:.4f}", f"{theirs.accuracy:.4f}",
            f"{ours.epochs[-1]['loss']:.4f}", f"{theirs.epochs[-1]['loss']:.4f}",
        ])
    columns = [
        ("{:.1f} s", lambda a, b: a.seconds), ("{:.1f} s", lambda a, b: b.seconds),
        ("{:.2f}", lambda a, b: b.seconds / a.seconds),
        ("{:.2f} GB", lambda a, b: a.peak_bytes / 1e9), ("{:.2f} GB", lambda a, b: b.peak_bytes / 1e9),
        ("{:.4f}", lambda a, b: a.accuracy), ("{:.4f}", lambda a, b: b.accuracy),
        ("{:.4f}", lambda a, b: a.epochs[-1]["loss"]), ("{:.4f}", lambda a, b: b.epochs[-1]["loss"]),
    ]
    rows.append(["**median**"] + [form.format(median(pick(a, b) for _, a, b in runs)) for form, pick in columns])
    header = ["", "Graft", "Keras", "times faster", "Graft's peak", "Keras's peak", "Graft's accuracy", "Keras's accuracy",
              "Graft's loss", "Keras's loss"]
    return table(header, rows)


def epoch_table(runs: list[tuple[int, Run, Run]]) -> str:
    """Validation accuracy by epoch."""
    rows = []
    for seed, *pair in runs:
        for name, run in zip(("Graft", "Keras"), pair):
            rows.append([f"{name}, seed {seed}"] + [f"{epoch['val_accuracy']:.4f}" for epoch in run.epochs])
    return table(["epoch"] + [str(i + 1) for i in range(len(rows[0]) - 1)], rows)


def page(bench: Bench, runs, untrained: Run | None, large: Run | None, starts) -> str:
    parts = [
        "# The tutorial's job",
        f"Written by `Benchmarks/tutorial.py` on {date.today()}; `make benchmark` repeats it.",
        "\n".join([*machine(), versions()]),
        "## Training",
        f"{bench.epochs} epochs of {bench.count('train'):,} photos, validation on {bench.count('validation'):,} after each, frozen InceptionV3 at 150×150 cut at "
        "`mixed7`, head Flatten, Dense 1024, Dropout 0.2, Dense 1, RMSprop 1e-4, batch 20, float32. Whole processes, from "
        "start to the saved model; Graft begins with an empty cache. Keras as its tutorials write it: "
        "`image_dataset_from_directory`, `fit`. Accuracy is on the validation photos, loss on the training photos, both "
        "after the last epoch: they show that the same work was done.",
        training_table(runs),
        "Validation accuracy after each epoch:",
        epoch_table(runs),
    ]
    if untrained:
        parts += [
            "## Pretrained or not",
            "The same command with the base's weights drawn at random:",
            table(["Graft", "validation accuracy"], [
                ["published weights, median", f"{median(a.accuracy for _, a, _ in runs):.4f}"],
                ["random weights", f"{untrained.accuracy:.4f}"],
            ]),
        ]
    if large:
        photos = bench.count("train") + bench.count("validation")
        parts += [
            "## Four times the photos",
            "Every photo four times, each copy with bytes of its own, so that nothing is found in the cache:",
            table(["Graft", "photos", "time", "peak memory"], [
                ["once, median", f"{photos:,}", f"{median(a.seconds for _, a, _ in runs):.1f} s",
                 gigabytes(median(a.peak_bytes for _, a, _ in runs))],
                ["four times", f"{4 * photos:,}", f"{large.seconds:.1f} s", gigabytes(large.peak_bytes)],
            ]),
        ]
    if starts:
        ours, theirs = starts
        parts += [
            "## One prediction",
            "A new process that loads the model saved above and predicts one photo; medians.",
            table(["", "time", "peak memory"], [
                [name, f"{median(r.seconds for r in runs):.2f} s", gigabytes(median(r.peak_bytes for r in runs))]
                for name, runs in (("`graft predict`", ours), ("Keras, the same file", theirs))
            ]),
        ]
    return "\n\n".join(parts) + "\n"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, default=SHARED / "images/cats-and-dogs", help="train/ and validation/")
    parser.add_argument("--weights", type=Path, default=SHARED / "weights/inception_v3-2015-12-05-notop.h5")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only-training", action="store_true", help="leave out random weights, ×4 and predictions")
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md", help="the page to write")
    arguments = parser.parse_args()
    for path in (arguments.images, arguments.weights):
        if not path.exists():
            parser.error(f"{path} is not there: name photos and weights with --images and --weights")
    return arguments


def main() -> None:
    arguments = parse()
    # Not /tmp, which is memory on many machines.
    with tempfile.TemporaryDirectory(dir="/var/tmp" if Path("/var/tmp").is_dir() else None) as scratch:
        bench = Bench(arguments, Path(scratch))
        runs = same_job(bench)
        untrained = large = starts = None
        if not arguments.only_training:
            starts = predictions(bench)
            untrained = bench.train_graft("untrained", bench.images, "none", bench.seeds[0])
            large = four_times(bench)
        text = page(bench, runs, untrained, large, starts)
    arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
