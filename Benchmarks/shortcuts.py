#!/usr/bin/env python3
"""Whether `graft report` flags what gives a class away, and nothing else: writes Benchmarks/SHORTCUTS.md.

    Benchmarks/shortcuts.py             needs the release build and Pillow
    Benchmarks/shortcuts.py --splits 3  a shorter run; prints and writes nothing

400 photos of cats and dogs of the folder of shared images (GRAFT_SHARED, ../shared) are divided into two classes by chance, so that
nothing tells them apart: what is flagged then is a false alarm. Then one class is made brighter by 30 of 255, or saved as JPEG of
quality 60 where the other has 90, and the report must say so. A model (pocket, one epoch) is trained on each.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

from suite import machine

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
GRAFT = Path(os.environ.get("GRAFT", ROOT / ".build/release/graft"))
PAGE = ROOT / "Benchmarks/SHORTCUTS.md"
COUNT = 400
#: What is done to class a, and the properties of which one must be flagged.
FAULTS = {
    "brighter by 30": (lambda image: image.point(lambda value: min(value + 30, 255)), 90, {"brightness"}),
    "JPEG quality 60": (lambda image: image, 60, {"jpeg_quality"}),
}


def write(target: Path, seed: int, change=None, quality: int = 90) -> None:
    files = sorted((SHARED / "images/cats-and-dogs").rglob("*.jpg"))
    for number, path in enumerate(random.Random(seed).sample(files, COUNT)):
        label = "ab"[number % 2]
        (target / label).mkdir(parents=True, exist_ok=True)
        image = Image.open(path).convert("RGB")
        if label == "a" and change:
            image = change(image)
        image.save(target / label / f"{number:03}.jpg", quality=quality if label == "a" else 90)


def flagged(seed: int, *fault) -> list[str]:
    with tempfile.TemporaryDirectory() as place:
        images, model = Path(place) / "images", Path(place) / "model.keras"
        write(images, seed, *fault)
        run = lambda *arguments: subprocess.run(
            list(map(str, [GRAFT, *arguments])), check=True, capture_output=True, text=True,
            env={**os.environ, "XDG_CACHE_HOME": f"{place}/cache"}).stdout
        run("train", images, "--epochs", 1, "--validation-split", 0.25, "--output", model)
        events = [json.loads(line) for line in run("report", model, images, "--no-audit", "--json").splitlines()]
        return [event["property"] for event in events if event["event"] == "shortcut"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=20)
    count = parser.parse_args().splits
    alarms = [found for seed in range(count) if (found := flagged(seed))]
    lines = ["# What gives a class away", "", f"Made by `Benchmarks/shortcuts.py`. {'; '.join(machine.description().values())}.", "",
             __doc__.split("\n\n")[2].replace("\n", " "), "", "| | splits | flagged |", "|---|---:|---:|",
             f"| nothing tells the classes apart | {count} | {len(alarms)} |"]
    for name, (change, quality, wanted) in FAULTS.items():
        found = sum(bool(wanted & set(flagged(seed, change, quality))) for seed in range(max(count // 4, 1)))
        lines.append(f"| {name} | {max(count // 4, 1)} | {found} |")
    print("\n".join(lines))
    if count >= 20:
        PAGE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
