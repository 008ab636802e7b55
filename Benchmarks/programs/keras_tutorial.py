#!/usr/bin/env python3
"""The tutorial's job as Keras users write it: cats and dogs on a frozen InceptionV3, cut at `mixed7`.

Run by tutorial.py as a process of its own. Prints one JSON object a line, in the words of `graft train --json`.
"""

from __future__ import annotations

import argparse
import json
import os
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

IMAGE_SIZE = (150, 150)


def photos(folder: str, seed: int, shuffle: bool):
    """Batches of 20 photos with the range that InceptionV3 was trained on, and 0 or 1."""
    import keras

    dataset = keras.utils.image_dataset_from_directory(
        folder, label_mode="binary", image_size=IMAGE_SIZE, batch_size=20, shuffle=shuffle, seed=seed
    )
    return dataset.map(lambda images, labels: (images / 127.5 - 1.0, labels))


def build(weights: str):
    import keras
    from keras import layers

    base = keras.applications.InceptionV3(
        input_shape=(*IMAGE_SIZE, 3), include_top=False, weights=None if weights == "none" else weights
    )
    for layer in base.layers:
        layer.trainable = False
    x = layers.Flatten()(base.get_layer("mixed7").output)
    x = layers.Dense(1024, activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    model = keras.Model(base.input, layers.Dense(1, activation="sigmoid")(x))
    model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=1e-4), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", help="a folder with train/ and validation/")
    parser.add_argument("--weights", required=True, help="InceptionV3's weight file without top, or none")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", required=True, help="the model to write, .keras")
    arguments = parser.parse_args()

    started = time.perf_counter()
    import keras

    keras.utils.set_random_seed(arguments.seed)
    model = build(arguments.weights)
    history = model.fit(
        photos(f"{arguments.images}/train", arguments.seed, shuffle=True),
        validation_data=photos(f"{arguments.images}/validation", arguments.seed, shuffle=False),
        epochs=arguments.epochs,
        verbose=0,
    ).history
    model.save(arguments.output)
    for epoch in range(arguments.epochs):
        figures = {name: values[epoch] for name, values in history.items()}
        print(json.dumps({"event": "epoch", "epoch": epoch + 1, **figures}))
    done = {"event": "done", "val_accuracy": history["val_accuracy"][-1], "seconds": time.perf_counter() - started}
    print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
