#!/usr/bin/env python3
"""Whether fine-tuning helps: head only, the base unfrozen from three layers, and all from scratch, over several seeds.

Two tasks: photos of cats and dogs, which look like what InceptionV3 was trained on, and Glass patterns, which do not.
Runs `graft train` for each configuration and seed, keeps the figures in fine-tuning.json and renews the tables of
FINE_TUNING.md.

    Benchmarks/fine_tuning_helps.py --images ../shared/images/cats-and-dogs --weights ../shared/weights/….h5

A run that stands in fine-tuning.json with the same command is not repeated; `--again` begins anew, `--page` only renews
the tables. Seconds come from `--time`, on a quiet machine. Needs the release build (`make build`) and a Python with
numpy and pillow: that of Scripts/python-environment.
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
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

from glass_patterns import draw_glass_patterns

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))


@dataclass
class Task:
    """Pictures, and how a network is trained on them."""

    name: str
    title: str
    network: str
    """What all configurations have in common."""
    head_epochs: int
    base_epochs: int
    scratch_epochs: int
    head_rate: str
    base_rate: str
    scratch_rate: str
    figures: str
    """Which pictures the figures of the table are of: `val_` or `test_`."""


@dataclass
class Configuration:
    """What of the network trains."""

    name: str
    title: str
    unfrozen_from: str | None = None
    weights: bool = True

    def arguments(self, task: Task) -> list[str]:
        """As `graft train` takes it.

        Without fine-tuning the head trains for as many epochs in all as with it.
        """
        rate = ["--learning-rate", task.head_rate]
        if not self.unfrozen_from:
            return rate + ["--epochs", str(task.head_epochs + task.base_epochs)]
        head, base, base_rate = task.head_epochs, task.base_epochs, task.base_rate
        if not self.weights:
            head, base, base_rate = 0, task.scratch_epochs, task.scratch_rate
        tuning = ["--fine-tune-from", self.unfrozen_from, "--fine-tune-epochs", str(base)]
        arguments = rate + ["--epochs", str(head), *tuning, "--fine-tune-learning-rate", base_rate]
        # Statistics that begin at 0 and 1 follow by a hundredth a step: small batches make many steps.
        return arguments if self.weights else arguments + ["--batch-size", "8"]


TASKS = [
    Task(
        "photos", "Photos of cats and dogs",
        "--input-size 96 --cut mixed7 --head average-pool,dropout:0.2 --optimizer rmsprop --batch-size 20",
        head_epochs=30, base_epochs=5, scratch_epochs=5,
        head_rate="1e-3", base_rate="1e-5", scratch_rate="3e-4", figures="val_"),
    Task(
        "glass-patterns", "Glass patterns",
        "--input-size 96 --cut mixed7 --head average-pool,dropout:0.2 --optimizer adam --batch-size 32",
        head_epochs=30, base_epochs=6, scratch_epochs=8,
        head_rate="1e-3", base_rate="1e-4", scratch_rate="3e-4", figures="test_"),
]

CONFIGURATIONS = [
    Configuration("head", "head only"),
    Configuration("mixed6", "base from `mixed6`", "mixed6"),
    Configuration("mixed3", "base from `mixed3`", "mixed3"),
    Configuration("mixed0", "base from `mixed0`", "mixed0"),
    Configuration("scratch", "all from scratch", "all", weights=False),
]


class Study:
    """Where things are, and the runs that were made."""

    def __init__(self, arguments: argparse.Namespace, scratch: Path) -> None:
        self.images, self.weights = arguments.images, arguments.weights
        self.graft = os.environ.get("GRAFT", str(ROOT / ".build/release/graft"))
        self.scratch, self.record = scratch, arguments.record
        known = json.loads(self.record.read_text()) if self.record.exists() and not arguments.again else {}
        self.runs: list[dict] = known.get("runs", [])
        self.times: list[dict] = known.get("times", [])
        self.made = known.get("made", {})

    def pictures(self, task: Task) -> Path:
        if task.name == "photos":
            return self.images
        folder = self.scratch / task.name
        if not folder.exists():
            draw_glass_patterns(folder)
        return folder

    def train(self, task: Task, arguments: list[str], seed: int, weights: bool) -> list[dict]:
        """Runs `graft train` and gives what it printed; ends the program where it fails."""
        output = self.scratch / "model" / "model.keras"
        output.parent.mkdir(exist_ok=True)
        command = [self.graft, "train", str(self.pictures(task)), "--base", "inception-v3", "--precision", "float32"]
        command += ["--weights", str(self.weights) if weights else "none", *task.network.split(), *arguments]
        command += ["--seed", str(seed), "--cache", str(self.scratch / "features"), "--output", str(output), "--json"]
        print("$", " ".join(command), file=sys.stderr, flush=True)
        process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)} failed ({process.returncode}):\n{process.stderr[-4000:]}")
        return [json.loads(line) for line in process.stdout.splitlines()]

    def run(self, task: Task, configuration: Configuration, seed: int) -> None:
        """Makes a run that was not made yet, and keeps it."""
        key = self.key(task, configuration, seed)
        if self.found(task, configuration, seed):
            return
        events = self.train(task, configuration.arguments(task), seed, configuration.weights)
        epochs = [event for event in events if event["event"] == "epoch"]
        done = events[-1]
        for epoch in epochs:
            epoch.pop("event"), epoch.pop("seconds")
        test = {name: done[name] for name in done if name.startswith("test_")}
        self.runs.append(key | {"epochs": epochs, **test, "course": done["course"], "best_epoch": done["best_epoch"]})
        self.keep()
        print("  ", {name: value for name, value in epochs[-1].items()} | test, file=sys.stderr, flush=True)

    def time(self, task: Task, configuration: Configuration) -> None:
        """Seconds of an epoch, the second of its phase."""
        short = replace(task, head_epochs=2, base_epochs=2, scratch_epochs=2)
        events = self.train(short, configuration.arguments(short), 0, configuration.weights)
        seconds = [event["seconds"] for event in events if event["event"] == "epoch"][-1]
        self.times = [
            time for time in self.times if (time["task"], time["configuration"]) != (task.name, configuration.name)]
        self.times.append({"task": task.name, "configuration": configuration.name, "seconds": seconds})
        self.keep()
        print("  ", self.times[-1], file=sys.stderr, flush=True)

    def key(self, task: Task, configuration: Configuration, seed: int) -> dict:
        arguments = [*task.network.split(), *configuration.arguments(task)]
        return {"task": task.name, "configuration": configuration.name, "seed": seed, "arguments": " ".join(arguments)}

    def found(self, task: Task, configuration: Configuration, seed: int) -> dict | None:
        key = self.key(task, configuration, seed)
        return next((run for run in self.runs if key.items() <= run.items()), None)

    def keep(self) -> None:
        self.made = {"date": str(date.today()), "graft": output_of("git", "rev-parse", "--short=12", "HEAD")}
        # A line for each run.
        runs, times = (",\n".join(map(json.dumps, part)) for part in (self.runs, self.times))
        text = f'{{"made": {json.dumps(self.made)},\n"runs": [\n{runs}\n],\n"times": [\n{times}\n]}}\n'
        partial = self.record.with_suffix(".partial")
        partial.write_text(text)
        partial.replace(self.record)


# The page


def output_of(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def spread(values: list[float], digits: int) -> str:
    if len(values) < 2:
        return f"{values[0]:.{digits}f}"
    return f"{statistics.mean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f}"


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def result_table(study: Study, task: Task, seeds: list[int]) -> str:
    names = ["accuracy", "val_accuracy", "val_loss"]
    names += ["test_accuracy", "test_loss"] if task.figures == "test_" else []
    seconds = {time["configuration"]: time["seconds"] for time in study.times if time["task"] == task.name}
    rows = []
    for configuration in CONFIGURATIONS:
        runs = [run for seed in seeds if (run := study.found(task, configuration, seed))]
        if not runs:
            continue
        row = [spread([(run["epochs"][-1] | run)[name] for run in runs], 3) for name in names]
        time = [f"{seconds[configuration.name]:.1f} s" if configuration.name in seconds else ""]
        count = "" if len(runs) == len(seeds) else f" ({len(runs)} of {len(seeds)} seeds)"
        rows.append([configuration.title + count, *row, *(time if seconds else [])])
    words = {"accuracy": "training accuracy", "val_accuracy": "validation accuracy", "val_loss": "validation loss"}
    header = ["what trains"] + [words.get(name, name.replace("_", " ")) for name in names]
    return table(header + (["an epoch"] if seconds else []), rows)


def seed_table(study: Study, task: Task, seeds: list[int]) -> str:
    """The accuracy of each run, for those who mistrust means."""
    rows = []
    for configuration in CONFIGURATIONS:
        runs = [study.found(task, configuration, seed) for seed in seeds]
        values = [run and (run["epochs"][-1] | run)[task.figures + "accuracy"] for run in runs]
        if not any(runs):
            continue
        rows.append([configuration.title] + ["" if value is None else f"{value:.4f}" for value in values])
    figure = "test accuracy" if task.figures == "test_" else "validation accuracy"
    return table([figure] + [f"seed {seed}" for seed in seeds], rows)


def commands(task: Task) -> str:
    lines = []
    for configuration in CONFIGURATIONS:
        weights = "imagenet" if configuration.weights else "none"
        lines.append(f"graft train {task.name} --weights {weights} {' '.join(configuration.arguments(task))}")
    return "```\n" + "\n".join(lines) + f"\n```\neach with `{task.network}`."


def write_page(study: Study, seeds: list[int], path: Path) -> None:
    """Renews what stands between `<!-- name -->` and `<!-- end -->`; the words around it are written by hand."""
    parts = {"made": made(study, seeds)}
    for task in TASKS:
        parts[f"results {task.name}"] = result_table(study, task, seeds)
        parts[f"seeds {task.name}"] = seed_table(study, task, seeds)
        parts[f"commands {task.name}"] = commands(task)
    text = path.read_text()
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->\n", "\n<!-- end -->"
        before, found, after = text.partition(begin)
        if not found or end not in after:
            sys.exit(f"{path}: has no part “{begin.strip()} … {end.strip()}”")
        text = before + begin + part + after[after.index(end):]
    path.write_text(text)


def made(study: Study, seeds: list[int]) -> str:
    return "\n".join([
        f"- {study.made.get('date')}, Graft {study.made.get('graft')}, float32, seeds {', '.join(map(str, seeds))}",
        f"- {machine()}",
        f"- Python {platform.python_version()}, numpy {version('numpy')}, pillow {version('pillow')}",
    ])


def machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor()
    return f"{processor}, {os.cpu_count()} cores, {platform.system()} {'.'.join(platform.release().split('.')[:2])}"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, default=SHARED / "images/cats-and-dogs", help="train/ and validation/")
    parser.add_argument("--weights", type=Path, default=SHARED / "weights/inception_v3-2015-12-05-notop.h5")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    names = [task.name for task in TASKS]
    parser.add_argument("--tasks", nargs="+", choices=names, default=names)
    parser.add_argument("--configurations", nargs="+", choices=[c.name for c in CONFIGURATIONS],
                        default=[c.name for c in CONFIGURATIONS])
    parser.add_argument("--time", action="store_true", help="measure the seconds of an epoch instead")
    parser.add_argument("--page", action="store_true", help="only renew the tables")
    parser.add_argument("--again", action="store_true", help="forget the runs that were kept")
    parser.add_argument("--record", type=Path, default=HERE / "fine-tuning.json", help="where figures are kept")
    parser.add_argument("--output", type=Path, default=HERE / "FINE_TUNING.md", help="the page that gets the tables")
    arguments = parser.parse_args()
    for path in (arguments.images, arguments.weights):
        if not path.exists() and not arguments.page:
            parser.error(f"{path} is not there: name photos and weights with --images and --weights")
    return arguments


def main() -> None:
    arguments = parse()
    # Not /tmp, which is memory on many machines.
    scratch = tempfile.mkdtemp(dir="/var/tmp" if Path("/var/tmp").is_dir() else None)
    try:
        study = Study(arguments, Path(scratch))
        for task in TASKS if not arguments.page else []:
            for configuration in CONFIGURATIONS:
                if task.name not in arguments.tasks or configuration.name not in arguments.configurations:
                    continue
                if arguments.time:
                    study.time(task, configuration)
                    continue
                for seed in arguments.seeds:
                    study.run(task, configuration, seed)
        write_page(study, arguments.seeds, arguments.output)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
