#!/usr/bin/env python3
"""Measures what the audit's perceptual hash takes for the same: the numbers of Documentation/Data.md.

    $(Scripts/python-environment) Benchmarks/perceptual_hash.py FOLDER…

The hash of Sources/GraftImages/Audit/PerceptualHash.swift, written again with Pillow and numpy. For each folder: which share of
400 images is found again after a change, and which pairs of different images are taken for the same.
"""

import io
import random
import sys
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageEnhance, ImageOps

SIDE, KEPT, BITS, CORRELATION = 32, 8, 6, 0.98
SCALE = np.sqrt(np.where(np.arange(KEPT) == 0, 1, 2) / SIDE)[:, None]
COSINES = SCALE * np.cos(np.pi * np.outer(np.arange(KEPT), 2 * np.arange(SIDE) + 1) / (2 * SIDE))


def look(image):
    """The bits of the hash, the 16 × 16 means, and the bits of dHash for comparison."""
    grey = image.convert("L")
    # Pillow's bilinear filter is the triangle with antialiasing.
    pixels = np.asarray(grey.resize((SIDE, SIDE), Image.BILINEAR), dtype=np.float64)
    low = (COSINES @ pixels @ COSINES.T).ravel()[1:]
    blocks = pixels.reshape(16, 2, 16, 2).mean(axis=(1, 3)).ravel()
    steps = np.asarray(grey.resize((9, 8), Image.BILINEAR), dtype=np.float64)
    return low > np.median(low), blocks, (steps[:, 1:] > steps[:, :-1]).ravel()


def changes(image):
    width, height = image.size
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=50)
    x, y = width // 50, height // 50
    return {
        "JPEG at quality 50": Image.open(jpeg),
        "half the size": image.resize((max(1, width // 2), max(1, height // 2)), Image.BICUBIC),
        "a fifth brighter, clipped": ImageEnhance.Brightness(image).enhance(1.2),
        "contrast × 1.3": ImageEnhance.Contrast(image).enhance(1.3),
        "2 % cropped from each side": image.crop((x, y, width - x, height - y)),
        "mirrored": ImageOps.mirror(image),
    }


def distances(bits):
    bits = np.array(bits, dtype=np.float32)
    ones = bits.sum(1)
    return ones[:, None] + ones[None, :] - 2 * bits @ bits.T


def measure(folder, count=1400, changed=400):
    random.seed(0)
    suffixes = {".jpg", ".jpeg", ".png"}
    paths = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in suffixes)
    random.shuffle(paths)
    looks, found = [], {}
    for number, path in enumerate(paths[:count]):
        image = Image.open(path).convert("RGB")
        looks.append(look(image))
        if number >= changed:
            continue
        for name, other in changes(image).items():
            bits, blocks, _ = look(other)
            same = (bits != looks[-1][0]).sum() <= BITS
            found.setdefault(name, []).append(same and np.corrcoef(blocks, looks[-1][1])[0, 1] >= CORRELATION)
    print(f"{folder}: {len(looks)} images")
    for name, same in found.items():
        print(f"  {name}: {np.mean(same):.3f}")
    upper = np.triu_indices(len(looks), 1)
    near = distances([one[0] for one in looks])[upper] <= BITS
    dhash = distances([one[2] for one in looks])[upper] <= BITS
    correlations = np.corrcoef(np.array([one[1] for one in looks]))[upper]
    both = near & (correlations >= CORRELATION)
    print(f"  of {len(near)} pairs: hash alone {near.sum()}, with correlation {both.sum()}, dHash alone {dhash.sum()}")
    for pair in np.flatnonzero(both)[:5]:
        print(f"    {paths[upper[0][pair]]} and {paths[upper[1][pair]]}")


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    print(f"Pillow {PIL.__version__}, numpy {np.__version__}")
    for argument in sys.argv[1:]:
        measure(argument)
