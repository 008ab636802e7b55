#!/usr/bin/env python3
"""Whole models as Keras 2 saved them, with inputs and outputs, for the tests of GraftFormats.

Keras 2 lives on as `tf_keras`, which the pinned requirements do not have: install it beside them, and run this by hand.

    pip install --no-deps --target FOLDER tf_keras==2.21.0
    PYTHONPATH=FOLDER python Tests/Keras/keras2_models.py      writes Tests/GraftFormatsTests/Fixtures/keras2

What is in them: what people's files have that Keras 3 has not (TensorFlow's functions as layers, calls of models inside that
are counted from 1, `groups` of depthwise convolutions, on which Keras 3 stumbles, Google's Teachable Machine among them).
`keras3.json` says which of the files the pinned Keras 3 opens and computes as Keras 2 did.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import common
import numpy as np

FOLDER = common.ROOT / "Tests/GraftFormatsTests/Fixtures/keras2"


def models(keras, tf) -> dict:
    L = keras.layers

    def of(shape, function):
        x = keras.Input(shape)
        return keras.Model(x, function(x))

    def chain(x, *layers):
        for layer in layers:
            x = layer(x)
        return x

    def teachable(_):
        """Google's Teachable Machine: a sequential model of two, the first of a functional one and a pooling."""
        i = keras.Input((12, 12, 3))
        y = L.ZeroPadding2D(((0, 1), (0, 1)))(i)
        y = L.Conv2D(4, 3, strides=2, use_bias=False)(y)
        y = L.ReLU(6.0)(L.BatchNormalization(epsilon=1e-3, momentum=0.999)(y))
        y = L.DepthwiseConv2D(3, padding="same", use_bias=False)(y)
        y = L.ReLU(6.0)(L.BatchNormalization(epsilon=1e-3)(y))
        base = keras.Sequential([keras.Model(i, y, name="model1"), L.GlobalAveragePooling2D()], name="sequential_1")
        head = keras.Sequential([L.Dense(6, activation="relu"), L.Dense(3, use_bias=False, activation="softmax")], name="sequential_3")
        return keras.Sequential([base, head], name="sequential_4")

    def nested(_):
        i = keras.Input((6,))
        inner = keras.Model(i, L.Dense(5, activation="relu")(i), name="inner")
        head = keras.Sequential([L.Dense(4, activation="tanh"), L.Dense(2)], name="head")
        a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
        return keras.Model([a, b], [head(inner(a)), inner(b), L.Add()([inner(a), inner(b)])])

    def ends_in_model(_):
        i = keras.Input((4,))
        inner = keras.Model(i, L.Dense(3, activation="softmax")(i), name="inner")
        x = keras.Input((4,))
        return keras.Model(x, inner(L.Dense(4)(x)))

    def dictionary(_):
        a, b = keras.Input((3,), name="zebra"), keras.Input((2,), name="ant")
        return keras.Model({"zebra": a, "ant": b}, {"y": L.Dense(2)(L.Concatenate()([a, b])), "x": L.Dense(1)(b)})

    def nested_outputs(_):
        """keras-team/keras #19670: lists in lists, which Keras 3 does not know."""
        x = keras.Input((2,))
        d = [L.Dense(2, name=f"dense{k}") for k in range(1, 6)]
        outputs = [d[0](x)]
        for layer in d[1:]:
            outputs.append(layer(outputs[-1]))
        return keras.Model(x, [[outputs[0], [outputs[1]], [outputs[2], outputs[3]]], outputs[4]])

    return {
        "nested-outputs": nested_outputs(None),
        "teachable-machine": teachable(None),
        "nested": nested(None),
        "ends-in-a-model": ends_in_model(None),
        "dictionaries": dictionary(None),
        "preprocess-caffe": of((4, 4, 3), lambda x: L.Conv2D(2, 3)(keras.applications.resnet50.preprocess_input(x))),
        "preprocess-tf": of((4, 4, 3), lambda x: L.Conv2D(2, 3)(keras.applications.mobilenet_v2.preprocess_input(x))),
        "arithmetic": of((5,), lambda x: tf.nn.relu(1 - L.Dense(4)(x) * 2.0) / 3.0 + tf.reduce_mean(x, axis=-1, keepdims=True)),
        "slices": of((4, 6, 3), lambda x: L.Dense(2)(tf.concat([x[:, 1:3, ::2, 0], tf.reshape(x, (-1, 9, 8))[:, :2, :3]], -1))),
        "augmentation": of(
            (8, 8, 3),
            lambda x: chain(
                x, L.Rescaling(1 / 255.0), L.Resizing(6, 5), L.RandomFlip("horizontal"), L.RandomRotation(0.1), L.RandomZoom(0.2),
                L.RandomTranslation(0.1, 0.1), L.RandomContrast(0.2), L.Flatten(), L.Dense(2)),
        ),
        "layers": of(
            (8, 8, 4),
            lambda x: chain(
                x, L.DepthwiseConv2D(3, activation="swish"), L.GaussianDropout(0.1), L.SpatialDropout2D(0.1),
                L.GroupNormalization(2), L.LeakyReLU(), L.ELU(), L.Conv2DTranspose(3, 3, strides=2), L.PReLU(shared_axes=[1, 2]),
                L.GlobalAveragePooling2D(), L.Dense(3, activation="softmax")),
        ),
        "sequences": of(
            (9, 4),
            lambda x: L.Dot(1, normalize=True)([
                L.GlobalMaxPooling1D()(L.Conv1D(3, 2, padding="causal")(x)),
                L.GlobalAveragePooling1D()(L.TimeDistributed(L.Dense(3, activation="selu"))(L.MaxPooling1D()(x)))]),
        ),
        "input-shape-at-a-layer": keras.Sequential([
            L.Dense(5, activation="relu", input_shape=(3,), kernel_regularizer="l2"), L.Dropout(0.5), L.BatchNormalization(), L.Dense(1)]),
        "mixed-precision": of((4,), lambda x: L.Dense(2, dtype="float32")(L.Dense(8, activation="relu", dtype="mixed_float16")(x))),
    }


def fill(model, seed: int) -> None:
    random = np.random.RandomState(seed)
    for variable in model.weights:
        values = random.uniform(0.5, 1.5, variable.shape) if "variance" in variable.name or "gamma" in variable.name \
            else random.uniform(-0.5, 0.5, variable.shape)
        variable.assign(np.round(values, 2).astype("float32"))


def main() -> int:
    common.parser(__doc__).parse_args()
    import tensorflow as tf
    import tf_keras as keras

    FOLDER.mkdir(parents=True, exist_ok=True)
    for seed, (name, model) in enumerate(models(keras, tf).items()):
        fill(model, seed)
        if name == "input-shape-at-a-layer":
            model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
        model.save(FOLDER / f"{name}.h5")
        names = [x.name.split(":")[0] for x in model.inputs]
        scale = 255.0 if "preprocess" in name or name == "augmentation" else 1.0
        inputs = [
            np.round(np.random.RandomState(seed + k).uniform(-1 if scale == 1 else 0, 1, (3, *x.shape[1:])) * scale, 2).astype("float32")
            for k, x in enumerate(model.inputs)
        ]
        given = dict(zip(names, inputs)) if name == "dictionaries" else inputs
        outputs = tf.nest.flatten(model.predict(given, verbose=0))
        for kind, arrays in (("input", inputs), ("output", outputs)):
            for k, array in enumerate(arrays):
                np.save(FOLDER / f"{name}-{kind}-{k}.npy", np.asarray(array, "float32"))
    # In a process of its own: the two Kerases share TensorFlow's registry.
    text = subprocess.run([sys.executable, __file__, "--keras3"], capture_output=True, text=True, check=True).stdout
    (FOLDER / "keras3.json").write_text(text.splitlines()[-1] + "\n")
    return 0


def keras3() -> int:
    """Which of the files the pinned Keras 3 opens, with the same outputs."""
    keras = common.import_keras()
    opened = {}
    for path in sorted(FOLDER.glob("*.h5")):
        inputs, outputs = ([np.load(p) for p in sorted(FOLDER.glob(f"{path.stem}-{k}-*.npy"))] for k in ("input", "output"))
        try:
            result = keras.tree.flatten(keras.models.load_model(path)(inputs if len(inputs) > 1 else inputs[0], training=False))
            same = all(np.allclose(a, b, atol=1e-3 * np.abs(b).max()) for a, b in zip(result, outputs, strict=True))
            opened[path.stem] = "same" if same else "other outputs"
        except Exception as error:
            opened[path.stem] = type(error).__name__
    print(json.dumps(opened))
    return 0


if __name__ == "__main__":
    sys.exit(keras3() if "--keras3" in sys.argv else main())
