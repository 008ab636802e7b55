#!/usr/bin/env python3
"""Fine-tuning InceptionV3 from `mixed5` in Keras: the time of a step, and the losses.

    keras_fine_tuning.py prepare FOLDER --weights FILE   writes start.keras, head.npz, inputs.npy and targets.npy there
    keras_fine_tuning.py whole FOLDER                    steps of the whole network, from pixels
    keras_fine_tuning.py kept FOLDER                     steps from what the frozen part put out before

Run by fine_tuning_step.py, each as a process of its own. Prints one JSON object: `seconds` and `losses` of each step.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
from keras import layers

BATCH, SIZE, RATE, BORDER = 20, 150, 1e-5, "mixed5"


def build(weights: str | None) -> keras.Model:
    """The tutorial's network without dropout, so that the three programs compute the same numbers. The last activation
    is of float32 under every policy, as Keras's guide to mixed precision has it."""
    keras.utils.set_random_seed(0)
    base = keras.applications.InceptionV3(input_shape=(SIZE, SIZE, 3), include_top=False, weights=weights)
    x = layers.Flatten(name="flat")(base.get_layer("mixed7").output)
    x = layers.Dense(1024, activation="relu", name="hidden")(x)
    return keras.Model(base.input, layers.Dense(1, activation="sigmoid", name="output", dtype="float32")(x))


def freeze(model: keras.Model) -> None:
    """Trains from the border upwards; normalizations keep their statistics, as the documentation of Keras advises."""
    border = [layer.name for layer in model.layers].index(BORDER)
    for position, layer in enumerate(model.layers):
        layer.trainable = position > border


def prepare(folder: Path, weights: str, steps: int) -> None:
    model = build(weights)
    model.save(folder / "start.keras")
    head = {f"{name}.{kind}": array for name in ("hidden", "output") for kind, array in
            zip(("kernel", "bias"), (v.numpy() for v in model.get_layer(name).weights))}
    np.savez(folder / "head.npz", **head)
    random = np.random.default_rng(0)
    # Smooth pictures: noise that is small and made larger, from -1 to 1 as the network expects.
    coarse = random.uniform(-1, 1, (steps * BATCH, SIZE // 10, SIZE // 10, 3)).astype("float32")
    inputs = coarse.repeat(10, 1).repeat(10, 2).reshape(steps, BATCH, SIZE, SIZE, 3)
    np.save(folder / "inputs.npy", inputs)
    np.save(folder / "targets.npy", random.integers(0, 2, (steps, BATCH)).astype("float32"))


class InferenceMode(keras.Model):
    """A model whose training steps leave normalization in inference mode."""

    def __init__(self, inner: keras.Model) -> None:
        super().__init__()
        self.inner = inner

    def call(self, x, training=None):
        return self.inner(x, training=False)


def train(model: keras.Model, inputs: Iterable[np.ndarray], targets: np.ndarray, compiled: bool) -> dict:
    """`train_on_batch`; `compiled` with XLA, which Keras leaves out on a machine that has but a processor."""
    model = InferenceMode(model)
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=RATE), loss="binary_crossentropy", jit_compile=compiled
    )
    losses, seconds = [], []
    for x, y in zip(inputs, targets):
        model.reset_metrics()
        started = time.perf_counter()
        losses.append(float(model.train_on_batch(x, y[:, None])))
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds, "losses": losses}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["prepare", "whole", "kept"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--compiled", action="store_true", help="with XLA")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32",
                        help="bfloat16: the policy mixed_bfloat16, variables in float32")
    arguments = parser.parse_args()
    folder = arguments.folder
    if arguments.what == "prepare":
        return prepare(folder, arguments.weights, arguments.steps)
    inputs = np.load(folder / "inputs.npy", mmap_mode="r")[: arguments.steps]
    targets = np.load(folder / "targets.npy")
    model = keras.models.load_model(folder / "start.keras", compile=False)
    if arguments.precision == "bfloat16":
        numbers = model.get_weights()
        keras.config.set_dtype_policy("mixed_bfloat16")
        model = build(None)
        model.set_weights(numbers)
    freeze(model)
    if arguments.what == "kept":
        border = model.get_layer(BORDER).output
        frozen = keras.Model(model.input, border)
        inputs = [frozen.predict_on_batch(x) for x in inputs]
        model = keras.Model(border, model.output)
    print(json.dumps(train(model, inputs, targets, arguments.compiled)), flush=True)


if __name__ == "__main__":
    main()
