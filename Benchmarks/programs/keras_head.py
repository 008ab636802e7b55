"""The tutorial's head in Keras, on features; imported by the programs that cache them by hand."""

from __future__ import annotations

import job

import keras
import numpy as np
from keras import layers


def head_layers(rate: float = 0.2) -> list:
    return [layers.Dense(1024, activation="relu"), layers.Dropout(rate), layers.Dense(1, activation="sigmoid")]


def train(report: job.Report, training, validation, epochs: int) -> list:
    """Fits the head on arrays and prints its epochs. With XLA, which Keras does not use by itself, a step is half as
    long."""
    stack = head_layers()
    head = keras.Sequential([keras.Input((job.FEATURES,)), *stack])
    head.compile(
        optimizer=keras.optimizers.RMSprop(job.RATE), loss="binary_crossentropy", metrics=["accuracy"], jit_compile=True
    )
    history = head.fit(
        *training, validation_data=validation, epochs=epochs, batch_size=job.BATCH, verbose=0
    ).history
    report.done("head")
    for epoch in range(epochs):
        report.epoch(epoch + 1, **{name: values[epoch] for name, values in history.items()})
    return stack


def save_whole(base, stack: list, output: str) -> None:
    """The trained layers on the frozen base, as one model from pixels to the answer."""
    x = layers.Flatten()(base.output)
    for layer in stack:
        x = layer(x)
    keras.Model(base.input, x).save(output)


def base_model(weights: str) -> keras.Model:
    """InceptionV3 to `mixed7`, for pixels of -1…1, frozen."""
    whole = keras.applications.InceptionV3(input_shape=(job.SIZE, job.SIZE, 3), include_top=False, weights=weights)
    base = keras.Model(whole.input, whole.get_layer("mixed7").output)
    base.trainable = False
    return base


def labels(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, 1)
