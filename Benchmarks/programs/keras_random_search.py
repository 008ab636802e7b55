#!/usr/bin/env python3
"""Random search with Keras for some minutes, as its users write it: prints the accuracy on TEST of its best model as JSON.

    keras_random_search.py TRAIN TEST MINUTES SEED BASE=WEIGHTS...      TRAIN and TEST hold a folder a class

A fifth of TRAIN judges. A trial draws a base, a hidden layer, dropout, a learning rate, augmentation, and whether the base trains on
after the head; the head trains with early stopping. When the minutes are over the trial under way is dropped.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras  # noqa: E402

APPLICATIONS = {
    "inception-v3": (keras.applications.InceptionV3, 150, "inception_v3"),
    "mobilenet-v2": (keras.applications.MobileNetV2, 160, "mobilenet_v2"),
}


class TimeIsOver(Exception):
    """Raised out of `fit`."""


class Deadline(keras.callbacks.Callback):
    def __init__(self, end: float):
        super().__init__()
        self.end = end

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() > self.end:
            raise TimeIsOver


def network(base: str, weights: str, classes: int, draw: random.Random) -> tuple[keras.Model, keras.Model, dict]:
    make, size, module = APPLICATIONS[base]
    inner = make(weights=None, include_top=False, input_shape=(size, size, 3), pooling="avg")
    # By name, as a file with a top holds more than is asked for.
    inner.load_weights(weights, by_name=True)
    inner.trainable = False
    drawn = {"base": base, "hidden": draw.choice([0, 256, 1024]), "dropout": draw.choice([0.0, 0.2, 0.5]),
             "rate": 10 ** draw.uniform(-4, -2.5), "augment": draw.random() < 0.5, "fine_tune": draw.random() < 0.3}
    inputs = value = keras.Input((size, size, 3))
    if drawn["augment"]:
        value = keras.layers.RandomZoom(0.2)(keras.layers.RandomRotation(0.1)(keras.layers.RandomFlip("horizontal")(value)))
    value = inner(keras.layers.Rescaling(1 / 127.5, -1)(value), training=False)
    if drawn["hidden"]:
        value = keras.layers.Dense(drawn["hidden"], activation="relu")(value)
    outputs = keras.layers.Dense(classes, activation="softmax")(keras.layers.Dropout(drawn["dropout"])(value))
    return keras.Model(inputs, outputs), inner, drawn


def main() -> int:
    train, test, minutes, seed = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    weights = dict(word.split("=") for word in sys.argv[5:])
    end = time.monotonic() + 60 * minutes
    draw = random.Random(seed)
    keras.utils.set_random_seed(seed)

    def read(folder: str, size: int, **options):
        return keras.utils.image_dataset_from_directory(folder, image_size=(size, size), verbose=False, **options)

    parts = {}
    for size in {APPLICATIONS[base][1] for base in weights}:
        split = {"validation_split": 0.2, "seed": seed}
        parts[size] = (read(train, size, subset="training", **split).cache(),
                       read(train, size, subset="validation", **split).cache())
    classes = len(os.listdir(train))
    best, trials = (0.0, None, None, None), 0
    try:
        while True:
            base = draw.choice(sorted(weights))
            model, inner, drawn = network(base, weights[base], classes, draw)
            training, validation = parts[APPLICATIONS[base][1]]
            rates = [drawn["rate"]] + ([1e-5] if drawn["fine_tune"] else [])
            for rate in rates:
                inner.trainable = rate == 1e-5
                model.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
                stop = keras.callbacks.EarlyStopping("val_accuracy", patience=3, restore_best_weights=True)
                model.fit(training, epochs=20, validation_data=validation, verbose=0, callbacks=[stop, Deadline(end)])
                accuracy = model.evaluate(validation, verbose=0)[1]
                if accuracy > best[0]:
                    best = (accuracy, model, model.get_weights(), drawn)
            trials += 1
    except TimeIsOver:
        pass
    seconds = 60 * minutes + time.monotonic() - end
    accuracy = None
    if best[1] is not None:
        # What a later fit of the same trial did to them is undone.
        best[1].set_weights(best[2])
        size = APPLICATIONS[best[3]["base"]][1]
        accuracy = best[1].evaluate(read(test, size, shuffle=False), verbose=0)[1]
    print(json.dumps({"accuracy": accuracy, "validation": best[0], "trials": trials, "chosen": best[3], "seconds": seconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
