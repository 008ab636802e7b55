#!/usr/bin/env python3
"""Which score tells images unlike those of training, on features of frozen bases: writes Benchmarks/UNKNOWN.md.

    Benchmarks/unknown.py                    needs the release build and numpy; the folder of shared images (GRAFT_SHARED, ../shared)
    Benchmarks/unknown.py --bases pocket     one base

A linear classifier learns a set; images of the set that it did not learn are to be told from those of other sets. Scores: one less the
largest probability, energy, k-nearest neighbours (cosine, of at most 512 images), Mahalanobis distance to the nearest class with one
covariance for all (a tenth shrunk), and the same with 16 directions of its own (what Graft keeps).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from suite import machine

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
GRAFT = Path(os.environ.get("GRAFT", ROOT / ".build/release/graft"))
PAGE = ROOT / "Benchmarks/UNKNOWN.md"
BASES = {
    "pocket": [],
    "inception-v3": ["--weights", SHARED / "weights/inception_v3-2015-12-05-notop.h5", "--input-size", "150", "--cut", "mixed7"],
}
SETS = {
    "pets": "images/cats-and-dogs/train", "other pets": "images/cats-and-dogs/validation", "caltech": "images/caltech101-small",
    "X-rays": "medical/chest-xray/train", "other X-rays": "medical/chest-xray/test",
}
#: What is no pet: the classes of Caltech-101 that are cats or dogs, and the one of anything.
PETS = ("wild_cat", "cougar", "dalmatian", "leopard", "background")
RANK, SHRINKAGE, MOST = 16, 0.1, 1500


def features(base: str, folder: Path) -> tuple[np.ndarray, list[str]]:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "features.npy"
        command = [GRAFT, "features", base, folder, *BASES[base], "--output", path]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
        values = np.load(path).astype(np.float64)
        names = path.with_suffix(".txt").read_text().splitlines()
    # Positions are averaged.
    return (values.mean(axis=(1, 2)) if values.ndim == 4 else values), [Path(name).parent.name for name in names]


def softmax(values):
    powers = np.exp(values - values.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def classifier(values, labels, classes):
    """Softmax regression by gradient descent, on standardized features."""
    weights, bias, wanted = np.zeros((values.shape[1], classes)), np.zeros(classes), np.eye(classes)[labels]
    for _ in range(300):
        error = softmax(values @ weights + bias) - wanted
        weights -= 2 / values.shape[1] ** 0.5 * (values.T @ error / len(values) + 1e-3 * weights)
        bias -= 0.5 * error.mean(0)
    return weights, bias


def scores(training, labels, random):
    """Name to a function that is larger the less an image is like those of training."""
    mean, variance = training.mean(0), training.var(0)
    deviation = np.sqrt(np.maximum(variance, variance.mean() / 100))
    standard = lambda values: (values - mean) / deviation
    known, classes = standard(training), labels.max() + 1
    weights, bias = classifier(known, labels, classes)
    logits = lambda values: standard(values) @ weights + bias
    means = np.stack([known[labels == label].mean(0) for label in range(classes)])
    residual = known - means[labels]
    width, average = known.shape[1], (residual**2).sum() / residual.size
    covariance = (1 - SHRINKAGE) * residual.T @ residual / len(known) + SHRINKAGE * average * np.eye(width)
    whitening = np.linalg.inv(np.linalg.cholesky(covariance)).T
    some = residual[random.permutation(len(residual))[:512]]
    _, singular, directions = np.linalg.svd(some, full_matrices=False)
    own = singular**2 / len(some)
    rank = min(RANK, len(own) - 1)
    inverse = 1 / ((1 - SHRINKAGE) * own[:rank] + SHRINKAGE * average)
    rest = 1 / ((1 - SHRINKAGE) * own[rank:].sum() / (width - rank) + SHRINKAGE * average)

    def mahalanobis(values):
        moved, centres = standard(values) @ whitening, means @ whitening
        return np.stack([((moved - centre) ** 2).sum(1) for centre in centres]).min(0)

    def low_rank(values):
        def distance(centre):
            difference = standard(values) - centre
            along = difference @ directions[:rank].T
            return (along**2 * inverse).sum(1) + rest * ((difference**2).sum(1) - (along**2).sum(1))
        return np.stack([distance(centre) for centre in means]).min(0)

    def neighbours(count):
        unit = lambda values: values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
        kept = unit(training[random.permutation(len(training))[:512]])
        return lambda values: -np.sort(unit(values) @ kept.T, axis=1)[:, -count]

    largest = lambda values: logits(values).max(1, keepdims=True)
    return {
        "1 − largest probability": lambda values: 1 - softmax(logits(values)).max(1),
        "energy": lambda values: -(largest(values)[:, 0] + np.log(np.exp(logits(values) - largest(values)).sum(1))),
        "1 nearest neighbour": neighbours(1), "10 nearest neighbours": neighbours(10), "Mahalanobis": mahalanobis,
        f"Mahalanobis, {RANK} directions": low_rank,
    }


def area(known, unknown) -> float:
    """Under the receiver operating characteristic."""
    ranks = np.argsort(np.argsort(np.concatenate([known, unknown]))) + 1
    return float((ranks[len(known):].sum() - len(unknown) * (len(unknown) + 1) / 2) / (len(known) * len(unknown)))


def false_positives(known, unknown) -> float:
    """The share of unknown images that pass where 95 % of known ones do."""
    return float((unknown <= np.quantile(known, 0.95)).mean())


def pairs(base: str, random):
    """What is learned, with its labels; what is like it; what is not, by name."""
    values = {name: features(base, SHARED / folder) for name, folder in SETS.items()}
    some = lambda rows: random.permutation(rows)[:MOST]
    numbers = lambda names: np.unique(names, return_inverse=True)[1]
    caltech, names = values["caltech"]
    others = caltech[some([row for row, name in enumerate(names) if not any(word in name.lower() for word in PETS)])]
    pets, xrays = values["pets"], values["X-rays"]
    yield "pets", pets[0], numbers(pets[1]), values["other pets"][0], {"caltech": others, "X-rays": values["other X-rays"][0]}
    yield "X-rays", xrays[0], numbers(xrays[1]), values["other X-rays"][0], {"pets": values["other pets"][0], "caltech": others}
    classes = sorted(set(names) - {"BACKGROUND_Google"})
    inside = random.permutation([row for row, name in enumerate(names) if name in classes[:40]])
    half, known = len(inside) // 2, set(classes[:40])
    outside = some([row for row, name in enumerate(names) if name not in known])
    yield ("40 classes of caltech", caltech[inside[:half]], numbers([names[row] for row in inside[:half]]), caltech[inside[half:]],
           {"the other classes": caltech[outside], "pets": values["other pets"][0]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bases", nargs="*", default=list(BASES))
    chosen = parser.parse_args().bases
    lines = ["# Telling what is unlike training", "",
             f"Made by `Benchmarks/unknown.py`. {'; '.join(machine.description().values())}.", "", __doc__.split("\n\n")[2].replace("\n", " "), "",
             "Area under the curve, and the share of strange images that pass where 95 % of the set's own do.", ""]
    for base in chosen:
        columns, table = [], {}
        random = np.random.default_rng(0)
        for name, training, labels, like, unlike in pairs(base, random):
            for score, function in scores(training, labels, random).items():
                own = function(like)
                for other, values in unlike.items():
                    if (column := f"{name} against {other}") not in columns:
                        columns.append(column)
                    found = function(values)
                    table.setdefault(score, []).append(f"{area(own, found):.3f} / {false_positives(own, found):.2f}")
        lines += [f"| {base} | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
        lines += [f"| {score} | " + " | ".join(cells) + " |" for score, cells in table.items()] + [""]
    text = "\n".join(lines)
    print(text)
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
