"""Models as Keras builds them: layer order, names, counts and configurations.

Writes Tests/GraftModelTests/Fixtures/keras-models.json, which the tests of GraftModel build the same models against.
With `--check`, builds them again and compares with that file.
"""

from __future__ import annotations

import json
import math
import sys

import common

FIXTURE = common.ROOT / "Tests/GraftModelTests/Fixtures/keras-models.json"


def every_layer(keras):
    """One of each layer, with arguments that are not the defaults."""
    L = keras.layers
    x = keras.Input((8, 9, 3))
    y = L.Conv2D(4, (3, 2), strides=(1, 2), padding="same", activation="relu", use_bias=False)(x)
    y = L.BatchNormalization(momentum=0.9, epsilon=1e-4, scale=False)(y)
    y = L.Activation("relu6")(y)
    y = L.Rescaling(1 / 127.5, offset=-1)(y)
    y = L.ReLU(max_value=6.0, negative_slope=0.25)(y)
    y = L.DepthwiseConv2D(3, depth_multiplier=2, activation="swish", depthwise_initializer="he_normal")(y)
    y = L.ZeroPadding2D(((1, 0), (2, 1)))(y)
    y = L.Normalization(mean=[0.5] * 8, variance=[2.0] * 8)(y)
    y = L.Normalization()(y)
    a = L.MaxPooling2D(3, strides=1, padding="same")(y)
    b = L.AveragePooling2D((2, 2), strides=(1, 1), padding="same")(y)
    y = L.Concatenate()([a, b])
    y = L.Add()([y, L.Multiply()([y, y])])
    y = L.Conv2D(8, 2, groups=4, dilation_rate=2, kernel_initializer=keras.initializers.VarianceScaling(seed=3))(y)
    c = L.GlobalMaxPooling2D()(y)
    d = L.Flatten()(L.GlobalAveragePooling2D(keepdims=True)(y))
    y = L.Concatenate(axis=1)([c, d])
    y = L.Reshape((4, -1))(y)
    y = L.Dense(5, activation="gelu", bias_initializer=keras.initializers.Constant(0.25))(y)
    y = L.Dropout(0.3, seed=7)(L.Flatten()(y))
    y = L.Dense(3, activation="softmax", trainable=False, name="classes")(y)
    return keras.Model(x, y, name="every_layer")


def branches(keras):
    """Two modules of four branches each, as in InceptionV3: depth decides the order, not creation."""
    L = keras.layers

    def convolution(x, filters, size):
        x = L.Conv2D(filters, size, padding="same", use_bias=False)(x)
        return L.Activation("relu")(L.BatchNormalization(scale=False)(x))

    def module(x, name):
        one = convolution(x, 2, 1)
        five = convolution(convolution(x, 3, 1), 4, 5)
        three = convolution(convolution(convolution(x, 2, 1), 3, 3), 3, 3)
        pool = convolution(L.AveragePooling2D(3, strides=1, padding="same")(x), 2, 1)
        return L.concatenate([one, five, three, pool], axis=3, name=name)

    x = keras.Input((7, 7, 3))
    y = module(module(convolution(x, 4, 3), "mixed0"), "mixed1")
    return keras.Model(x, L.GlobalAveragePooling2D()(y))


def shared(keras):
    """A layer that is called twice, at two depths; several inputs and outputs; one input that nothing reads."""
    L = keras.layers
    left, right, idle = keras.Input((4,)), keras.Input((4,), name="right"), keras.Input((2,))
    twice = L.Dense(4, activation="tanh")
    first = twice(left)
    second = twice(L.Dense(4)(right))
    joined = L.Add()([first, second])
    return keras.Model([left, right, idle], [L.Dense(2)(joined), twice(joined)])


def nested(keras):
    """Models as layers: a functional one called twice, a sequential one, one with two outputs; some frozen."""
    L = keras.layers
    x = keras.Input((6, 6, 2))
    y = L.BatchNormalization()(L.Conv2D(3, 3)(x))
    base = keras.Model(x, y, name="base")
    base.trainable = False
    head = keras.Sequential([L.GlobalAveragePooling2D(), L.Dense(3, activation="relu"), L.Dropout(0.5)])
    z = keras.Input((3,))
    split = keras.Model(z, [L.Dense(2)(z), L.Dense(4)(z)])
    a, b = keras.Input((6, 6, 2)), keras.Input((6, 6, 2))
    left, right = base(a, training=False), base(b)
    two, four = split(head(L.Multiply()([left, right])))
    return keras.Model([a, b], [L.Dense(1, activation="sigmoid")(two), four, base(b, training=False)])


def sequential(keras):
    """A stack with an input, with a model at the bottom of a stack inside."""
    L = keras.layers
    inner = keras.Sequential([keras.Input((5, 5, 1)), L.Conv2D(2, 3), L.BatchNormalization(center=False)])
    outer = keras.Sequential([inner, L.Flatten(), L.Dense(4, activation="elu"), L.Dense(1)], name="outer")
    outer.layers[0].layers[0].trainable = False
    return outer


def residual(keras):
    """Blocks with shortcuts of different length."""
    L = keras.layers
    x = keras.Input((8, 8, 4))
    y = x
    for block in range(3):
        inner = L.Conv2D(4, 3, padding="same", name=f"block{block}_conv")(y)
        inner = L.BatchNormalization(name=f"block{block}_bn")(inner)
        if block == 1:
            y = L.Conv2D(4, 1, name="block1_shortcut")(y)
        y = L.Activation("relu")(L.Add()([y, inner]))
    return keras.Model(x, L.Add()([y, x]))


BUILDERS = [every_layer, branches, shared, nested, sequential, residual]


def case(keras, build) -> dict:
    keras.utils.clear_session()
    model = build(keras)
    return {
        "name": build.__name__,
        "layers": [layer.name for layer in model.layers],
        "variables": [{"name": v.name, "shape": list(v.shape)} for v in model.weights],
        "trainable": [v.path for v in model.trainable_variables],
        "parameters": model.count_params(),
        "trainableParameters": sum(math.prod(v.shape) for v in model.trainable_variables),
        "outputShapes": [list(output.shape)[1:] for output in model.outputs],
        "config": json.loads(model.to_json()),
    }


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    keras = common.import_keras()
    fixture = {"versions": common.pinned_versions(), "cases": [case(keras, build) for build in BUILDERS]}
    if not arguments.check:
        FIXTURE.parent.mkdir(parents=True, exist_ok=True)
        common.write_json(FIXTURE, fixture)
        return 0
    committed = {item["name"]: item for item in json.loads(FIXTURE.read_text())["cases"]}
    checks = common.Checks()
    for item in fixture["cases"]:
        checks.claim(item["name"], json.loads(json.dumps(item)) == committed.get(item["name"]))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
