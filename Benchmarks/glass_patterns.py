"""Glass patterns (L. Glass, Nature 223, 1969): pairs of dots whose directions, all together, make a figure.

No pair tells anything and no dot stands anywhere special; the class lies in how the directions of pairs go with their
places: away from a centre, around it, or spiralling one way or the other. Part of the pairs points anywhere. Nothing in
ImageNet looks so.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 96
PAIRS = 180
DISTANCE = 5.0
"""Of the dots of a pair, in pixels."""
COHERENCE = 0.7
"""The share of pairs that follow the figure."""
FIGURES = {"radial": 0.0, "circular": np.pi / 2, "spiral-left": np.pi / 4, "spiral-right": -np.pi / 4}
"""The angle between a pair and the ray from the centre through its middle."""


def glass_pattern(random: np.random.Generator, angle: float) -> np.ndarray:
    """A picture in gray, `SIZE` squared, 0 to 255."""
    centre = SIZE / 2 + random.uniform(-12, 12, 2)
    middle = random.uniform(4, SIZE - 4, (PAIRS, 2))
    direction = np.arctan2(*(middle - centre).T[::-1]) + angle
    stray = random.uniform(size=PAIRS) > COHERENCE
    direction[stray] = random.uniform(0, 2 * np.pi, stray.sum())
    step = DISTANCE / 2 * np.stack([np.cos(direction), np.sin(direction)], axis=1)
    picture = np.full((SIZE, SIZE), 127.0)
    for dots in (middle - step, middle + step):
        column, row = np.clip(dots.round().astype(int), 0, SIZE - 2).T
        for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
            picture[row + down, column + right] = 240
    return np.clip(picture + random.normal(0, 10, picture.shape), 0, 255).astype(np.uint8)


def draw_glass_patterns(folder: Path, seed: int = 1) -> None:
    """Writes train/, validation/ and test/ with a folder for each figure: 200, 100 and 100 pictures of each."""
    random = np.random.default_rng(seed)
    for part, count in (("train", 200), ("validation", 100), ("test", 100)):
        for name, angle in FIGURES.items():
            place = folder / part / name
            place.mkdir(parents=True)
            for number in range(count):
                picture = Image.fromarray(glass_pattern(random, angle)).convert("RGB")
                picture.save(place / f"{number:04}.png")
