"""What the programs of the tutorial's job share: arguments, and lines in the words of `graft train --json`."""

from __future__ import annotations

import argparse
import json
import os
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

SIZE, BATCH, FEATURES, RATE = 150, 20, 7 * 7 * 768, 1e-4


def arguments(description: str, **options: list[str]) -> argparse.Namespace:
    """The job's arguments; each of `options` becomes a choice, its first value the default."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("images", help="a folder with train/ and validation/")
    parser.add_argument("--weights", required=True, help="InceptionV3's weight file without top")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", required=True, help="the model to write")
    for name, choices in options.items():
        parser.add_argument(f"--{name}", choices=choices, default=choices[0])
    return parser.parse_args()


class Report:
    """Prints a JSON object a line; `parts` collects the seconds of each part of the job."""

    def __init__(self) -> None:
        self.started = self.last = time.perf_counter()
        self.parts: dict[str, float] = {}

    def done(self, part: str) -> None:
        now = time.perf_counter()
        self.parts[part] = self.parts.get(part, 0) + now - self.last
        self.last = now

    def epoch(self, number: int, **figures: float) -> None:
        print(json.dumps({"event": "epoch", "epoch": number, **{k: float(v) for k, v in figures.items()}}), flush=True)

    def end(self) -> None:
        seconds = time.perf_counter() - self.started
        print(json.dumps({"event": "done", "seconds": seconds, "parts": self.parts}), flush=True)
