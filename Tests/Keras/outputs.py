"""Models as Keras saves them whose outputs are no probabilities of named classes, and what Keras makes of a few images.

Writes Tests/GraftCommandTests/Fixtures/outputs: images of two classes, models (trained on logits with softmax and with
sigmoid, compiled and not; without a classifier; of any size; as a whole in HDF5) and `expected.json` with Keras's outputs,
probabilities, losses and accuracies. With `--check`, opens the committed models again and compares with that file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import common

FOLDER = common.ROOT / "Tests/GraftCommandTests/Fixtures/outputs"
CLASSES = ["cats", "dogs"]
SIZE = 4


def write_images() -> None:
    """Exactly as large as the models' inputs, and without loss: nothing depends on a resize or a decoder."""
    import numpy as np
    from PIL import Image

    for label, name in enumerate(CLASSES):
        (FOLDER / "images" / name).mkdir(parents=True, exist_ok=True)
        for index in range(3):
            random = np.random.RandomState(10 * label + index)
            pixels = random.randint(0, 256, (SIZE, SIZE, 3)).astype("uint8")
            Image.fromarray(pixels).save(FOLDER / "images" / name / f"{index}.png")


def images():
    """The images' paths, their pixels and labels, in the order of the paths."""
    import numpy as np
    from PIL import Image

    paths = sorted((FOLDER / "images").rglob("*.png"))
    pixels = np.stack([np.asarray(Image.open(path), dtype="float32") for path in paths])
    return [str(path.relative_to(FOLDER)) for path in paths], pixels, np.array([CLASSES.index(p.parent.name) for p in paths])


def fill(model, scale: float) -> None:
    """Seeded numbers, so large that logits leave no doubt of what they are."""
    import numpy as np

    random = np.random.RandomState(1)
    for variable in model.weights:
        variable.assign(random.normal(0, scale, variable.shape).astype("float32"))


def models(keras) -> dict:
    L = keras.layers

    def dense(units, loss=None, metric="accuracy"):
        model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), L.Rescaling(1 / 255), L.Flatten(), L.Dense(units)])
        fill(model, 1)
        if loss is not None:
            model.compile(loss=loss, metrics=[metric])
        return model

    def convolution(size, *head):
        model = keras.Sequential([
            keras.Input((size, size, 3)), L.Rescaling(1 / 255), L.Conv2D(5, 3), L.GlobalAveragePooling2D(), *head,
        ])
        fill(model, 0.5)
        return model

    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    binary = keras.losses.BinaryCrossentropy(from_logits=True)
    return {
        "softmax-logits.keras": dense(2, sparse),
        "sigmoid-logits.keras": dense(1, binary, keras.metrics.BinaryAccuracy(threshold=0)),
        "uncompiled-logits.keras": dense(2),
        "features.keras": convolution(SIZE),
        "any-size.keras": convolution(None, L.Dense(2, activation="softmax")),
        "whole.h5": convolution(SIZE, L.Dense(2, activation="softmax")),
    }


def probabilities(keras, name: str, outputs):
    import numpy as np

    if name == "softmax-logits.keras":
        return np.asarray(keras.ops.softmax(outputs))
    if name == "sigmoid-logits.keras":
        positive = np.asarray(keras.ops.sigmoid(outputs))
        return np.concatenate([1 - positive, positive], axis=1)
    return outputs


def expected(keras, name: str, model) -> dict:
    paths, pixels, labels = images()
    outputs = model.predict(pixels, verbose=0)
    rows = probabilities(keras, name, outputs)
    result = {"values": {path: [float(x) for x in row] for path, row in zip(paths, rows)}}
    if model.compiled and name.endswith("-logits.keras"):
        loss, accuracy = model.evaluate(pixels, labels[:, None], verbose=0)
        result |= {"loss": float(loss), "accuracy": float(accuracy)}
    return result


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    keras = common.import_keras()
    if arguments.check:
        return check(keras)
    write_images()
    fixture: dict = {"versions": common.pinned_versions()}
    for name, model in models(keras).items():
        fixture[name] = expected(keras, name, model)
        model.save(FOLDER / name)
    common.write_json(FOLDER / "expected.json", fixture)
    return 0


def check(keras) -> int:
    checks = common.Checks()
    committed = json.loads((FOLDER / "expected.json").read_text())
    for name, values in committed.items():
        if name != "versions":
            again = expected(keras, name, keras.models.load_model(FOLDER / name))
            for path, row in values["values"].items():
                checks.compare(f"{name}: {path}", again["values"][path], row, tolerance=1e-6)
            for key in {"loss", "accuracy"} & values.keys():
                checks.compare(f"{name}: {key}", [again[key]], [values[key]], tolerance=1e-6)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
