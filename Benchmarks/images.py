#!/usr/bin/env python3
"""How fast images become batches, beside Keras (tf.data) and torchvision, in turns: writes Benchmarks/IMAGES.md.

    Benchmarks/images.py                 needs the release build of GraftMeasure and the rivals' environment
    Benchmarks/images.py --rounds 1      a shorter run; prints and writes nothing

Photos are in the folder of shared images (GRAFT_SHARED, ../shared). Large photos are made of them: enlarged to 4000 × 3000
pixels, JPEG of quality 90.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from suite import machine
from suite.processes import measure

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
PROGRAM = Path(os.environ.get("GRAFT_MEASURE", ROOT / ".build/release/GraftMeasure"))
PROGRAMS = ROOT / "Benchmarks/programs"
PAGE = ROOT / "Benchmarks/IMAGES.md"
SIZE, PASSES = 150, 3
#: Shear is in degrees, as in Keras's ImageDataGenerator; its layer takes the tangent, 0.2.
RECIPE = "flip,rotate:40,shift:0.2,shear:11.3,zoom:0.2"


def prepare(photos: Path, large: Path, small: Path) -> None:
    """24 photos of 12 megapixels, and 1,000 of 150 × 150 without compression."""
    from PIL import Image

    files = sorted((SHARED / "images/cats-and-dogs/train").rglob("*.jpg"))
    for number, path in enumerate(files[:: len(files) // 24][:24]):
        Image.open(path).convert("RGB").resize((4000, 3000), Image.BICUBIC).save(large / f"{number}.jpg", quality=90)
    for number, path in enumerate(files):
        Image.open(path).convert("RGB").resize((SIZE, SIZE), Image.BILINEAR).save(small / f"{number:04}.bmp")
        (photos / f"{number:04}.jpg").symlink_to(path.resolve())


def contests(photos: Path, large: Path, small: Path) -> dict[str, dict[str, list]]:
    """What is compared: a command for each contestant, Graft's first."""
    def graft(folder, *options):
        return [PROGRAM, "images", folder, "--size", SIZE, "--passes", PASSES, *options]

    def keras(mode, folder):
        return [sys.executable, PROGRAMS / "keras_images.py", mode, folder, SIZE, PASSES]

    cache = ("--augment", RECIPE, "--cache-limit", 200_000_000)
    return {
        "photos, Keras's numbers": {"Graft": graft(photos), "Keras": keras("decode", photos)},
        "photos of 12 megapixels, any numbers": {
            "Graft `reduced`": graft(large, "--resize", "reduced"), "Keras": keras("decode", large)},
        "photos of 12 megapixels, Keras's numbers": {"Graft": graft(large), "Keras": keras("decode", large)},
        "augmentation of images in memory": {
            "Graft": graft(small, *cache), "Keras": keras("augment", small),
            "torchvision v2": [sys.executable, PROGRAMS / "torch_images.py", "augment", small, SIZE, PASSES]},
        "photos, decoded and augmented": {
            "Graft": graft(photos, "--augment", RECIPE), "Keras": keras("pipeline", photos)},
    }


def page(results: dict[str, dict[str, list[dict]]], rounds: int) -> str:
    about = "; ".join(machine.description().values()) + f"; load {machine.load():.1f} at the end."
    lines = [
        "# How fast images become batches", "",
        f"Made by `Benchmarks/images.py`. {about}", "",
        f"Images a second, and a second of processor time, which other programs on the machine change less: the median of {rounds} "
        f"processes in turns, each the median of {PASSES} passes after a warm-up. {SIZE} × {SIZE} pixels, batches of 32. The recipe is "
        f"`{RECIPE}`; Keras has layers of the same names.", "",
        "| | contestant | images/s | faster by | images/processor-s | faster by |", "|---|---|---:|---:|---:|---:|",
    ]
    for contest, rows in results.items():
        medians = {name: [statistics.median(run[key] for run in runs) for key in ("rates", "processor")]
                   for name, runs in rows.items()}
        best = next(iter(medians.values()))
        for name, values in medians.items():
            cells = [f"{value:,.0f} | {'' if name.startswith('Graft') else f'{top / value:.1f} ×'}"
                     for value, top in zip(values, best)]
            lines.append(f"| {contest} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        folders = [Path(folder) / name for name in ("photos", "large", "small")]
        for each in folders:
            each.mkdir()
        prepare(*folders)
        results: dict[str, dict[str, list[dict]]] = {}
        for _ in range(rounds):
            for contest, rows in contests(*folders).items():
                for name, command in rows.items():
                    run = measure([str(part) for part in command])
                    medians = {key: statistics.median(run.answer[key]) for key in ("rates", "processor")}
                    results.setdefault(contest, {}).setdefault(name, []).append(medians)
    text = page(results, rounds)
    print(text)
    if rounds >= 3:
        PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
