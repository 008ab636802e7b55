#!/usr/bin/env python3
"""The tutorial's job in Keras with the features cached by hand: `predict` once, then `fit` of the head on arrays."""

from __future__ import annotations

import job

REPORT = job.Report()


def features(base, folder: str):
    """Features and labels of a folder, through Keras's own pipeline, decoded ahead."""
    import keras
    import numpy as np
    import tensorflow as tf

    dataset = keras.utils.image_dataset_from_directory(
        folder, label_mode="binary", image_size=(job.SIZE, job.SIZE), batch_size=job.BATCH, shuffle=False, verbose=False
    )
    labels = np.concatenate([part.numpy() for part in dataset.map(lambda _, label: label)])
    pixels = dataset.map(lambda images, _: images / 127.5 - 1.0, num_parallel_calls=tf.data.AUTOTUNE)
    return base.predict(pixels.prefetch(tf.data.AUTOTUNE), verbose=0).reshape(len(labels), -1), labels


def main() -> None:
    arguments = job.arguments(__doc__)
    import keras

    import keras_head

    REPORT.done("imports")
    keras.utils.set_random_seed(arguments.seed)
    base = keras_head.base_model(arguments.weights)
    REPORT.done("load")
    training = features(base, f"{arguments.images}/train")
    validation = features(base, f"{arguments.images}/validation")
    REPORT.done("trunk")
    stack = keras_head.train(REPORT, training, validation, arguments.epochs)
    keras_head.save_whole(base, stack, arguments.output)
    REPORT.done("save")
    REPORT.end()


if __name__ == "__main__":
    main()
