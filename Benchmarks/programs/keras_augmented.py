#!/usr/bin/env python3
"""Keras trains the tutorial's head on InceptionV3 with its augmentation layers, live: prints the accuracy of each epoch as JSON.

    keras_augmented.py PHOTOS WEIGHTS EPOCHS SEED      PHOTOS holds train/ and validation/ with a folder a class
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras  # noqa: E402


class Clock(keras.callbacks.Callback):
    """The seconds of each epoch."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


def main() -> int:
    photos, weights, epochs, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    keras.utils.set_random_seed(seed)
    read = lambda part, **options: keras.utils.image_dataset_from_directory(
        f"{photos}/{part}", label_mode="binary", image_size=(150, 150), batch_size=20, verbose=False, **options)
    training, validation = read("train", seed=seed), read("validation", shuffle=False).cache()
    base = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(150, 150, 3))
    base.load_weights(weights)
    base.trainable = False
    base = keras.Model(base.input, base.get_layer("mixed7").output)
    # In the order of Graft's recipe; shear is the tangent of 11.3 degrees.
    augment = [keras.layers.RandomFlip("horizontal", seed=seed), keras.layers.RandomRotation(40 / 360, seed=seed),
               keras.layers.RandomTranslation(0.2, 0.2, seed=seed), keras.layers.RandomShear(0.2, 0.2, seed=seed),
               keras.layers.RandomZoom(0.2, seed=seed)]
    inputs = value = keras.Input((150, 150, 3))
    for layer in augment:
        value = layer(value)
    value = base(keras.layers.Rescaling(1 / 127.5, -1)(value), training=False)
    value = keras.layers.Dense(1024, activation="relu")(keras.layers.Flatten()(value))
    outputs = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Dropout(0.2)(value))
    model = keras.Model(inputs, outputs)
    model.compile(optimizer=keras.optimizers.RMSprop(1e-4), loss="binary_crossentropy", metrics=["accuracy"])
    clock, start = Clock(), time.perf_counter()
    history = model.fit(training, epochs=epochs, validation_data=validation, verbose=0, callbacks=[clock]).history
    print(json.dumps({"val": history["val_accuracy"], "train": history["accuracy"], "seconds": time.perf_counter() - start,
                      "epoch_seconds": clock.seconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
