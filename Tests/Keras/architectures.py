#!/usr/bin/env python3
"""Writes down Keras's own networks, layer by layer, for Tests/GraftApplicationsTests.

    Tests/Keras/architectures.py            # rewrites the fixture
    Tests/Keras/architectures.py --check    # compares it with this Keras

A case's rows are, one after the other, the number of a layer and that of its output shape without the batch. Where it begins
as an earlier case does, it says so, [case, rows], and has the others alone. A layer is [name, class, parameters, how many
layers before it each of its inputs is, number of its settings]; settings are the arguments that decide what a layer
computes. Each distinct layer, shape and set of settings is written once.

The first network of a family is there in several sizes, the others as they are by default.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

import common

FIXTURE = common.ROOT / "Tests/GraftApplicationsTests/Fixtures/architectures.json"


@dataclass
class Case:
    """A network with some of Keras's arguments."""

    network: str
    top: bool
    height: int
    width: int
    pooling: str | None = None
    classes: int = 1000
    activation: str | None = "softmax"


#: With the size that each has by default.
SIZES = {
    "ResNet101": 224, "ResNet152": 224, "VGG19": 224, "ResNet101V2": 224, "ResNet152V2": 224, "DenseNet169": 224,
    "DenseNet201": 224, "MobileNetV3Large": 224, "EfficientNetB1": 240, "EfficientNetB2": 260, "EfficientNetB3": 300,
    "EfficientNetB4": 380, "EfficientNetB5": 456, "EfficientNetB6": 528, "EfficientNetB7": 600, "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260, "EfficientNetV2B3": 300, "EfficientNetV2S": 384, "ConvNeXtSmall": 224,
    "ConvNeXtBase": 224, "MobileNetV2-0.5": 224, "MobileNetV2-0.75": 224, "MobileNetV2-1.3": 224, "MobileNetV2-1.4": 224,
}

CASES = [
    Case("InceptionV3", True, 299, 299),
    Case("InceptionV3", True, 128, 96, None, 5, None),
    Case("InceptionV3", False, 75, 75),
    Case("InceptionV3", False, 150, 150),
    Case("InceptionV3", False, 180, 241, "avg"),
    Case("VGG16", True, 224, 224),
    Case("VGG16", True, 64, 80, None, 10, None),
    Case("VGG16", False, 32, 32),
    Case("VGG16", False, 150, 201, "max"),
    Case("ResNet50", True, 224, 224),
    Case("ResNet50", True, 96, 131, None, 5, None),
    Case("ResNet50", False, 32, 32),
    Case("ResNet50", False, 150, 150, "avg"),
    Case("ResNet50", False, 97, 64, "max"),
    Case("ResNet50V2", True, 224, 224),
    Case("ResNet50V2", True, 96, 131, None, 5, None),
    Case("ResNet50V2", False, 32, 32),
    Case("ResNet50V2", False, 150, 101, "avg"),
    Case("ResNet50V2", False, 97, 64, "max"),
    Case("MobileNet", True, 224, 224),
    Case("MobileNet", True, 35, 64, None, 5, None),
    Case("MobileNet", False, 96, 101, "avg"),
    Case("MobileNet", False, 32, 32, "max"),
    Case("MobileNetV2", True, 224, 224),
    Case("MobileNetV2", True, 35, 64, None, 5, None),
    Case("MobileNetV2", False, 96, 96),
    Case("MobileNetV2", False, 150, 101, "avg"),
    Case("MobileNetV2-0.35", True, 224, 224),
    Case("MobileNetV2-0.35", False, 33, 64, "max"),
    Case("DenseNet121", True, 224, 224),
    Case("DenseNet121", True, 96, 131, None, 5, None),
    Case("DenseNet121", False, 32, 32),
    Case("DenseNet121", False, 150, 101, "avg"),
    Case("DenseNet121", False, 97, 64, "max"),
    Case("MobileNetV3Small", True, 224, 224),
    Case("MobileNetV3Small", True, 35, 64, None, 5, None),
    Case("MobileNetV3Small", False, 96, 101, "avg"),
    Case("MobileNetV3Small", False, 32, 32, "max"),
    Case("Xception", True, 299, 299),
    Case("Xception", True, 72, 101, None, 5, None),
    Case("Xception", False, 71, 150, "avg"),
    Case("Xception", False, 150, 150, "max"),
    Case("EfficientNetB0", True, 224, 224),
    Case("EfficientNetB0", True, 35, 64, None, 5, None),
    Case("EfficientNetB0", False, 96, 101, "avg"),
    Case("EfficientNetB0", False, 32, 32, "max"),
    Case("EfficientNetV2B0", True, 224, 224),
    Case("EfficientNetV2B0", True, 35, 64, None, 5, None),
    Case("EfficientNetV2B0", False, 96, 101, "avg"),
    Case("EfficientNetV2B0", False, 32, 32, "max"),
    Case("InceptionResNetV2", True, 299, 299),
    Case("InceptionResNetV2", True, 128, 96, None, 5, None),
    Case("InceptionResNetV2", False, 75, 150, "avg"),
    Case("InceptionResNetV2", False, 150, 150, "max"),
    Case("NASNetMobile", True, 224, 224),
    Case("NASNetMobile", True, 35, 64, None, 5, None),
    Case("NASNetMobile", False, 96, 101, "avg"),
    Case("NASNetMobile", False, 32, 32, "max"),
    Case("ConvNeXtTiny", True, 224, 224),
    Case("ConvNeXtTiny", True, 35, 64, None, 5, None),
    Case("ConvNeXtTiny", False, 96, 101, "avg"),
    Case("ConvNeXtTiny", False, 32, 32, "max"),
] + [Case(network, top, size, size) for network, size in SIZES.items() for top in (False, True)]

SETTINGS = [
    "activation", "axis", "center", "data_format", "depth_multiplier", "dilation_rate", "epsilon", "filters",
    "groups", "kernel_size", "keepdims", "max_value", "mean", "momentum", "negative_slope", "noise_shape", "offset", "padding",
    "pool_size", "rate", "scale", "strides", "target_shape", "threshold", "units", "use_bias", "variance",
]


def plain(value):
    """Tuples as lists, all the way down, as JSON gives them back."""
    return json.loads(json.dumps(value))


def number(entry, table):
    """The place of an entry in a table, which grows where it is new."""
    key = json.dumps(entry)
    return table.setdefault(key, len(table))


def inbound(operation, places) -> list[int]:
    """How far in front of an operation each of its inputs is."""
    tensors = operation._inbound_nodes[0].input_tensors
    return [places[operation.name] - places[tensor._keras_history.operation.name] for tensor in tensors]


def rows(model, keras, tables) -> list[list[int]]:
    places = {operation.name: place for place, operation in enumerate(model.operations)}
    result = []
    for operation in model.operations:
        # What `x + 3` and `x + y` leave in a model has no layer and no configuration.
        is_layer = isinstance(operation, keras.layers.Layer)
        config = operation.get_config() if is_layer else {}
        kept = plain({key: config[key] for key in SETTINGS if key in config})
        entry = [
            operation.name, type(operation).__name__ if is_layer else "operation",
            operation.count_params() if is_layer else 0, inbound(operation, places), number(kept, tables["settings"]),
        ]
        shape = list(operation.output.shape[1:])
        result.append([number(entry, tables["layers"]), number(shape, tables["shapes"])])
    return result


def shared_beginning(found, earlier) -> list[int] | None:
    """The earlier case that begins with the same rows, and how many of them; None where none is worth it."""
    best = (0, 0)
    for case, others in enumerate(earlier):
        pairs = zip(found, others)
        count = next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(found), len(others)))
        best = max(best, (count, case))
    return [best[1], best[0]] if best[0] > 2 else None


def described(keras, case: Case, tables, earlier):
    keras.utils.clear_session()  # names as in a fresh process
    function, _ = common.application(case.network)
    model = function(
        weights=None, include_top=case.top, input_shape=(case.height, case.width, 3), pooling=case.pooling,
        classes=case.classes, classifier_activation=case.activation,
    )
    found = rows(model, keras, tables)
    shared = shared_beginning(found, earlier)
    earlier.append(found)
    # What weights there are, the tests take from the parameters.
    assert all(bool(layer.weights) == bool(layer.count_params()) for layer in model.layers)
    return {
        "network": case.network, "name": model.name, "includeTop": case.top,
        "inputShape": [case.height, case.width, 3], "pooling": case.pooling, "classes": case.classes,
        "classifierActivation": case.activation or "linear", "parameters": model.count_params(), "begins": shared,
        "rows": [value for row in found[shared[1] if shared else 0 :] for value in row],
    }


def written(keras) -> dict:
    tables = {"settings": {}, "layers": {}, "shapes": {}}
    earlier: list = []
    cases = [described(keras, case, tables, earlier) for case in CASES]
    tables = {name: [json.loads(entry) for entry in table] for name, table in tables.items()}
    return {"versions": {"keras": keras.__version__}, **tables, "cases": cases}


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    found = written(common.import_keras())
    if not arguments.check:
        FIXTURE.parent.mkdir(parents=True, exist_ok=True)
        common.write_json(FIXTURE, found)
        return 0
    expected = json.loads(FIXTURE.read_text())
    checks = common.Checks()
    for key in found:
        checks.claim(f"the fixture's {key} are Keras's", expected[key] == plain(found[key]))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
