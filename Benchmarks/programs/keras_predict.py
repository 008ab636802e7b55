#!/usr/bin/env python3
"""One prediction with a saved model, as a process of its own: what `graft predict MODEL PHOTO` is compared with."""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


def main(model: str, photo: str) -> None:
    import keras
    import tensorflow as tf

    network = keras.models.load_model(model)
    height, width = network.input_shape[1:3]
    # As the photos of the training were read.
    pixels = tf.image.resize(tf.io.decode_image(tf.io.read_file(photo), channels=3, expand_animations=False), (height, width))
    print(json.dumps({"probability": float(network.predict(pixels[None], verbose=0)[0, -1])}))


if __name__ == "__main__":
    main(*sys.argv[1:])
