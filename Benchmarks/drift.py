#!/usr/bin/env python3
"""How often `graft report --compare` finds that new images have changed, and how often it says so without cause: writes Benchmarks/DRIFT.md.

    Benchmarks/drift.py             needs the release build and an environment with Pillow
    Benchmarks/drift.py --draws 2   a shorter run; prints and writes nothing

A model of each of three sets of the folder of shared images (GRAFT_SHARED, ../shared) is trained by `graft train` as it is by default.
Of images that it did not see, one half in each draw is old; the new ones are, without cause, the other half as it is, and, with a cause,
100 of the other half that are blurred, of another camera (its colours), darker, or of another set altogether.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageEnhance, ImageFilter

from suite import machine

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
GRAFT = Path(os.environ.get("GRAFT", ROOT / ".build/release/graft"))
PAGE = ROOT / "Benchmarks/DRIFT.md"
COUNT = 100
CLEAN = "none: the other half"


def colours(image: Image.Image) -> Image.Image:
    """A sensor with a warmer white balance: a tenth more red, a tenth less blue."""
    red, green, blue = image.split()
    return Image.merge("RGB", (red.point(lambda value: value * 1.1), green, blue.point(lambda value: value * 0.9)))


CHANGES = {
    "blurred, radius 1.5": lambda image: image.filter(ImageFilter.GaussianBlur(1.5)),
    "colours of another camera": colours,
    "darker by a third": lambda image: ImageEnhance.Brightness(image).enhance(2 / 3),
}


def images(name: str) -> tuple[list[Path], list[Path]]:
    """To train on, and to judge on."""
    if name == "cats and dogs":
        folder = SHARED / "images/cats-and-dogs"
        return sorted((folder / "train").rglob("*.jpg")), sorted((folder / "validation").rglob("*.jpg"))
    if name == "chest X-rays":
        folder = SHARED / "medical/chest-xray"
        return [sorted(path for path in (folder / part).rglob("*") if path.is_file()) for part in ("train", "test")]
    training, other = [], []
    for label in sorted((SHARED / "images/caltech101-small").iterdir())[1:41]:
        if label.is_dir():
            paths = sorted(label.iterdir())
            training, other = training + paths[:20], other + paths[20:30]
    return training, other


def saved(image: Image.Image, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.convert("RGB").save(path)
    return path


def compare(model: Path, old: list[Path], new: list[Path], folder: Path) -> dict:
    """What is said of the new images."""
    table = folder / "old.csv"
    table.write_text("path,label\n" + "".join(f'"{path}",{path.parent.name}\n' for path in old))
    output = subprocess.run(
        [GRAFT, "report", model, table, "--compare", "-", "--no-audit", "--json", "--output", folder / "page.html"],
        input="".join(f"{path}\n" for path in new), check=True, capture_output=True, text=True)
    return next(event for event in map(json.loads, output.stdout.splitlines()) if event["event"] == "drift")


def measure(name: str, other: str, draws: int) -> dict[str, int]:
    """How often a change is said to be there, by what was done."""
    training, judged = images(name)
    strange = images(other)[1]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for path in training:
            (folder / "train" / path.parent.name).mkdir(parents=True, exist_ok=True)
            (folder / "train" / path.parent.name / path.name).symlink_to(path.resolve())
        subprocess.run([GRAFT, "train", folder / "train", "--output", folder / "m.keras"], check=True, capture_output=True)
        found = {CLEAN: 0, **dict.fromkeys(CHANGES, 0), "another set": 0}
        for draw in range(draws):
            mixed = random.Random(draw).sample(judged, len(judged))
            old, new = mixed[: len(mixed) // 2], mixed[len(mixed) // 2:]
            found[CLEAN] += compare(folder / "m.keras", old, new, folder)["found"]
            found["another set"] += compare(folder / "m.keras", old, random.Random(draw).sample(strange, COUNT), folder)["found"]
            # All as PNG: a file format of its own would give the changed ones away.
            plain = [saved(Image.open(path), folder / f"old-{draw}" / path.parent.name / f"{number}.png")
                     for number, path in enumerate(old)]
            for change, apply in CHANGES.items():
                changed = [saved(apply(Image.open(path).convert("RGB")), folder / f"new-{draw}" / f"{number}.png")
                           for number, path in enumerate(new[:COUNT])]
                found[change] += compare(folder / "m.keras", plain, changed, folder)["found"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=14)
    draws = parser.parse_args().draws
    sets = ["cats and dogs", "chest X-rays", "caltech101"]
    rows = {name: measure(name, sets[(place + 1) % 3], draws) for place, name in enumerate(sets)}
    lines = [f"| what was done | {' | '.join(sets)} |", "|---|" + "---:|" * len(sets)]
    for change in rows[sets[0]]:
        lines.append(f"| {change} | " + " | ".join(f"{rows[name][change]} of {draws}" for name in sets) + " |")
    print("\n".join(lines))
    if draws >= 14:
        PAGE.write_text("# New images that have changed\n\nWritten by `Benchmarks/drift.py`, which says what is compared: how often "
                        f"`graft report --compare` calls the new images changed. {machine.processor()}.\n\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
