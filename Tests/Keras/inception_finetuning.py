#!/usr/bin/env python3
"""Thirty steps of fine-tuning InceptionV3 from `mixed5`, on the published weights: a fixture for Graft's own tests.

    Tests/Keras/inception_finetuning.py            writes Tests/GraftTrainingTests/Fixtures/inception.json
    Tests/Keras/inception_finetuning.py --check    computes it again and compares with the committed file

Needs the weights in the shared folder; where they are not there, `--check` says so and checks nothing. The pictures are
patterns that follow from a formula in whole numbers, so that Swift draws the same bits. Of the variables after one step
the file holds the largest magnitude and some elements of each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import common
import numpy as np

FIXTURE = common.ROOT / "Tests/GraftTrainingTests/Fixtures/inception.json"
SIZE, BATCH, STEPS, IMAGES, RATE = 75, 8, 30, 24, 1e-5
#: Rounding grows from step to step: with oneDNN and without it, and from one processor to another, Keras itself ends up to
#: 1.3e-4 apart (5e-7 after ten steps). `finetuning.py` allows Graft as much.
LOSS_TOLERANCE = 1e-3
#: Elements of each variable that the fixture holds, evenly spread.
SAMPLES = 8


def weights_file() -> Path | None:
    root = common.shared()
    file = root / "weights/inception_v3-2015-12-05-notop.h5" if root else None
    return file if file and file.exists() else None


def pictures():
    """Stripes: a byte is (3 + k)·x + (5 + 2k)·y + 40·k·channel modulo 256 in picture k; then from -1 to 1, exactly."""
    k, y, x, channel = np.ogrid[0:IMAGES, 0:SIZE, 0:SIZE, 0:3]
    values = ((3 + k) * x + (5 + 2 * k) * y + 40 * k * channel) % 256
    return values.astype("float32") / np.float32(128) - np.float32(1)


def network(keras, weights: Path):
    base = keras.applications.InceptionV3(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    base.load_weights(weights)
    x = keras.layers.GlobalAveragePooling2D()(base.get_layer("mixed7").output)
    head = keras.layers.Dense(1, activation="sigmoid", name="head")
    model = keras.Model(base.input, head(x))
    head.kernel.assign(((np.arange(768) % 17 - 8) / np.float32(128)).reshape(768, 1).astype("float32"))
    first = [layer.name for layer in model.layers].index("mixed5")
    for layer in model.layers[:first]:
        layer.trainable = False
    return model


def samples(count: int) -> list[int]:
    """Where the elements stand that are kept."""
    return sorted({number * (count - 1) // (SAMPLES - 1) for number in range(SAMPLES)})


def compute(keras, weights: Path) -> dict:
    import finetuning

    model = network(keras, weights)
    rows = np.arange(STEPS * BATCH).reshape(STEPS, BATCH) % IMAGES
    inputs, targets = pictures()[rows], (rows % 2).astype("float32")
    losses, after = finetuning.train_in_keras(keras, model, inputs, targets, RATE)
    variables = []
    for variable in model.trainable_variables:
        values = after[variable.path].ravel()
        kept = values[samples(values.size)]
        variables.append(
            {"shape": list(variable.shape), "largest": float(np.abs(values).max()), "samples": common.float32_list(kept)}
        )
    return {
        "versions": {"keras": keras.__version__, "numpy": np.__version__},
        "losses": losses,
        "variables": variables,
    }


def check(computed: dict) -> int:
    checks = common.Checks()
    committed = json.loads(FIXTURE.read_text())
    checks.compare("losses", computed["losses"], committed["losses"], LOSS_TOLERANCE, relative="element")
    for index, (new, old) in enumerate(zip(computed["variables"], committed["variables"], strict=True)):
        checks.compare(f"variable {index} {new['shape']}", new["samples"], old["samples"], 1e-5 * old["largest"], "none")
    return checks.finish()


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    weights = weights_file()
    if weights is None:
        print("the shared weights are not there: nothing is checked")
        return 0 if arguments.check else 1
    computed = compute(common.import_keras(), weights)
    if arguments.check:
        return check(computed)
    common.write_json(FIXTURE, computed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
