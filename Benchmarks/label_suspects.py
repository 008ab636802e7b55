#!/usr/bin/env python3
"""How many wrong labels `graft clean` finds, beside cleanlab: writes Benchmarks/LABELS.md.

    Benchmarks/label_suspects.py            needs the release build, and an environment with cleanlab and scikit-learn
    Benchmarks/label_suspects.py --seeds 1  a shorter run; prints and writes nothing

One label in twenty is flipped at random to another class, in three sets of the folder of shared images (GRAFT_SHARED, ../shared). Graft
trains on them (pocket, its base frozen) and ranks all labels (`--all`). cleanlab judges probabilities of scikit-learn's logistic regression on
the same features, of five folds, as its tutorial does. Both are ranked: the share of flipped labels among the first 8 %, and the average
precision; the seconds are from photos to the list, training and features left out for both.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from suite import machine

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
GRAFT = Path(os.environ.get("GRAFT", ROOT / ".build/release/graft"))
PAGE = ROOT / "Benchmarks/LABELS.md"
#: Name, folder, most classes, most images of a class.
SETS = [("cats and dogs", SHARED / "images/cats-and-dogs/train", 2, 500), ("chest X-rays", SHARED / "medical/chest-xray/train", 2, 500),
        ("20 classes of caltech101", SHARED / "images/caltech101-small", 20, 50)]
FLIPPED, FIRST = 0.05, 0.08


def make(folder: Path, classes: int, most: int, seed: int, target: Path) -> set[str]:
    """Links to the images in folders of classes, one in twenty in a wrong one; returns their paths."""
    names = [path.name for path in sorted(folder.iterdir()) if path.is_dir() and "BACKGROUND" not in path.name][:classes]
    files = [(name, path) for name in names for path in sorted((folder / name).iterdir())[:most]]
    chance = random.Random(seed)
    flipped = set(chance.sample(range(len(files)), round(FLIPPED * len(files))))
    wrong = set()
    for number, (name, path) in enumerate(files):
        label = chance.choice([other for other in names if other != name]) if number in flipped else name
        (target / label).mkdir(parents=True, exist_ok=True)
        link = target / label / f"{name}-{path.name}"
        link.symlink_to(path.resolve())
        if number in flipped:
            wrong.add(str(link))
    return wrong


def graft(*arguments, cache) -> list[dict]:
    output = subprocess.run(list(map(str, [GRAFT, *arguments, "--json"])), check=True, capture_output=True, text=True,
                            env={**os.environ, "XDG_CACHE_HOME": str(cache)})
    return [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]


def judge(ranking: list[str], count: int, wrong: set[str]) -> dict:
    first = ranking[: round(FIRST * count)]
    found, precision = 0, 0.0
    for place, path in enumerate(ranking, 1):
        if path in wrong:
            found += 1
            precision += found / place
    return {"found": sum(path in wrong for path in first) / len(wrong), "precision": precision / len(wrong)}


def measure(name: str, folder: Path, classes: int, most: int, seed: int) -> dict:
    from cleanlab.rank import get_label_quality_scores
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    with tempfile.TemporaryDirectory() as place:
        images, cache = Path(place) / "images", Path(place) / "cache"
        wrong = make(folder, classes, most, seed, images)
        graft("train", images, "--output", Path(place) / "model.keras", "--validation-split", "0.2", cache=cache)
        start = time.monotonic()
        events = graft("clean", images, "--model", Path(place) / "model.keras", "--all", cache=cache)
        seconds = time.monotonic() - start
        suspects = [event["path"] for event in events if event["event"] == "suspect"]
        subprocess.run([GRAFT, "features", "pocket", images, "--output", Path(place) / "f.npy"], check=True, capture_output=True)
        paths = (Path(place) / "f.txt").read_text().splitlines()
        values = np.load(Path(place) / "f.npy")
        labels = np.unique([Path(path).parent.name for path in paths], return_inverse=True)[1]
        start = time.monotonic()
        judged = cross_val_predict(
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), values, labels,
            cv=StratifiedKFold(5, shuffle=True, random_state=seed), method="predict_proba")
        order = np.argsort(get_label_quality_scores(labels, judged, method="normalized_margin"))
        rival = time.monotonic() - start
        return {"graft": {**judge(suspects, len(paths), wrong), "seconds": seconds},
                "cleanlab": {**judge([paths[row] for row in order], len(paths), wrong), "seconds": rival}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    lines = ["# Wrong labels", "",
             f"Made by `Benchmarks/label_suspects.py`. {'; '.join(machine.description().values())}; cleanlab {version('cleanlab')}, "
             f"scikit-learn {version('scikit-learn')}; load {machine.load():.1f} at the start.", "", __doc__.split("\n\n")[2].replace("\n", " "),
             "", f"Means over {seeds} draws.", "",
             "| | | among the first 8 % | average precision | seconds |", "|---|---|---:|---:|---:|"]
    for entry in SETS:
        runs = [measure(*entry, seed) for seed in range(seeds)]
        for who in ("graft", "cleanlab"):
            mean = lambda figure: statistics.mean(run[who][figure] for run in runs)
            lines.append(f"| {entry[0]} | {who} | {100 * mean('found'):.0f} % | {mean('precision'):.2f} | {mean('seconds'):.1f} |")
            print(lines[-1], flush=True)
    if seeds >= 3:
        PAGE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
