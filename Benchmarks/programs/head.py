#!/usr/bin/env python3
"""A rival's steps of the tutorial's head on features in memory: seconds a step, and the losses of the first epoch
without dropout from given weights, which say whether the same work is done. Prints one JSON object."""

from __future__ import annotations

import argparse
import json
import time

import job

import numpy as np


class KerasHead:
    """`train_on_batch`, the quickest way through Keras; by itself or with XLA."""

    def __init__(self, rate: float, kernels: list[np.ndarray], mode: str) -> None:
        import keras

        import keras_head

        keras.utils.set_random_seed(0)
        self.model = keras.Sequential([keras.Input((job.FEATURES,)), *keras_head.head_layers(rate)])
        hidden, output = kernels
        self.model.set_weights([hidden, np.zeros(hidden.shape[1], "f"), output, np.zeros(1, "f")])
        self.model.compile(
            optimizer=keras.optimizers.RMSprop(job.RATE), loss="binary_crossentropy", metrics=["accuracy"],
            jit_compile=mode == "xla",
        )

    def step(self, x: np.ndarray, y: np.ndarray) -> float:
        """Gives the mean loss since the last `forget`."""
        return float(self.model.train_on_batch(x, y[:, None])[0])

    def forget(self) -> None:
        self.model.reset_metrics()


class TorchHead:
    def __init__(self, rate: float, kernels: list[np.ndarray], mode: str) -> None:
        import torch

        import torch_head

        torch.manual_seed(0)
        head = torch_head.Head(rate).train()
        with torch.no_grad():
            for layer, kernel in zip((head.hidden, head.output), kernels):
                layer.weight.copy_(torch.from_numpy(kernel.T.copy()))
        self.trainer, self.tensor = torch_head.Trainer(head, mode == "compiled", as_keras=rate == 0), torch.from_numpy

    def step(self, x: np.ndarray, y: np.ndarray) -> float:
        return self.trainer.step(self.tensor(x), self.tensor(y))[0]

    def forget(self) -> None:
        """A step's loss is its own."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rivals = {"keras": KerasHead, "pytorch": TorchHead}
    parser.add_argument("rival", choices=rivals)
    parser.add_argument("--mode", default="", help="xla (Keras), compiled (PyTorch)")
    parser.add_argument("--features", required=True)
    parser.add_argument("--labels", required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()

    features, labels = np.load(arguments.features), np.load(arguments.labels)
    kernels = [np.load(arguments.kernel), np.load(arguments.output)]
    batches = [(features[i : i + job.BATCH], labels[i : i + job.BATCH]) for i in range(0, len(features), job.BATCH)]

    plain, losses = rivals[arguments.rival](0.0, kernels, arguments.mode), []
    for batch in batches:
        plain.forget()
        losses.append(plain.step(*batch))
    del plain

    head, started = rivals[arguments.rival](0.2, kernels, arguments.mode), time.perf_counter()
    head.step(*batches[0])
    head.step(*batches[0])
    first = time.perf_counter() - started
    samples, end = [], time.perf_counter() + arguments.seconds
    while len(samples) < 5 or time.perf_counter() < end:
        batch = batches[len(samples) % len(batches)]
        started = time.perf_counter()
        head.step(*batch)
        samples.append(time.perf_counter() - started)
    print(json.dumps({"losses": losses, "first": first, "seconds": samples}))


if __name__ == "__main__":
    main()
