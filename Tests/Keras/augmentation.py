#!/usr/bin/env python3
"""Writes what Keras makes of a small image with given parameters: Fixtures/augmentation.json of the images' tests.

Geometry is `apply_affine_transform` of Keras's ImageDataGenerator. It calls scipy with the matrix that it made; here
TensorFlow's `ImageProjectiveTransform` (Keras's own layers use it) interpolates in scipy's place, as scipy is no dependency
of Keras and its `constant` and `wrap` modes treat the border unlike any layer. Images are square: for others, Keras takes
the centre's row for its column. `wrap` is left out, as TensorFlow does not interpolate between the last pixel and the first.

Colours are the layers' own `transform_images`, with the parameters that they would have drawn.

The image is a formula: the value at row y, column x, channel c is (37 y + 101 x + 59 c + x y) mod 256.
"""

from __future__ import annotations

import json
import sys
import types

import common
from resize import picture

FIXTURE = common.ROOT / "Tests/GraftImagesTests/Fixtures/augmentation.json"

SIZE = 12

#: theta (degrees), tx, ty (pixels), shear (degrees), zx, zy
GEOMETRY = {
    "rotation": (33, 0, 0, 0, 1, 1),
    "rotation back": (-90.5, 0, 0, 0, 1, 1),
    "shift": (0, 2.25, -3.5, 0, 1, 1),
    "shear": (0, 0, 0, 25, 1, 1),
    "zoom": (0, 0, 0, 0, 0.7, 1.3),
    "all": (-40, 1.2, 2.3, -12, 1.15, 0.85),
}


def interpolated(image, matrix, offset, mode: str, cval: float):
    """What scipy's `affine_transform` of order 1 is called for: the value at matrix · (row, column) + offset."""
    import keras
    import numpy as np

    transform = np.array(
        [matrix[1][1], matrix[1][0], offset[1], matrix[0][1], matrix[0][0], offset[0], 0, 0], np.float32
    )
    result = keras.ops.image.affine_transform(
        image[..., None].astype(np.float32), transform, interpolation="bilinear", fill_mode=mode, fill_value=cval
    )
    return np.asarray(result)[..., 0]


def geometry(name: str, mode: str) -> dict:
    from keras.src.legacy.preprocessing import image as legacy

    def affine_transform(channel, matrix, offset, order, mode, cval):
        assert order == 1
        return interpolated(channel, matrix, offset, mode, cval)

    interpolation = types.SimpleNamespace(affine_transform=affine_transform)
    legacy.scipy = types.SimpleNamespace(ndimage=types.SimpleNamespace(interpolation=interpolation))
    theta, tx, ty, shear, zx, zy = GEOMETRY[name]
    result = legacy.apply_affine_transform(
        picture(SIZE, SIZE, 3), theta, tx, ty, shear, zx, zy, row_axis=0, col_axis=1, channel_axis=2,
        fill_mode=mode, cval=77.0, order=1,
    )
    return {
        "name": f"{name}, {mode}", "parameters": list(map(float, GEOMETRY[name])), "fill": mode,
        "values": common.float32_list(result),
    }


def colours() -> list[dict]:
    import keras
    import numpy as np

    images = picture(SIZE, SIZE, 3).astype(np.float32)[None]
    layers = keras.layers
    number = lambda x: np.full((1, 1, 1, 1), x, np.float32)  # noqa: E731
    single = lambda x: np.array([x], np.float32)  # noqa: E731
    cases = []

    def add(name: str, parameter: float, values) -> None:
        cases.append({"name": name, "parameter": parameter, "values": common.float32_list(values)})

    for delta in (40.0, -70.0):
        layer = layers.RandomBrightness(0.5, value_range=(0, 255))
        add("brightness", delta, layer.transform_images(images, {"rgb_delta": number(delta)}))
    for factor in (0.6, 1.8):
        layer = layers.RandomContrast(0.5, value_range=(0, 255))
        add("contrast", factor, layer.transform_images(images, {"contrast_factor": number(factor)}))
    for factor in (0.0, 0.4, 1.5, 4.0):
        # With values 0 to 1, as the layer's saturation is clipped to the range of its values.
        layer = layers.RandomSaturation(0.5, value_range=(0, 1))
        add("saturation", factor, 255 * np.asarray(layer.transform_images(images / 255, {"factor": single(factor)})))
    for turns in (0.05, -0.2, 0.5):
        layer = layers.RandomHue(0.5, value_range=(0, 255))
        add("hue", turns, layer.transform_images(images, {"factor": single(turns)}))
    add("grayscale", 1.0, layers.RandomGrayscale(1.0).transform_images(images, np.ones((1, 1, 1, 1), bool)))
    return cases


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    common.import_keras()
    cases = [geometry(name, mode) for name in GEOMETRY for mode in ("nearest", "reflect", "constant")]
    if not arguments.check:
        document = {"versions": common.pinned_versions(), "geometry": cases, "colours": colours()}
        common.write_json(FIXTURE, document)
        return 0
    checks = common.Checks()
    committed = json.loads(FIXTURE.read_text())
    for kind, now in (("geometry", cases), ("colours", colours())):
        for old, new in zip(committed[kind], now, strict=True):
            checks.compare(old["name"], old["values"], new["values"], tolerance=1e-3, relative="none")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
