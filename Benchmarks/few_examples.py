#!/usr/bin/env python3
"""Measures what a few images of each class come to: heads, and augmentation of kept features, on Pocket.

    Benchmarks/few_examples.py                 writes Benchmarks/few-examples.json and FEW_EXAMPLES.md
    Benchmarks/few_examples.py --draws 5       fewer draws; prints and writes nothing

Each draw trains a head on one to five images of each class and measures accuracy on others, by `GraftMeasure few-examples`
(release build). The sets are in the folder of shared images (GRAFT_SHARED, ../shared).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
PROGRAM = Path(os.environ.get("GRAFT_MEASURE", ROOT / ".build/release/GraftMeasure"))
RESULTS, PAGE = ROOT / "Benchmarks/few-examples.json", ROOT / "Benchmarks/FEW_EXAMPLES.md"

#: Name, folder, most classes.
SETS = [
    ("caltech101-small, 20 classes", SHARED / "images/caltech101-small", 20),
    ("cats and dogs", SHARED / "images/cats-and-dogs", 2),
    ("chest X-rays", SHARED / "medical/chest-xray", 2),
]
METHODS = [
    ("plain", []),
    ("plain, brightness 1", ["--feature-augment", "brightness:1"]),
    ("centered", ["--head", "centered"]),
    ("centered, brightness 0.5", ["--head", "centered", "--feature-augment", "brightness:0.5"]),
]
SHOTS = [1, 2, 3, 4, 5]


def measure(folder: Path, classes: int, draws: int, options: list[str], cache: str) -> list[dict]:
    command = [PROGRAM, "few-examples", folder, "--classes", str(classes), "--draws", str(draws),
               "--shots", ",".join(map(str, SHOTS)), *options]
    output = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "XDG_CACHE_HOME": cache})
    return [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]


def table(results: dict, name: str) -> list[str]:
    rows = results["sets"][name]
    lines = [f"| {name} | " + " | ".join(f"{shots}" for shots in SHOTS) + " |", "|---|" + "---:|" * len(SHOTS)]
    plain = rows["plain"]
    for method, measured in rows.items():
        cells = []
        for base, row in zip(plain, measured):
            gain = [100 * (a - b) for a, b in zip(row["accuracies"], base["accuracies"])]
            mean = f"{100 * row['mean']:.1f} ± {100 * row['deviation']:.1f}"
            error = statistics.stdev(gain) / len(gain) ** 0.5 if len(gain) > 1 else 0.0
            cells.append(mean if method == "plain" else f"{mean} ({statistics.mean(gain):+.1f} ± {error:.1f})")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def page(results: dict) -> str:
    lines = [
        "# A few images of each class",
        "",
        "Made by `Benchmarks/few_examples.py`; the numbers are in [few-examples.json](few-examples.json).",
        "",
        f"Accuracy in percent on images that were not trained on, by images of each class: the mean over {results['draws']} draws and "
        "their standard deviation; in brackets the gain over the plain head on the same draws with its standard error. Pocket, "
        "`graft train` without other options: `plain` is its usual head, `centered` is `--head centered`, `brightness` is "
        "`--feature-augment`.",
        "",
    ]
    for name in results["sets"]:
        lines += table(results, name) + [""]
    return "\n".join(lines + results["remarks"]) + "\n"


REMARKS = [
    "Pocket has seen the images of Caltech-101 and the training images of cats and dogs, without their labels, when it was "
    "[made](../Documentation/Pocket.md): those two flatter it, all methods alike. The X-rays are new to it.",
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args()
    results = {"draws": arguments.draws, "shots": SHOTS, "sets": {}, "remarks": REMARKS}
    with tempfile.TemporaryDirectory() as cache:
        for name, folder, classes in SETS:
            if not folder.is_dir():
                sys.exit(f"there is no {folder}; GRAFT_SHARED names the folder of shared images")
            results["sets"][name] = {}
            for method, options in METHODS:
                start = time.time()
                results["sets"][name][method] = measure(folder, classes, arguments.draws, options, cache)
                print(f"{name}, {method}: {time.time() - start:.0f} s", file=sys.stderr)
            print("\n".join(table(results, name)))
    if arguments.draws == 20:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        PAGE.write_text(page(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
