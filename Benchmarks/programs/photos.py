"""Photos as PyTorch's and OpenVINO's programs read them: decoded ahead by threads, resized as Keras does."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterator

import numpy as np
from PIL import Image


def listed(folder: str | Path) -> tuple[list[Path], np.ndarray]:
    """The pictures of a folder with one folder a class, sorted, and the number of each one's class."""
    classes = sorted(path for path in Path(folder).iterdir() if path.is_dir())
    pairs = [(path, number) for number, part in enumerate(classes) for path in sorted(part.iterdir())]
    return [path for path, _ in pairs], np.array([number for _, number in pairs], dtype=np.float32)


def weights_of(size: int, wanted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each output the two neighbours and the share of the second: half-pixel centres, no antialiasing."""
    position = np.maximum((np.arange(wanted, dtype=np.float32) + 0.5) * (size / wanted) - 0.5, 0)
    first = np.minimum(position.astype(np.int64), size - 1)
    return first, np.minimum(first + 1, size - 1), (position - first).astype(np.float32)


def read(path: Path, size: int) -> np.ndarray:
    """(size, size, 3), 0…255, float32."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    top, bottom, vertical = weights_of(pixels.shape[0], size)
    left, right, horizontal = weights_of(pixels.shape[1], size)
    rows = pixels[np.concatenate([top, bottom])].astype(np.float32)
    # `take` keeps the order in memory, which indexing does not.
    first, second = rows.take(left, axis=1), rows.take(right, axis=1)
    wide = first + (second - first) * horizontal[:, None]
    return wide[:size] + (wide[size:] - wide[:size]) * vertical[:, None, None]


def batches(paths: list[Path], size: int, count: int) -> Iterator[np.ndarray]:
    """(count, size, size, 3) in order, the last with fewer rows; decoded ahead on all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting, ahead = deque(), 4 * count
        remaining = iter(paths)
        rows = []
        for path in remaining:
            waiting.append(pool.submit(read, path, size))
            if len(waiting) >= ahead:
                rows.append(waiting.popleft().result())
            if len(rows) == count:
                yield np.stack(rows)
                rows = []
        for row in waiting:
            rows.append(row.result())
            if len(rows) == count:
                yield np.stack(rows)
                rows = []
        if rows:
            yield np.stack(rows)


def features(paths: list[Path], size: int, count: int, trunk) -> np.ndarray:
    """The trunk's features of all photos; the last batch is filled up, so that a compiled trunk sees one shape."""
    parts = []
    for pixels in batches(paths, size, count):
        missing = count - len(pixels)
        filled = np.concatenate([pixels, np.zeros((missing, *pixels.shape[1:]), np.float32)]) if missing else pixels
        parts.append(np.array(trunk(filled))[: len(pixels)])
    return np.concatenate(parts)
