#!/usr/bin/env python3
"""Writes what TensorFlow and Pillow make of small pictures when they resize them: Fixtures/resize.json of the images' tests.

The pictures are formulas, so the file holds sizes and expected values alone: the value at row y, column x, channel c is
(37 y + 101 x + 59 c + x y) mod 256. For a few of the shared photos, which must be there to write the file, it holds sums.
"""

from __future__ import annotations

import sys

import common

FIXTURE = common.ROOT / "Tests/GraftImagesTests/Fixtures/resize.json"

#: Input height, width, channels; output height, width. Shrinking, enlarging, both, by whole and odd factors, edges.
CASES = [
    (5, 7, 3, 3, 4),
    (5, 7, 3, 11, 13),
    (13, 9, 3, 4, 20),
    (40, 31, 3, 7, 6),
    (31, 40, 1, 6, 7),
    (9, 5, 1, 20, 3),
    (1, 1, 3, 3, 3),
    (1, 8, 3, 4, 2),
    (8, 1, 3, 2, 4),
    (2, 2, 3, 4, 4),
    (6, 6, 3, 6, 6),
    (64, 48, 3, 15, 15),
    (3, 200, 3, 2, 7),
    (7, 5, 3, 1, 1),
]


def picture(height: int, width: int, channels: int):
    import numpy as np

    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    return ((37 * y + 101 * x + 59 * c + x * y) % 256).astype(np.uint8)


def resized(case: tuple[int, ...]) -> dict:
    import keras
    import numpy as np
    import tensorflow as tf
    from PIL import Image

    pixels = picture(*case[:3])
    size = case[3:]
    # What keras.utils.image_dataset_from_directory calls for crop_to_aspect_ratio and pad_to_aspect_ratio.
    crop = keras.preprocessing.image.smart_resize(pixels, size, interpolation="bilinear")
    pad = keras.ops.image.resize(
        pixels.astype(np.float32), size, interpolation="bilinear", pad_to_aspect_ratio=True
    )
    nearest = Image.fromarray(pixels if case[2] == 3 else pixels[..., 0]).resize(size[::-1], Image.Resampling.NEAREST)
    return {
        "input": list(case[:3]),
        "output": list(size),
        "keras": common.float32_list(tf.image.resize(pixels, size, method="bilinear", antialias=False)),
        "antialias": common.float32_list(tf.image.resize(pixels, size, method="bilinear", antialias=True)),
        "crop": common.float32_list(crop),
        "pad": common.float32_list(pad),
        "nearest": [int(value) for value in np.asarray(nearest).ravel()],
    }


def photo_sums() -> list[dict]:
    """Sums over a few of the shared photos as Keras's loader reads them."""
    import numpy as np
    import tensorflow as tf

    paths = common.shared_photos()
    root = paths[0].parents[2]
    sums = []
    for path in paths[:: len(paths) // 8][:8]:
        pixels = tf.io.decode_image(tf.io.read_file(str(path)), channels=3, expand_animations=False)
        values = tf.image.resize(pixels, (150, 150)).numpy().ravel().astype(np.float64)
        # Added one after another, as the test does: numpy's own sum adds in pairs.
        weights = np.arange(values.size) % 97 + 1
        sums.append(
            {
                "file": str(path.relative_to(root)),
                "sum": float(np.cumsum(values)[-1]),
                "weightedSum": float(np.cumsum(values * weights)[-1]),
            }
        )
    return sums


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    cases = [resized(case) for case in CASES]
    if not arguments.check:
        common.write_json(FIXTURE, {"versions": common.pinned_versions(), "cases": cases, "photos": photo_sums()})
        return 0

    import json

    checks = common.Checks()
    committed = json.loads(FIXTURE.read_text())
    for case, old in zip(cases, committed["cases"], strict=True):
        for method in ("keras", "antialias", "crop", "pad", "nearest"):
            name = f"{method} {case['input']} to {case['output']}"
            checks.compare(name, old[method], case[method], tolerance=1e-4, relative="none")
    if common.shared_photos():
        checks.claim("sums over shared photos", photo_sums() == committed["photos"])
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
