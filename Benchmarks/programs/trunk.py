#!/usr/bin/env python3
"""A rival's trunk on pictures in memory: seconds a batch, after warming up, and the features of all pictures.

Prints one JSON object. `first` is what comes before the first batch is done: loading, converting, compiling.
"""

from __future__ import annotations

import argparse
import json
import time

import job  # noqa: F401  sets TensorFlow's environment before it is imported

import numpy as np


def keras_trunk(arguments: argparse.Namespace, height: int):
    import keras
    import tensorflow as tf

    if arguments.threads:
        tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    if arguments.mode.startswith("bfloat16"):
        keras.config.set_dtype_policy("bfloat16")
    base = keras_base(keras, arguments.weights, height)
    compiled = tf.function(
        lambda pixels: tf.cast(base(pixels / 127.5 - 1.0, training=False), tf.float32),
        jit_compile=arguments.mode.endswith("-xla"),
    )
    return lambda pixels: compiled(tf.constant(pixels)).numpy().reshape(len(pixels), -1)


def keras_base(keras, weights: str, height: int):
    whole = keras.applications.InceptionV3(input_shape=(height, height, 3), include_top=False, weights=weights)
    return keras.Model(whole.input, whole.get_layer("mixed7").output)


def torch_trunk(arguments: argparse.Namespace, height: int):
    import torch_inception

    run = torch_inception.trunk(arguments.weights, arguments.mode, arguments.threads)
    return lambda pixels: run(pixels).numpy()


def openvino_trunk(arguments: argparse.Namespace, height: int):
    import keras

    import openvino_inception

    base = keras_base(keras, arguments.weights, height)
    return openvino_inception.trunk(base, arguments.mode, arguments.batch_size, arguments.threads)


def timed(run, pixels: np.ndarray, seconds: float) -> list[float]:
    samples, end = [], time.perf_counter() + seconds
    while len(samples) < 5 or time.perf_counter() < end:
        started = time.perf_counter()
        run(pixels)
        samples.append(time.perf_counter() - started)
    return samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rivals = {"keras": keras_trunk, "pytorch": torch_trunk, "openvino": openvino_trunk}
    parser.add_argument("rival", choices=rivals)
    parser.add_argument("--mode", default="float32", help="float32 or bfloat16, -compiled (PyTorch) or -xla (Keras) behind it")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--pixels", required=True, help="(images, height, width, 3) of 0…255, .npy; batches divide them")
    parser.add_argument("--batch-size", type=int, default=job.BATCH)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--features", help="where the features go, .npy")
    arguments = parser.parse_args()

    pixels = np.load(arguments.pixels)
    batches = pixels.reshape(-1, arguments.batch_size, *pixels.shape[1:])
    started = time.perf_counter()
    run = rivals[arguments.rival](arguments, pixels.shape[1])
    run(batches[0])
    first = time.perf_counter() - started
    if arguments.features:
        np.save(arguments.features, np.concatenate([np.array(run(batch)) for batch in batches]))
    for _ in range(3):
        run(batches[0])
    result = {"images": arguments.batch_size, "first": first, "seconds": timed(run, batches[0], arguments.seconds)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
