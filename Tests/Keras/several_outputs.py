"""Expected values of `fit` and `evaluate` of models with several outputs, computed by Keras.

    Tests/Keras/several_outputs.py            writes Tests/GraftTrainingTests/Fixtures/several_outputs.json
    Tests/Keras/several_outputs.py --check    computes them again and compares with the committed file
"""

from __future__ import annotations

import json
import sys

import common
import numpy as np

FIXTURE = common.ROOT / "Tests/GraftTrainingTests/Fixtures/several_outputs.json"

#: What `compile` is given beside the optimizer, and the examples' weights.
CASES = [
    {
        "name": "a loss an output",
        "loss": {"kind": "sparse_categorical_crossentropy", "size": "mean_squared_error"},
        "lossWeights": {"kind": 1.0, "size": 0.3},
        "metrics": {"kind": ["accuracy"], "size": ["mean_absolute_error"]},
    },
    {
        "name": "an output without a loss",
        "loss": {"size": "huber"},
        "lossWeights": {},
        "metrics": {"kind": ["accuracy"]},
    },
    {
        "name": "weighted examples",
        "loss": {"kind": "sparse_categorical_crossentropy", "size": "mean_squared_error"},
        "lossWeights": {"kind": 0.5, "size": 2.0},
        "metrics": {},
        "weighted": True,
    },
]


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.RandomState(4)
    inputs = random.normal(0, 1, (48, 8)).astype("float32")
    kinds = inputs[:, :3].argmax(-1).astype("float32")
    sizes = (inputs[:, 3:5] ** 2).astype("float32")
    weights = random.uniform(0.2, 2, 32).astype("float32")
    return inputs, kinds, sizes, weights


def case(keras, description: dict) -> dict:
    """Three epochs with validation, then `evaluate`.

    All batches are full: Keras's mean of an output's loss is one of batches, Graft's one of examples, as the loss itself is.
    """
    inputs, kinds, sizes, weights = data()
    layers = keras.layers
    start_of = keras.Input((8,))
    hidden = layers.Dense(10, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-2))(start_of)
    kind = layers.Dense(3, activation="softmax", name="kind")(hidden)
    size = layers.Dense(2, name="size")(hidden)
    model = keras.Model(start_of, [kind, size])
    random = np.random.RandomState(5)
    start = [random.normal(0, 0.3, tuple(v.shape)).astype("float32") for v in model.trainable_variables]
    for variable, value in zip(model.trainable_variables, start):
        variable.assign(value)
    losses = {name: loss for name, loss in description["loss"].items()}
    model.compile(
        optimizer=keras.optimizers.SGD(0.05, momentum=0.9),
        loss={"kind": losses.get("kind"), "size": losses.get("size")},
        loss_weights=description["lossWeights"] or None,
        metrics=description["metrics"] or None,
    )
    history = model.fit(
        inputs[:32],
        [kinds[:32], sizes[:32]],
        sample_weight=weights if description.get("weighted") else None,
        batch_size=8,
        epochs=3,
        shuffle=False,
        verbose=0,
        validation_data=(inputs[32:], [kinds[32:], sizes[32:]]),
    )
    evaluation = model.evaluate(inputs[32:], [kinds[32:], sizes[32:]], batch_size=4, verbose=0, return_dict=True)
    return {
        **description,
        "start": [common.float32_list(value) for value in start],
        "history": {key: [float(x) for x in values] for key, values in history.history.items()},
        "evaluation": {key: float(value) for key, value in evaluation.items()},
        "end": [common.float32_list(v.numpy()) for v in model.trainable_variables],
    }


def compute() -> dict:
    keras = common.import_keras()
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    inputs, kinds, sizes, weights = data()
    return {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__},
        "inputs": common.float32_list(inputs),
        "kinds": common.float32_list(kinds),
        "sizes": common.float32_list(sizes),
        "weights": common.float32_list(weights),
        "cases": [case(keras, description) for description in CASES],
    }


def check(computed: dict) -> int:
    checks = common.Checks()
    committed = json.loads(FIXTURE.read_text())
    for old, new in zip(committed["cases"], computed["cases"], strict=True):
        for key, values in new["history"].items():
            checks.compare(f"{new['name']}, {key}", values, old["history"][key], 1e-5, relative="element")
        for key, value in new["evaluation"].items():
            checks.compare(f"{new['name']}, evaluate's {key}", [value], [old["evaluation"][key]], 1e-5, relative="element")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(common.run_fixture(__doc__, FIXTURE, compute, check))
