#!/usr/bin/env python3
"""Keras's augmentation layers with given draws, and its affine resampling, as a fixture for ImageLayerTests.

Keras and Graft draw other random numbers. Here Keras's uniform numbers are replaced by given ones, so that what is made of
a draw can be compared pixel by pixel.

    Tests/Keras/image_layers.py            writes Tests/GraftModelTests/Fixtures/keras-image-layers.json
    Tests/Keras/image_layers.py --check    computes again and compares with the committed file
"""

from __future__ import annotations

import json
import sys
import zlib

import common
import numpy as np

FIXTURE = common.ROOT / "Tests/GraftModelTests/Fixtures/keras-image-layers.json"

#: Places are computed in 32 bits: of images up to 9 pixels wide they are 1e-6 apart at most, and pixels reach 255.
TOLERANCE = 1e-5

FILL_MODES = ["constant", "nearest", "reflect", "wrap"]


def images(name: str, shape: tuple[int, ...]):
    """Seeded pixels of few digits."""
    return np.round(np.random.RandomState(zlib.crc32(name.encode())).uniform(0, 255, shape), 1).astype(np.float32)


def affine_cases(keras) -> list[dict]:
    cases = []
    # None of the places lies in the middle between two pixels, where 32 and 64 bits may take different ones.
    transforms = {
        "turned": [0.8, -0.6, 1.31, 0.6, 0.8, -0.72],
        "far": [1.0, 0.0, 11.3, 0.0, 1.0, -13.6],
        "near": [0.37, 0.0, 1.1, 0.0, 0.23, 0.9],
        "small": [2.3, 0.1, -3.23, -0.2, 2.7, -2.17],
    }
    for mode in FILL_MODES:
        for interpolation in ("nearest", "bilinear"):
            for name, transform in transforms.items():
                for shape in [(1, 5, 7, 2), (1, 1, 4, 1)]:
                    source = images(f"{name} {shape}", shape)
                    result = keras.ops.image.affine_transform(
                        source, np.array([transform + [0, 0]], np.float32), interpolation, mode, 17.5
                    )
                    cases.append(
                        {
                            "name": f"{name}, {interpolation}, {mode}, {shape[1]}x{shape[2]}",
                            "transform": transform,
                            "interpolation": interpolation,
                            "fillMode": mode,
                            "shape": list(shape),
                            "input": common.float32_list(source),
                            "output": common.float32_list(np.asarray(result)),
                        }
                    )
    return cases


def layer_cases(keras) -> list[dict]:
    layers = keras.layers
    made = [
        layers.RandomFlip(),
        layers.RandomFlip("horizontal"),
        layers.RandomFlip("vertical"),
        layers.RandomRotation(0.1),
        layers.RandomRotation((-0.9, 0.6), fill_mode="constant", fill_value=3.0),
        layers.RandomRotation(1.0, fill_mode="wrap", interpolation="nearest"),
        layers.RandomZoom(0.3),
        layers.RandomZoom((-0.5, -0.1), (0.2, 0.9), fill_mode="constant"),
        layers.RandomZoom(0.2, 0.4, fill_mode="nearest", interpolation="nearest"),
        layers.RandomTranslation(0.3, 0.2),
        layers.RandomTranslation((-0.4, 0.1), (0.1, 0.5), fill_mode="wrap"),
        layers.RandomTranslation(0.5, 0.5, fill_mode="constant", fill_value=9.0, interpolation="nearest"),
        layers.RandomContrast(0.4),
        layers.RandomContrast((0.3, 0.8), value_range=(20, 200)),
        layers.RandomBrightness(0.3),
        layers.RandomBrightness((-0.5, 0.1), value_range=(0, 100)),
        layers.RandomCrop(3, 4, seed=1),
        layers.RandomCrop(6, 2, seed=1),
    ]
    return [layer_case(keras, index, layer) for index, layer in enumerate(made)]


def layer_case(keras, index: int, layer) -> dict:
    """A layer's results for given draws: a column of `draws` for each call of Keras's `uniform`, a row for each image."""
    import keras.src.backend.tensorflow.random as keras_random

    name = f"{index} {type(layer).__name__}"
    # Keras cuts a whole batch at one place.
    shape = (1, 6, 9, 2) if "Crop" in name else (5, 6, 9, 2)
    source = images(name, shape)
    draws = np.random.RandomState(zlib.crc32(name.encode()) + 1).uniform(0, 1, (shape[0], 2)).astype(np.float32)
    calls = []

    def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        column = draws[:, len(calls)]
        calls.append(shape)
        return keras.ops.convert_to_tensor((minval + column * (maxval - minval)).reshape(tuple(shape)).astype(np.float32))

    original = keras_random.uniform
    keras_random.uniform = uniform
    try:
        output = np.asarray(layer(source, training=True))
    finally:
        keras_random.uniform = original
    assert calls or "Crop" in name, name
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    return {
        "name": name,
        "layer": {key: config[key] for key in ("class_name", "config")},
        "shape": list(shape),
        "input": common.float32_list(source),
        "draws": common.float32_list(draws),
        "outputShape": list(output.shape),
        "output": common.float32_list(output),
    }


def compute() -> dict:
    keras = common.import_keras()
    return {"versions": common.pinned_versions(), "affine": affine_cases(keras), "layers": layer_cases(keras)}


def check(computed: dict) -> int:
    checks = common.Checks()
    committed = json.loads(FIXTURE.read_text())
    for key in ("affine", "layers"):
        for old, new in zip(committed[key], computed[key], strict=True):
            checks.claim(f"{new['name']}: same case", old["name"] == new["name"] and old["input"] == new["input"])
            checks.compare(new["name"], new["output"], old["output"], TOLERANCE)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(common.run_fixture(__doc__, FIXTURE, compute, check))
