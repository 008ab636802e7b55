"""Custom classes that are called like Keras's own, operators such as `x + y` and activations without a name, as Keras
writes them.

Writes Tests/GraftModelTests/Fixtures/custom-classes.json: models that Graft has to refuse, with the name that says which
class is meant, and models with operators and such activations, with what Keras computes for them. With `--check`, makes them again and compares
with that file.
"""

from __future__ import annotations

import json
import sys

import common

FIXTURE = common.ROOT / "Tests/GraftModelTests/Fixtures/custom-classes.json"


def classes(keras) -> dict:
    """Classes that bear the names of Keras's and compute, or are, something else."""
    L = keras.layers
    register = keras.saving.register_keras_serializable

    @register("my")
    class Dense(L.Dense):
        """Twice what it should be."""

        def call(self, inputs):
            return 2 * super().call(inputs)

    registered = Dense

    class Dense(L.Dense):  # noqa: F811
        """The same, and nobody registered it."""

        def call(self, inputs):
            return 2 * super().call(inputs)

    @register("my")
    class BatchNormalization(L.BatchNormalization):
        """Divides by the variance, not by its root."""

        def call(self, inputs, training=None, mask=None):
            return (inputs - self.moving_mean) / (self.moving_variance + self.epsilon) * self.gamma + self.beta

    @register("weights")
    class Conv2D(L.Conv2D):
        """Weight standardization."""

        def call(self, inputs):
            kernel = self.kernel - keras.ops.mean(self.kernel, axis=(0, 1, 2), keepdims=True)
            return keras.ops.conv(inputs, kernel, padding="valid")

    @register("my")
    class HeNormal(keras.initializers.HeNormal):
        """Another initializer."""

    @register("my")
    class L2(keras.regularizers.L2):
        """Another penalty."""

    @register("my")
    class Sequential(keras.Sequential):
        """Another order of calls."""

        def call(self, inputs, training=None, mask=None):
            return -super().call(inputs)

    image, row = (5, 5, 2), (4,)
    return {
        "registered Dense": ("my>Dense", stack(keras, row, registered(3))),
        "unregistered Dense": ("Dense", stack(keras, row, Dense(3))),
        "BatchNormalization": ("my>BatchNormalization", stack(keras, image, BatchNormalization())),
        "Conv2D": ("weights>Conv2D", stack(keras, image, Conv2D(3, 3))),
        "initializer": ("my>HeNormal", stack(keras, row, L.Dense(3, kernel_initializer=HeNormal()))),
        "regularizer": ("my>L2", stack(keras, row, L.Dense(3, kernel_regularizer=L2()))),
        "model": ("my>Sequential", Sequential([keras.Input(row), L.Dense(3)])),
    }


def stack(keras, shape, layer):
    return keras.Sequential([keras.Input(shape), layer])


def operators(keras) -> dict:
    """Models of operators alone; those of one rank agree with the layers of the same names."""

    def model(*shapes, of):
        inputs = [keras.Input(shape, name=f"x{index}") for index, shape in enumerate(shapes)]
        return keras.Model(inputs, of(*inputs))

    return {
        "sum": model((4,), (4,), of=lambda x, y: x + y),
        "sum that broadcasts": model((3, 4), (1, 4), of=lambda x, y: x + y),
        "product": model((3, 4), (3, 1), of=lambda x, y: x * y),
        "square": model((4,), of=lambda x: x * x),
    }


def activations(keras) -> dict:
    """A layer whose activation has no name: Keras writes the operation."""
    from keras.src.ops.nn import Gelu

    return {
        name: stack(keras, (7,), keras.layers.Activation(Gelu(approximate=approximate)))
        for name, approximate in (("gelu", False), ("gelu_tanh", True))
    }


def refused_operators(keras) -> dict:
    x, y = keras.Input((4,), name="x0"), keras.Input((3, 4), name="x1")
    return {"ranks": keras.Model([x, y], x + y)}


def configuration(model) -> dict:
    return json.loads(model.to_json())


def values(shape, seed):
    import numpy as np

    return np.random.RandomState(seed).uniform(-1, 1, shape).astype("float32")


def array(tensor) -> dict:
    import numpy as np

    tensor = np.asarray(tensor)
    return {"shape": list(tensor.shape), "values": [float(value) for value in tensor.ravel()]}


def operator_case(name: str, model, scale: float = 1) -> dict:
    inputs = [scale * values((2, *x.shape[1:]), seed) for seed, x in enumerate(model.inputs)]
    output = model(inputs)
    return {
        "name": name, "config": configuration(model), "inputs": [array(x) for x in inputs], "output": array(output),
    }


def build(keras) -> dict:
    keras.utils.clear_session()
    return {
        "versions": {name: common.pinned_versions()[name] for name in ("keras", "tensorflow-cpu")},
        "custom": [
            {"name": name, "class": full_name, "config": configuration(model)}
            for name, (full_name, model) in classes(keras).items()
        ],
        "operators": [operator_case(name, model) for name, model in operators(keras).items()],
        "activations": [operator_case(name, model, scale=4) for name, model in activations(keras).items()],
        "refusedOperators": [
            {"name": name, "config": configuration(model)} for name, model in refused_operators(keras).items()
        ],
    }


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    fixture = json.loads(json.dumps(build(common.import_keras())))
    if not arguments.check:
        common.write_json(FIXTURE, fixture)
        return 0
    committed = json.loads(FIXTURE.read_text())
    checks = common.Checks()
    for key in fixture:
        checks.claim(key, fixture[key] == committed[key])
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
