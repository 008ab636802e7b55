#!/usr/bin/env python3
"""The tutorial's job with OpenVINO's trunk in bfloat16, features cached, and Keras's head, which is faster than
PyTorch's."""

from __future__ import annotations

import job

REPORT = job.Report()


def main() -> None:
    arguments = job.arguments(__doc__, precision=["bfloat16", "float32"])
    import keras

    import keras_head
    import openvino_inception
    import photos

    REPORT.done("imports")
    keras.utils.set_random_seed(arguments.seed)
    base = keras_head.base_model(arguments.weights)
    REPORT.done("load")
    trunk = openvino_inception.trunk(base, arguments.precision, job.BATCH)
    REPORT.done("compile")
    sets = []
    for part in ("train", "validation"):
        paths, labels = photos.listed(f"{arguments.images}/{part}")
        sets.append((photos.features(paths, job.SIZE, job.BATCH, trunk), keras_head.labels(labels)))
    REPORT.done("trunk")
    stack = keras_head.train(REPORT, *sets, arguments.epochs)
    keras_head.save_whole(base, stack, arguments.output)
    REPORT.done("save")
    REPORT.end()


if __name__ == "__main__":
    main()
