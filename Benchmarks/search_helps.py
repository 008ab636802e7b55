#!/usr/bin/env python3
"""What `graft search` gives beside `graft train`, the tutorial's recipe and a random search with Keras: writes Benchmarks/SEARCH.md.

    Benchmarks/search_helps.py                       needs the release build; an environment with Keras for the random search
    Benchmarks/search_helps.py --sets cats-and-dogs --minutes 5
    Benchmarks/search_helps.py --page                renews the page from search-helps.json

Each set is divided into training and test images once; all ways learn from the training images and are judged on the test images, which
none sees before. Search and random search have the same minutes and the same weight files. Ways run one after the other, each alone.
Results are kept in search-helps.json by set, way and minutes; what stands there is not measured again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from suite import machine

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
GRAFT = Path(os.environ.get("GRAFT", ROOT / ".build/release/graft"))
RESULTS, PAGE = (ROOT / "Benchmarks" / name for name in ("search-helps.json", "SEARCH.md"))
INCEPTION = SHARED / "weights/inception_v3-2015-12-05-notop.h5"
WEIGHTS = {
    "inception-v3": INCEPTION,
    "mobilenet-v2": SHARED / "weights/mobilenet_v2-1.0-224-top.h5",
    "efficientnet-lite0": SHARED / "weights/efficientnet-lite0/efficientnet_lite0.safetensors",
}
SETS = ("cats-and-dogs", "caltech101, 50 a class", "chest X-rays", "leaves", "cells")
WAYS = ("search", "train", "tutorial", "Keras")


def link(files: list[tuple[Path, str]], folder: Path) -> None:
    for path, label in files:
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / path.name).symlink_to(path.resolve())


def listing(folder: Path) -> list[tuple[Path, str]]:
    return [(path, label.name) for label in sorted(folder.iterdir()) if label.is_dir() and "BACKGROUND" not in label.name
            for path in sorted(label.iterdir())]


def make(name: str, folder: Path) -> None:
    """`folder`/train and `folder`/test, each with a folder a class."""
    if name == "cats-and-dogs":
        parts = {"train": listing(SHARED / "images/cats-and-dogs/train"), "test": listing(SHARED / "images/cats-and-dogs/validation")}
    elif name == "chest X-rays":
        parts = {part: listing(SHARED / "medical/chest-xray" / part) for part in ("train", "test")}
    elif name == "caltech101, 50 a class":
        classes: dict[str, list[Path]] = {}
        for path, label in listing(SHARED / "images/caltech101-small"):
            classes.setdefault(label, []).append(path)
        parts = {"train": [], "test": []}
        for label, paths in classes.items():
            paths.sort(key=lambda path: hashlib.sha256(path.read_bytes()).hexdigest())
            # Half at most, so that small classes are judged too.
            count = min(50, len(paths) // 2)
            parts["train"] += [(path, label) for path in paths[:count]]
            parts["test"] += [(path, label) for path in paths[count:count + 20]]
    else:
        subprocess.run([GRAFT, "sample", name, "--output", folder, "--train", "100", "--validation", "100"], check=True,
                       capture_output=True)
        (folder / "validation").rename(folder / "test")
        return
    for part, files in parts.items():
        link(files, folder / part)


def run(*words: object) -> list[dict]:
    output = subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True)
    return [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]


def measured(way: str, folder: Path, minutes: float) -> dict:
    """The accuracy on the test images, the seconds, and what was chosen."""
    with tempfile.TemporaryDirectory() as place:
        model, start, told = Path(place) / "m.keras", time.monotonic(), {}
        fresh = ["--cache", Path(place) / "cache"]
        if way == "Keras":
            weights = [f"{name}={WEIGHTS[name]}" for name in ("inception-v3", "mobilenet-v2")]
            return run(sys.executable, ROOT / "Benchmarks/programs/keras_random_search.py", folder / "train", folder / "test", minutes, 0,
                       *weights)[-1]
        if way == "search":
            bases = [word for name in ("pocket", *WEIGHTS)
                     for word in ("--base", name + (f"={WEIGHTS[name]}" if name in WEIGHTS else ""))]
            events = run(GRAFT, "search", folder / "train", "--minutes", minutes, *bases, *fresh, "--output", model, "--json")
            kinds = [event["kind"] for event in events if event["event"] == "trial"]
            told = {"judged": len(kinds), "events": [event for event in events if event["event"] not in ("trial", "epoch", "progress")]}
        elif way == "train":
            run(GRAFT, "train", folder / "train", *fresh, "--output", model, "--json")
        else:
            run(GRAFT, "train", folder / "train", "--base", "inception-v3", "--weights", INCEPTION, "--input-size", 150, "--cut", "mixed7",
                "--head", "flatten,dense:1024:relu,dropout:0.2", "--batch-size", 20, "--epochs", 10, *fresh, "--output", model, "--json")
        seconds = time.monotonic() - start
        accuracy = run(GRAFT, "evaluate", model, folder / "test", "--json")[-1]["accuracy"]
        return {"accuracy": accuracy, "seconds": seconds, **told}


def page(rows: list[dict]) -> str:
    lines = ["| set | minutes | " + " | ".join(WAYS) + " | judged, seconds of the search |", "|---|---:|" + "---:|" * (len(WAYS) + 1)]
    for key in dict.fromkeys((row["set"], row["minutes"]) for row in rows):
        own = {row["way"]: row for row in rows if (row["set"], row["minutes"]) == key}
        cells = [f"{own[way]['accuracy']:.4f}" if own.get(way, {}).get("accuracy") is not None else "–" for way in WAYS]
        search = own.get("search", {})
        lines.append(f"| {key[0]} | {key[1]:g} | " + " | ".join(cells)
                     + (f" | {search['judged']}, {search['seconds']:.0f} |" if search else " | – |"))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=";".join(SETS), help="names with semicolons between them")
    parser.add_argument("--ways", default=",".join(WAYS), help="names with commas between them")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    rows = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    for name in [] if options.page else options.sets.split(";"):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            make(name, folder)
            for way in options.ways.split(","):
                key = {"set": name, "way": way, "minutes": options.minutes}
                if not any(key.items() <= row.items() for row in rows):
                    rows.append(key | measured(way, folder, options.minutes))
                    print(json.dumps({name: value for name, value in rows[-1].items() if name != "events"}), flush=True)
                    RESULTS.write_text(json.dumps({"processor": machine.processor(), "rows": rows}, indent=1) + "\n")
    table = page(rows)
    print(table)
    PAGE.write_text("# What a search gives\n\nWritten by `Benchmarks/search_helps.py`, which says what is compared: accuracy on test images "
                    f"that no way saw, so 220 to 1,969 of them. The test images of the chest X-rays differ in quality from those of "
                    "training, which nothing that sees the training images alone can know: the search finds 0.98 there. "
                    f"{machine.processor()}.\n\n{table}\n")


if __name__ == "__main__":
    main()
