#!/usr/bin/env python3
"""Whether augmentation helps, and what kept views cost and bring beside live ones: writes Benchmarks/AUGMENTATION.md.

    Benchmarks/augmentation_helps.py            needs the release build and an environment with Keras (Scripts/python-environment)
    Benchmarks/augmentation_helps.py --page     renews the page from augmentation-helps.json

Cats and dogs of the folder of shared images (GRAFT_SHARED, ../shared): 20, 100 and 1,000 training photos, drawn by a seed, three
draws each; the 399 of validation. InceptionV3 cut at mixed7, 150 pixels, the tutorial's head. Plain; with 8 kept views of each
photo; with new views in each epoch (live), by Graft and by Keras's layers. What stands in augmentation-helps.json is not measured
again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from suite import machine

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
GRAFT = Path(os.environ.get("GRAFT", ROOT / ".build/release/graft"))
RESULTS, PAGE, CHART = (ROOT / "Benchmarks" / name for name in ("augmentation-helps.json", "AUGMENTATION.md", "augmentation.svg"))
PHOTOS = SHARED / "images/cats-and-dogs"
WEIGHTS = SHARED / "weights/inception_v3-2015-12-05-notop.h5"
#: Shear is in degrees, as in Keras's ImageDataGenerator.
RECIPE = "flip,rotate:40,shift:0.2,shear:11.3,zoom:0.2"
SIZES, SEEDS, EPOCHS, VIEWS = (20, 100, 1000), (0, 1, 2), 40, 8
MODES = ("plain", "kept", "live")


def draw(size: int, seed: int, folder: Path) -> None:
    """Links to `size` photos, as many of each class, and to all of validation."""
    for label in ("cats", "dogs"):
        files = sorted((PHOTOS / "train" / label).iterdir())
        (folder / "train" / label).mkdir(parents=True)
        for path in random.Random(f"{seed} {label}").sample(files, size // 2):
            (folder / "train" / label / path.name).symlink_to(path.resolve())
    (folder / "validation").symlink_to((PHOTOS / "validation").resolve())


def graft(size: int, seed: int, mode: str) -> dict:
    with tempfile.TemporaryDirectory() as place:
        folder, cache = Path(place) / "photos", Path(place) / "cache"
        draw(size, seed, folder)
        options = {"plain": [], "kept": ["--augment", RECIPE, "--views", str(VIEWS)],
                   "live": ["--augment", RECIPE, "--cache", "none"]}[mode]
        command = [GRAFT, "train", folder, "--base", "inception-v3", "--weights", WEIGHTS, "--input-size", "150", "--cut", "mixed7",
                   "--head", "flatten,dense:1024:relu,dropout:0.2", "--batch-size", "20", "--epochs", str(EPOCHS), "--seed", str(seed),
                   "--resize", "antialias", "--output", Path(place) / "m.keras", "--json", *options]
        start = time.monotonic()
        output = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True,
                                env={**os.environ, "XDG_CACHE_HOME": str(cache)})
        seconds = time.monotonic() - start
        events = [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]
        epochs = [event for event in events if event["event"] == "epoch"]
        disk = sum(file.stat().st_blocks * 512 for file in cache.rglob("*") if file.is_file())
        said = [event["bytes_at_most"] for event in events if event["event"] == "features-needed"]
        return {"val": [event["val_accuracy"] for event in epochs], "train": [event["accuracy"] for event in epochs],
                "seconds": seconds, "disk": disk, "said": said}


def keras(size: int, seed: int, epochs: int) -> dict:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "photos"
        draw(size, seed, folder)
        start = time.monotonic()
        output = subprocess.run(
            [sys.executable, ROOT / "Benchmarks/programs/keras_augmented.py", folder, WEIGHTS, str(epochs), str(seed)],
            check=True, capture_output=True, text=True)
        return {**json.loads(output.stdout.splitlines()[-1]), "whole": time.monotonic() - start}


def measure(results: dict) -> None:
    # The slow ones last.
    jobs = [(size, mode, seed) for mode in ("plain", "kept") for size in SIZES for seed in SEEDS]
    jobs += [(1000, "live", 0), (1000, "keras", 0)]
    jobs += [(size, mode, seed) for seed in SEEDS for size in (100, 20) for mode in ("live", "keras")]
    jobs += [(1000, "live", seed) for seed in SEEDS[1:]]
    for size, mode, seed in jobs:
        key = f"{size} {mode} {seed}"
        if key in results["runs"]:
            continue
        # Of Keras on 1,000 photos, two epochs say what forty would take.
        epochs = EPOCHS if size <= 100 else 2
        results["runs"][key] = keras(size, seed, epochs) if mode == "keras" else graft(size, seed, mode)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        print(key, {name: value if not isinstance(value, list) else value[-1:] for name, value in results["runs"][key].items()},
              flush=True)


def last(run: dict, name: str) -> float:
    """The mean of the last five epochs, which one epoch's luck moves less."""
    return statistics.mean(run[name][-5:])


def cell(values: list[float]) -> str:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{100 * statistics.mean(values):.1f} ± {100 * spread:.1f}"


def page(results: dict) -> str:
    runs = results["runs"]
    lines = ["# Whether augmentation helps", "", f"Made by `Benchmarks/augmentation_helps.py`. {results['machine']}", "",
             __doc__.split("\n\n")[2].replace("\n", " "), "",
             f"The recipe is `{RECIPE}`; {EPOCHS} epochs. Accuracy in percent over the last five epochs, mean and standard deviation over "
             "draws; the gap is training less validation. Seconds are of the whole command, from an empty cache.", "",
             "| photos | | validation | gap | seconds | features on disk |", "|---:|---|---:|---:|---:|---:|"]
    names = {"plain": "none", "kept": f"{VIEWS} kept views", "live": "live views", "keras": "live views, Keras"}
    for size in SIZES:
        for mode, name in names.items():
            rows = [runs[key] for seed in SEEDS if (key := f"{size} {mode} {seed}") in runs]
            if not rows:
                continue
            if mode == "keras" and size > 100:
                seconds = EPOCHS * statistics.mean(rows[0]["epoch_seconds"][1:])
                lines.append(f"| {size} | {name} | | | {seconds:,.0f} (of its second epoch) | |")
                continue
            gap = statistics.mean(last(row, "train") - last(row, "val") for row in rows)
            disk = statistics.mean(row.get("disk", 0) for row in rows) / 1e6
            seconds = statistics.mean(row["seconds"] for row in rows)
            lines.append(f"| {size} | {name} | {cell([last(row, 'val') for row in rows])} | {100 * gap:+.1f} | {seconds:,.0f} | "
                         + (f"{disk:,.0f} MB |" if disk > 1 else "|"))
    return "\n".join(lines) + "\n\n![Validation accuracy by the number of photos](augmentation.svg)\n"


def chart(results: dict) -> str:
    """Validation accuracy by the number of photos, a line a mode."""
    import math

    runs, colours = results["runs"], {"plain": "#6e7781", "kept": "#0969da", "live": "#bc4c00"}
    values = {mode: [(size, statistics.mean(last(runs[key], "val") for seed in SEEDS if (key := f"{size} {mode} {seed}") in runs))
                     for size in SIZES if f"{size} {mode} 0" in runs] for mode in MODES}
    low = min(value for line in values.values() for _, value in line) - 0.02
    x = lambda size: 70 + 460 * math.log(size / 20) / math.log(50)
    y = lambda value: 30 + 240 * (1 - (value - low) / (1 - low))
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 330" width="680" height="330" font-family="sans-serif" font-size="12">',
             '<rect width="680" height="330" fill="#ffffff"/>']
    for tick in range(math.ceil(low * 20), 21):
        parts.append(f'<line x1="70" x2="530" y1="{y(tick / 20):.1f}" y2="{y(tick / 20):.1f}" stroke="#d1d9e0"/>'
                     f'<text x="62" y="{y(tick / 20) + 4:.1f}" text-anchor="end">{5 * tick} %</text>')
    for size in SIZES:
        parts.append(f'<text x="{x(size):.1f}" y="292" text-anchor="middle">{size}</text>')
    parts.append('<text x="300" y="316" text-anchor="middle">training photos</text>')
    for row, (mode, line) in enumerate(values.items()):
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in line)
        name = {"plain": "no augmentation", "kept": "8 kept views", "live": "live views"}[mode]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colours[mode]}" stroke-width="2"/>'
                     f'<text x="545" y="{200 + 20 * row}" fill="{colours[mode]}">{name}</text>')
    return "\n".join(parts + ["</svg>"]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="store_true", help="renew the page alone")
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"runs": {}}
    if not options.page:
        results["machine"] = "; ".join(machine.description().values()) + f"; load {machine.load():.1f} at the start."
        measure(results)
    PAGE.write_text(page(results))
    CHART.write_text(chart(results))


if __name__ == "__main__":
    main()
