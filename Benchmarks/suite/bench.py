"""Where things are, how often to measure, and the commands that several sections share."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from .processes import Run, measure

BENCHMARKS = Path(__file__).resolve().parents[1]
ROOT = BENCHMARKS.parent
HEAD = "flatten,dense:1024:relu,dropout:0.2"
JOB = f"--base inception-v3 --input-size 150 --cut mixed7 --head {HEAD} --optimizer rmsprop --learning-rate 1e-4 --batch-size 20"


class Bench:
    def __init__(self, arguments: argparse.Namespace, scratch: Path) -> None:
        self.images, self.weights = arguments.images, arguments.weights
        self.quick, self.output, self.runs = arguments.quick, arguments.output, arguments.runs
        self.epochs = 2 if self.quick else 10
        self.scratch = scratch
        products = ROOT / ".build/release"
        self.graft = os.environ.get("GRAFT", str(products / "graft"))
        self.measure_program = os.environ.get("GRAFT_MEASURE", str(products / "GraftMeasure"))

    def repeats(self, count: int) -> int:
        return 1 if self.quick else min(count, self.runs or count)

    @property
    def seconds(self) -> float:
        """How long a part is timed after its warm-up."""
        return 1.0 if self.quick else 3.0

    def count(self, part: str) -> int:
        """The photos in train/ or validation/."""
        return sum(path.is_file() for path in (self.images / part).glob("*/*"))

    # Programs

    def program(self, name: str, *arguments: str, environment: dict[str, str] | None = None) -> Run:
        """One of Benchmarks/programs, in the rivals' environment."""
        return measure([sys.executable, str(BENCHMARKS / "programs" / name), *arguments], environment)

    def part(self, *arguments: str) -> Run:
        """A part of Graft or a limit of the machine: GraftMeasure."""
        return measure([self.measure_program, *arguments])

    def train(
        self, model: Path, images: Path | None = None, weights: str | None = None, epochs: int | None = None,
        seed: int = 0, precision: str = "auto", cache: Path | None = None, options: tuple[str, ...] = (),
    ) -> Run:
        """`graft train`; without `cache` it begins with an empty one, so that every run computes its features."""
        folder = cache or self.scratch / "cache"
        if cache is None:
            shutil.rmtree(folder, ignore_errors=True)
        command = [self.graft, "train", str(images or self.images), "--weights", weights or str(self.weights)]
        command += [*JOB.split(), "--epochs", str(epochs or self.epochs), "--seed", str(seed)]
        command += ["--precision", precision, "--output", str(model), "--json", *options]
        return measure(command, {"XDG_CACHE_HOME": str(folder)})

    # What sections share

    def model(self) -> Path:
        """A model of the tutorial, trained once."""
        path = self.scratch / "shared.keras"
        if not path.exists():
            self.train(path, epochs=1)
        return path

    def pixels(self, size: int, count: int = 100) -> Path:
        """Photos of both classes as an array."""
        folder = self.scratch / f"pixels-{size}-{count}"
        if not folder.exists():
            folder.mkdir()
            self.program("arrays.py", str(self.images / "validation"), str(count), str(size), str(folder))
        return folder / "pixels.npy"
