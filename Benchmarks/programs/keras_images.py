#!/usr/bin/env python3
"""Keras reads a folder of images in batches and prints images a second, and a second of processor time, of each pass, the first left out.

    keras_images.py decode FOLDER SIZE PASSES     image_dataset_from_directory, which decodes on all cores (tf.data)
    keras_images.py augment FOLDER SIZE PASSES    its augmentation layers on images that are kept decoded in memory
    keras_images.py pipeline FOLDER SIZE PASSES   both, as the tutorials map them
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

BATCH = 32


def layers():
    """flip, rotation by up to 40 degrees, shift, shear and zoom by 0.2: what Graft is asked for."""
    return keras.Sequential([
        keras.layers.RandomFlip("horizontal"), keras.layers.RandomRotation(40 / 360),
        keras.layers.RandomTranslation(0.2, 0.2), keras.layers.RandomShear(0.2, 0.2), keras.layers.RandomZoom(0.2),
    ])


def main() -> int:
    mode, folder, size, passes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    images = keras.utils.image_dataset_from_directory(
        folder, labels=None, image_size=(size, size), batch_size=BATCH, shuffle=False, verbose=False)
    if mode == "augment":
        images = tf.data.Dataset.from_tensor_slices(next(iter(images.unbatch().batch(100_000)))).batch(BATCH)
    if mode != "decode":
        network = layers()
        images = images.map(lambda batch: network(batch, training=True), num_parallel_calls=tf.data.AUTOTUNE)
    images = images.prefetch(tf.data.AUTOTUNE)
    rates, processor, count = [], [], 0
    for _ in range(passes + 1):
        start, used, count = time.perf_counter(), time.process_time(), 0
        for batch in images:
            count += int(batch.shape[0])
        rates.append(count / (time.perf_counter() - start))
        processor.append(count / (time.process_time() - used))
    print(json.dumps({"images": count, "rates": rates[1:], "processor": processor[1:]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
