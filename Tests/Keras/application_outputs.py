#!/usr/bin/env python3
"""What Keras's networks compute, preprocessing included, on weights and images that a formula makes: the expected
values of Tests/GraftApplicationsTests.

    Tests/Keras/application_outputs.py            # rewrites the fixture
    Tests/Keras/application_outputs.py --check    # compares it with this Keras

The formula, which the tests compute again: U is a table of 65,521 numbers in [0, 1), the upper 24 bits of SplitMix64
from seed 0; element i of a model's variable number k is made from U[(4099 k + i) mod 65521]: for a kernel
(2u − 1) √(6 / inputs), where a channelwise one has its window for inputs, for a variance 0.5 + u, for a
gamma 0.8 + 0.4 u, for a counter 0, for all others 0.1 (2u − 1).
Element i of the images is ⌊256 u⌋, of variable number 0.
"""

from __future__ import annotations

import json
import sys

import common

FIXTURE = common.ROOT / "Tests/GraftApplicationsTests/Fixtures/outputs.json"

# Network, with its top, images, height, width, pooling.
CASES = [
    ("InceptionV3", False, 1, 75, 89, "avg"),
    ("InceptionV3", True, 1, 76, 75, None),
    ("VGG16", True, 2, 32, 48, None),
    ("VGG16", False, 1, 33, 64, "max"),
    ("VGG19", True, 1, 32, 33, None),
    ("ResNet50", True, 2, 40, 64, None),
    ("ResNet50", False, 1, 65, 32, "avg"),
    ("ResNet50V2", True, 2, 40, 64, None),
    ("ResNet50V2", False, 1, 65, 32, "avg"),
    ("MobileNet", True, 2, 35, 64, None),
    ("MobileNet", False, 1, 96, 45, "max"),
    ("MobileNetV2", True, 2, 35, 64, None),
    ("MobileNetV2", False, 1, 96, 45, "max"),
    ("MobileNetV2-0.35", True, 2, 35, 64, None),
    ("MobileNetV2-1.4", False, 1, 32, 45, "avg"),
    ("MobileNetV3Small", True, 2, 35, 64, None),
    ("MobileNetV3Small", False, 1, 96, 45, "max"),
    ("MobileNetV3Large", False, 1, 64, 45, "avg"),
    ("Xception", True, 1, 71, 80, None),
    ("Xception", False, 1, 75, 71, "max"),
    ("EfficientNetB0", True, 2, 35, 64, None),
    ("EfficientNetB0", False, 1, 96, 45, "avg"),
    ("EfficientNetV2B0", True, 2, 35, 64, None),
    ("EfficientNetV2B0", False, 1, 96, 45, "max"),
    ("EfficientNetV2S", False, 1, 32, 45, "avg"),
    ("InceptionResNetV2", True, 1, 75, 80, None),
    ("InceptionResNetV2", False, 1, 76, 75, "max"),
    ("NASNetMobile", True, 2, 35, 64, None),
    ("NASNetMobile", False, 1, 65, 45, "max"),
    ("ConvNeXtTiny", True, 2, 35, 64, None),
    ("ConvNeXtTiny", False, 1, 65, 45, "avg"),
    ("ResNet18", True, 2, 35, 64, None),
    ("ResNet34", False, 1, 65, 45, "max"),
    ("SqueezeNet", True, 2, 36, 65, None),
    ("SqueezeNet", False, 1, 65, 48, "avg"),
    ("DenseNet121", True, 2, 40, 64, None),
    ("DenseNet121", False, 1, 65, 32, "avg"),
    ("EfficientNetLite0", True, 2, 35, 64, None),
    ("EfficientNetLite0", False, 1, 96, 45, "avg"),
]
CLASSES = 10
#: Another processor sums in another order, through up to 95 layers: this part of the largest value.
TOLERANCE = 5e-5
TABLE_SIZE = 65521
STEP = 4099


def table():
    import numpy as np

    with np.errstate(over="ignore"):
        word = np.arange(1, TABLE_SIZE + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        word = word ^ (word >> np.uint64(31))
    return ((word >> np.uint64(40)).astype(np.float64) * 2.0**-24).astype(np.float32)


def made(uniform, number: int, shape, name: str | None = None):
    """The values of a variable; of the images where it has no name."""
    import numpy as np

    count = int(np.prod(shape))
    u = np.resize(np.roll(uniform, -(STEP * number % TABLE_SIZE)), count).reshape(shape)
    signed = np.float32(2) * u - np.float32(1)
    if name is None:
        return np.floor(np.float32(256) * u)
    if name in ("kernel", "depthwise_kernel", "pointwise_kernel"):
        # A kernel of a channel by itself sums over its window alone.
        inputs = np.prod(shape[:2] if name == "depthwise_kernel" else shape[:-1])
        return signed * np.float32(np.sqrt(6 / inputs))
    if name == "count":
        return np.zeros(shape, np.float32)
    if name in ("moving_variance", "variance"):
        return np.float32(0.5) + u
    # The factors of ConvNeXt's LayerScale have no name of their own: `variable_3`.
    if name == "gamma" or name.startswith("variable"):
        return np.float32(0.8) + np.float32(0.4) * u
    return np.float32(0.1) * signed


def computed(keras, case) -> dict:
    network, top, count, height, width, pooling = case
    keras.utils.clear_session()
    function, preprocess = common.application(network)
    options = {"classes": CLASSES, "classifier_activation": None} if top else {"pooling": pooling}
    model = function(weights=None, include_top=top, input_shape=(height, width, 3), **options)
    uniform = table()
    for number, variable in enumerate(model.weights):
        variable.assign(made(uniform, number, tuple(variable.shape), variable.name))
    common.finalize(model)
    images = made(uniform, 0, (count, height, width, 3))
    outputs = model.predict(preprocess(images.copy()), verbose=0)
    # The names of Keras's own networks' layers stand in architectures.json.
    names = {"weighted": [layer.name for layer in model.layers if layer.weights]} if not hasattr(keras.applications, network.partition("-")[0]) else {}
    return names | {
        "network": network, "includeTop": top, "inputShape": [height, width, 3], "pooling": pooling,
        "classes": CLASSES, "count": count, "outputs": common.float32_list(outputs),
    }


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    keras = common.import_keras()
    cases = [computed(keras, case) for case in CASES]
    if not arguments.check:
        common.write_json(FIXTURE, {"versions": common.pinned_versions(), "cases": cases})
        return 0
    checks = common.Checks()
    for case, expected in zip(cases, json.loads(FIXTURE.read_text())["cases"]):
        name = f"{case['network']} {case['inputShape']}{' with top' if case['includeTop'] else ''}"
        checks.claim(f"{name}: layers", case.get("weighted") == expected.get("weighted"))
        checks.compare(name, case["outputs"], expected["outputs"], tolerance=TOLERANCE)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
