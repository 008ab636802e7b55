#!/usr/bin/env python3
"""Writes down Keras's own networks, layer by layer, for Tests/GraftApplicationsTests.

    Tests/Keras/architectures.py            # rewrites the fixture
    Tests/Keras/architectures.py --check    # compares it with this Keras

A row is [number of the layer, output shape without the batch]; a layer is [name, class, parameters, inbound layers,
number of its settings]; settings are the arguments that decide what a layer computes. Each distinct layer and each
distinct set of settings is written once.
"""

from __future__ import annotations

import json
import sys

import common

FIXTURE = common.ROOT / "Tests/GraftApplicationsTests/Fixtures/architectures.json"

# Network, with its top, height, width, pooling, classes, classifier activation.
CASES = [
    ("InceptionV3", True, 299, 299, None, 1000, "softmax"),
    ("InceptionV3", True, 128, 96, None, 5, None),
    ("InceptionV3", False, 75, 75, None, 1000, "softmax"),
    ("InceptionV3", False, 150, 150, None, 1000, "softmax"),
    ("InceptionV3", False, 180, 241, "avg", 1000, "softmax"),
    ("VGG16", True, 224, 224, None, 1000, "softmax"),
    ("VGG16", True, 64, 80, None, 10, None),
    ("VGG16", False, 32, 32, None, 1000, "softmax"),
    ("VGG16", False, 150, 201, "max", 1000, "softmax"),
    ("ResNet50", True, 224, 224, None, 1000, "softmax"),
    ("ResNet50", True, 96, 131, None, 5, None),
    ("ResNet50", False, 32, 32, None, 1000, "softmax"),
    ("ResNet50", False, 150, 150, "avg", 1000, "softmax"),
    ("ResNet50", False, 97, 64, "max", 1000, "softmax"),
    ("MobileNetV2", True, 224, 224, None, 1000, "softmax"),
    ("MobileNetV2", True, 35, 64, None, 5, None),
    ("MobileNetV2", False, 96, 96, None, 1000, "softmax"),
    ("MobileNetV2", False, 150, 101, "avg", 1000, "softmax"),
]

SETTINGS = [
    "activation", "axis", "center", "data_format", "depth_multiplier", "dilation_rate", "epsilon", "filters",
    "groups", "kernel_size", "keepdims", "max_value", "momentum", "negative_slope", "padding", "pool_size", "scale",
    "strides", "threshold", "units", "use_bias",
]


def plain(value):
    """Tuples as lists, all the way down, as JSON gives them back."""
    return json.loads(json.dumps(value))


def inbound(layer):
    return [tensor._keras_history.operation.name for tensor in layer._inbound_nodes[0].input_tensors]


def number(entry, table):
    """The place of an entry in a table, which grows where it is new."""
    if entry not in table:
        table.append(entry)
    return table.index(entry)


def described(keras, case, layers, settings):
    network, include_top, height, width, pooling, classes, activation = case
    keras.utils.clear_session()  # names as in a fresh process
    model = getattr(keras.applications, network)(
        weights=None, include_top=include_top, input_shape=(height, width, 3), pooling=pooling,
        classes=classes, classifier_activation=activation,
    )
    rows = []
    for layer in model.layers:
        config = layer.get_config()
        kept = plain({key: config[key] for key in SETTINGS if key in config})
        entry = [
            layer.name, type(layer).__name__, layer.count_params(), inbound(layer), number(kept, settings),
        ]
        rows.append([number(entry, layers), list(layer.output.shape[1:])])
    return {
        "network": network, "name": model.name, "includeTop": include_top, "inputShape": [height, width, 3],
        "pooling": pooling, "classes": classes, "classifierActivation": activation or "linear",
        "parameters": model.count_params(),
        "weighted": [layer.name for layer in model.layers if layer.weights],
        "rows": rows,
    }


def table(name, entries):
    lines = ",\n".join(json.dumps(entry, sort_keys=True, separators=(",", ":")) for entry in entries)
    return f'"{name}": [\n{lines}\n]'


def written(keras) -> dict:
    layers, settings = [], []
    cases = [described(keras, case, layers, settings) for case in CASES]
    return {"versions": {"keras": keras.__version__}, "settings": settings, "layers": layers, "cases": cases}


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
