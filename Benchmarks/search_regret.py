#!/usr/bin/env python3
"""What `graft search`'s ranking of bases and cuts loses to trying them all, beside other rankings.

    Benchmarks/search_regret.py                       every set at hand, at most 1,000 images of each, every base with weights at
                                                      hand: an hour; writes Benchmarks/search-regret.json and SEARCH_REGRET.md
    Benchmarks/search_regret.py --images 60 --sets leaves,cells --bases pocket      minutes; prints and writes nothing

A set is halved, class by class, by the hash of each file's bytes. Rankings see one half: `graft search --trials 1` (its ridge on
averages, standardized), and in numpy on the same features a ridge with leave-one-out, 5 nearest neighbours, LogME (You et al.,
arXiv:2102.11005), and a list that looks at no image: the base that is best on ImageNet, at its usual cut. The truth is a linear
softmax head on the standardized averages of the first half, the best of three penalties, on the other half; so it favours no
ranking, and all cuts' truths together are the exhaustive run. Regret is what the first choice loses to the best, in points.

Sets are drawn by `graft sample`, or lie in the folder of shared images (GRAFT_SHARED, ../shared); blood cells are cut out along their
boxes, which takes Pillow. The program is that of GRAFT,
else the release build. Weights: `--bases pocket,inception-v3=weights.h5`, those at hand where none are named.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
PROGRAM = Path(os.environ.get("GRAFT", ROOT / ".build/release/graft"))
RESULTS, PAGE = ROOT / "Benchmarks/search-regret.json", ROOT / "Benchmarks/SEARCH_REGRET.md"
SETS = {
    "leaves": None,
    "cells": None,
    "cats-and-dogs": SHARED / "images/cats-and-dogs",
    "caltech101-small": SHARED / "images/caltech101-small",
    "chest-xray": SHARED / "medical/chest-xray",
    "blood-cells": SHARED / "detection/bccd",
}
#: The most images of a set; more are what a search judges by a sample.
MOST = 1000
ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif"}
RANKINGS = ["search", "ridge", "5 nearest", "LogME", "list"]


def graft(*words: object) -> str:
    return subprocess.run([PROGRAM, *map(str, words)], check=True, capture_output=True, text=True).stdout


def halves(folder: Path, most: int) -> tuple[list[tuple[Path, str]], list[tuple[Path, str]]]:
    """The images to rank by and those to judge on: of each class as many, as their hashes say."""
    classes: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in ENDINGS:
            # Copies are one image, so that none lies in both halves.
            classes.setdefault(path.parent.name, {})[hashlib.sha256(path.read_bytes()).hexdigest()] = path
    first, second = [], []
    for name, files in sorted(classes.items()):
        kept = [path for _, path in sorted(files.items())]
        kept = kept[: max(4, most // len(classes))]
        first += [(path, name) for path in kept[: len(kept) // 2]]
        second += [(path, name) for path in kept[len(kept) // 2:]]
    return first, second


def cut_out(source: Path, folder: Path) -> Path:
    """The cells of images of blood along their boxes, a folder a kind; 200 of each at most."""
    from xml.etree import ElementTree

    from PIL import Image

    counts: dict[str, int] = {}
    for annotation in sorted((source / "Annotations").glob("*.xml")):
        image = Image.open(source / "JPEGImages" / f"{annotation.stem}.jpg").convert("RGB")
        for number, found in enumerate(ElementTree.parse(annotation).iter("object")):
            kind = found.findtext("name")
            left, top, right, bottom = (int(found.find("bndbox").findtext(side)) for side in ("xmin", "ymin", "xmax", "ymax"))
            if right - left >= 16 and bottom - top >= 16 and counts.get(kind, 0) < 200:
                counts[kind] = counts.get(kind, 0) + 1
                (folder / kind).mkdir(parents=True, exist_ok=True)
                image.crop((left, top, right, bottom)).save(folder / kind / f"{annotation.stem}-{number}.png")
    return folder


def bases(named: list[str]) -> dict[str, dict]:
    rows = [json.loads(line) for line in graft("bases", "--json").splitlines()]
    known = {row["name"]: row for row in rows}
    if named:
        return {name: known[name.split("=")[0]] | {"file": (name.split("=") + [None])[1]} for name in named}
    return {name: row | {"file": None} for name, row in known.items() if row["built_in"] or any(row["weights"].values())}


def features(base: dict, cut: str, paths: list[Path], folder: Path) -> np.ndarray:
    """The averages of a cut for each image."""
    table, output = folder / "images.csv", folder / "features.npy"
    table.write_text("path\n" + "".join(f'"{path}"\n' for path in paths))
    weights = ["--weights", base["file"]] if base["file"] else []
    graft("features", base["name"], table, "--cut", cut, "--output", output, *weights)
    values = np.load(output)
    names = output.with_suffix(".txt").read_text().splitlines()
    assert names == [str(path) for path in paths], "some images cannot be read; take them out of the set"
    return values.reshape(len(values), -1, values.shape[-1]).mean(axis=1).astype(np.float64)


def standardized(train: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, variance = train.mean(axis=0), train.var(axis=0)
    scale = np.sqrt(np.maximum(variance, variance.mean() * 0.01 + 1e-12))
    return (train - mean) / scale, (other - mean) / scale


def softmax_head(x: np.ndarray, y: np.ndarray, test: np.ndarray, expected: np.ndarray) -> float:
    """The accuracy of a linear softmax head, the best of three penalties: gradient steps with momentum (Nesterov's)."""
    classes, best = y.max() + 1, 0.0
    target = np.eye(classes)[y]
    with_one, test_one = (np.hstack([values, np.ones((len(values), 1))]) for values in (x, test))
    # The loss bends by half of the largest eigenvalue at most.
    smoothness = 0.5 * np.linalg.norm(with_one, 2) ** 2 / len(x)
    for penalty in (0.003, 0.03, 0.3):
        weights = previous = np.zeros((with_one.shape[1], classes))
        shrink = np.full((with_one.shape[1], 1), 2 * penalty)
        shrink[-1] = 0
        for step in range(400):
            ahead = weights + step / (step + 3) * (weights - previous)
            logits = with_one @ ahead
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            slope = with_one.T @ (odds / odds.sum(axis=1, keepdims=True) - target) / len(x) + shrink * ahead
            weights, previous = ahead - slope / (smoothness + 2 * penalty), weights
        best = max(best, float(((test_one @ weights).argmax(axis=1) == expected).mean()))
    return best


def ridge(x: np.ndarray, y: np.ndarray) -> float:
    """Leave-one-out accuracy, the best of the penalties that the search takes."""
    target = 2 * np.eye(y.max() + 1)[y] - 1
    values, vectors = np.linalg.eigh(x @ x.T + 100 * (x ** 2).sum() / len(x))
    best = 0.0
    for penalty in (0.01, 0.1, 0.3, 1, 3, 10, 100):
        inverse = (vectors / (values + penalty * len(x))) @ vectors.T
        left_out = target - inverse @ target / np.diag(inverse)[:, None]
        best = max(best, float((left_out.argmax(axis=1) == y).mean()))
    return best


def nearest(x: np.ndarray, y: np.ndarray, count: int = 5) -> float:
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    products = unit @ unit.T
    np.fill_diagonal(products, -np.inf)
    others = y[np.argsort(-products, axis=1)[:, :count]]
    votes = np.array([np.bincount(row, minlength=y.max() + 1) for row in others])
    return float((votes.argmax(axis=1) == y).mean())


def log_me(x: np.ndarray, y: np.ndarray) -> float:
    """The log of the maximum evidence of a linear model for each class, a mean over classes and images."""
    count, width = x.shape
    left, singular, _ = np.linalg.svd(x, full_matrices=False)
    squares, evidences = singular ** 2, []
    for name in range(y.max() + 1):
        target = (y == name).astype(np.float64)
        parts = (left.T @ target) ** 2
        rest = float(target @ target - parts.sum())
        alpha, beta = 1.0, 1.0
        for _ in range(50):
            shrunk = alpha + beta * squares
            gamma = (beta * squares / shrunk).sum()
            length = (beta ** 2 * squares * parts / shrunk ** 2).sum()
            error = (alpha ** 2 * parts / shrunk ** 2).sum() + rest
            before = alpha / beta
            alpha, beta = gamma / (length + 1e-12), (count - gamma) / (error + 1e-12)
            if abs(alpha / beta - before) < 1e-5 * before:
                break
        shrunk = alpha + beta * squares
        evidence = (width * np.log(alpha) + count * np.log(beta) - count * np.log(2 * np.pi)
                    - beta * error - alpha * length - np.log(shrunk).sum() - (width - len(squares)) * np.log(alpha))
        evidences.append(evidence / 2 / count)
    return float(np.mean(evidences))


def searched(known: dict[str, dict], half: list[tuple[Path, str]], folder: Path) -> tuple[dict, float]:
    """The accuracies that `graft search` ranks cuts by, and its seconds."""
    table = folder / "half.csv"
    table.write_text("path,label,split\n" + "".join(f'"{path}",{name},train\n' for path, name in half))
    words = [word for row in known.values()
             for word in ("--base", row["name"] + (f"={row['file']}" if row["file"] else ""))]
    start = time.time()
    lines = graft("search", table, "--trials", 1, *words, "--json", "--cache", "temporary", "--output", folder / "best.keras")
    scores: dict[tuple[str, str], float] = {}
    for event in map(json.loads, lines.splitlines()):
        # Averages, standardized, are what the truth is of; a vector has no pooling.
        if event["event"] == "trial" and event["kind"] == "ridge" and event["scaling"] == "standardize" \
                and event["pooling"] in ("average", None) and len(event["cuts"]) == 1:
            key = (event["base"], event["cuts"][0])
            scores[key] = max(scores.get(key, 0.0), event["accuracy"])
    return scores, time.time() - start


def regrets(name: str, source: Path | None, known: dict[str, dict], most: int) -> dict:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if source is None:
            source = folder / name
            graft("sample", name, "--output", source, "--train", max(most // 5, 4), "--validation", 0)
        elif name == "blood-cells":
            source = cut_out(source, folder / name)
        first, second = halves(source, most)
        classes = sorted({label for _, label in first})
        y, expected = (np.array([classes.index(label) for _, label in half]) for half in (first, second))
        truth: dict[tuple[str, str], float] = {}
        scores: dict[str, dict[tuple[str, str], float]] = {ranking: {} for ranking in RANKINGS}
        start, usual = time.time(), max(known.values(), key=lambda row: row["top_1"] or 0)
        for row in known.values():
            for cut in row["cuts"]:
                values = features(row, cut, [path for path, _ in first + second], folder)
                x, test = standardized(values[: len(first)], values[len(first):])
                key = (row["name"], cut)
                truth[key] = softmax_head(x, y, test, expected)
                scores["ridge"][key], scores["5 nearest"][key] = ridge(x, y), nearest(x, y)
                scores["LogME"][key] = log_me(x, y)
                scores["list"][key] = float(row is usual and cut == row["default_cut"])
        exhaustive = time.time() - start
        scores["search"], seconds = searched(known, first, folder)
    best = max(truth.values())
    lost = {ranking: 100 * (best - truth[max(own, key=own.get)]) for ranking, own in scores.items()}
    return {"set": name, "images": len(first), "classes": len(classes), "cuts": len(truth), "best": best, "regret": lost,
            "seconds": {"exhaustive": exhaustive, "search": seconds}}


def page(rows: list[dict]) -> str:
    lines = ["| set | images | cuts | best | " + " | ".join(RANKINGS) + " | seconds: all, search |",
             "|---|---:|---:|---:|" + "---:|" * (len(RANKINGS) + 1)]
    for row in rows:
        lost = " | ".join(f"{row['regret'][ranking]:.2f}" for ranking in RANKINGS)
        lines.append(f"| {row['set']} | {row['images']} | {row['cuts']} | {row['best']:.4f} | {lost} | "
                     f"{row['seconds']['exhaustive']:.0f}, {row['seconds']['search']:.0f} |")
    for word, of in (("mean", statistics.mean), ("worst", max)):
        lost = " | ".join(f"{of(row['regret'][ranking] for row in rows):.2f}" for ranking in RANKINGS)
        lines.append(f"| {word} | | | | {lost} | |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(SETS), help="names with commas between them")
    parser.add_argument("--bases", default="", help="names, or names=weights, with commas between them")
    parser.add_argument("--images", type=int, default=MOST, help="the most images of a set; another number than %(default)s prints and writes nothing")
    options = parser.parse_args()
    known = bases([name for name in options.bases.split(",") if name])
    rows = []
    for name in options.sets.split(","):
        if SETS[name] is not None and not SETS[name].is_dir():
            print(f"{name} is left out, as it is not at hand")
            continue
        rows.append(regrets(name, SETS[name], known, options.images))
        print(json.dumps(rows[-1]), flush=True)
    table = page(rows)
    print(table)
    if options.images == MOST and options.sets == ",".join(SETS):
        RESULTS.write_text(json.dumps({"bases": list(known), "rows": rows}, indent=1) + "\n")
        PAGE.write_text("# Regret of the search's ranking\n\nWritten by `Benchmarks/search_regret.py`, which says what is "
                        f"compared. Bases: {', '.join(known)}.\n\n{table}\n")


if __name__ == "__main__":
    main()
