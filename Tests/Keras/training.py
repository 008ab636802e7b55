"""Expected values of losses, optimizers and a hundred training steps, computed by Keras.

    Tests/Keras/training.py            writes Tests/KerasFixtures/Fixtures/training.json
    Tests/Keras/training.py --check    computes them again and compares with the committed file
"""

from __future__ import annotations

import json
import sys

import common
import numpy as np

FIXTURE = common.ROOT / "Tests/KerasFixtures/Fixtures/training.json"

OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.5, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.8}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True, "epsilon": 1e-3}),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.7, "momentum": 0.9, "centered": True, "epsilon": 1e-2}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}),
]


def optimizer_cases(keras) -> list[dict]:
    random = np.random.RandomState(0)
    gradients = random.normal(0, 1, (10, 6)).astype("float32")
    # A gradient of zero, a tiny and a large one: epsilon's place decides what happens to them.
    gradients[:, 0], gradients[:, 1], gradients[:, 2] = 0, gradients[:, 1] * 1e-5, gradients[:, 2] * 100
    cases = []
    for name, arguments in OPTIMIZERS:
        start = np.linspace(-1, 1, 6).astype("float32")
        variable = keras.Variable(start)
        optimizer = getattr(keras.optimizers, name)(**arguments)
        values = []
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
            values.append(common.float32_list(variable.numpy()))
        cases.append(
            {
                "optimizer": name,
                "arguments": arguments,
                "start": common.float32_list(start),
                "gradients": [common.float32_list(g) for g in gradients],
                "values": values,
            }
        )
    return cases


def loss_cases(keras) -> list[dict]:
    random = np.random.RandomState(1)
    logits = random.normal(0, 2, (4, 5)).astype("float32")
    # Zero, where a wrong rule shows, and numbers for which the plain formula overflows.
    logits[0, :3] = [0, 40, -90]
    logits[1, 0] = 120
    spread = random.uniform(0.01, 0.99, (4, 5)).astype("float32")
    spread[0, 0], spread[0, 1] = 0, 1
    rows = (spread / spread.sum(-1, keepdims=True)).astype("float32")
    bits = random.randint(0, 2, (4, 5)).astype("float32")
    classes = np.array([2, 0, 4, 1], "float32")
    one_hot = np.eye(5, dtype="float32")[classes.astype(int)]
    soft = random.uniform(0, 1, (4, 5)).astype("float32")
    column, column_bits = logits[:, :1].copy(), bits[:, :1].copy()
    cases = [
        ("BinaryCrossentropy", {}, "sigmoid", logits, bits),
        ("BinaryCrossentropy", {"label_smoothing": 0.2}, "sigmoid", logits, bits),
        ("BinaryCrossentropy", {"from_logits": True}, "linear", logits, bits),
        ("BinaryCrossentropy", {}, "linear", spread, bits),
        ("BinaryCrossentropy", {}, "sigmoid", column, column_bits),
        ("CategoricalCrossentropy", {}, "softmax", logits, one_hot),
        ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "softmax", logits, one_hot),
        ("CategoricalCrossentropy", {"from_logits": True}, "linear", logits, one_hot),
        ("CategoricalCrossentropy", {}, "linear", rows, one_hot),
        ("SparseCategoricalCrossentropy", {}, "softmax", logits, classes),
        ("SparseCategoricalCrossentropy", {"from_logits": True}, "linear", logits, classes),
        ("SparseCategoricalCrossentropy", {}, "linear", rows, classes),
        ("MeanSquaredError", {}, "linear", logits[2:], soft[2:]),
    ]
    return [loss_case(keras, *case) for case in cases]


def loss_case(keras, name: str, arguments: dict, activation: str, inputs, targets) -> dict:
    import tensorflow as tf

    loss = getattr(keras.losses, name)(**arguments)
    source = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(source)
        value = loss(targets, keras.layers.Activation(activation)(source) if activation != "linear" else source)
    return {
        "loss": name,
        "arguments": arguments,
        "activation": activation,
        "shape": list(inputs.shape),
        "inputs": common.float32_list(inputs),
        "targetShape": list(targets.shape),
        "targets": common.float32_list(targets),
        "value": float(value),
        "gradient": common.float32_list(tape.gradient(value, source).numpy()),
    }


def head_cases(keras) -> list[dict]:
    return [
        head_case(keras, "RMSprop", {"learning_rate": 1e-3}, "BinaryCrossentropy", "sigmoid", 1),
        head_case(keras, "Adam", {"learning_rate": 1e-2}, "SparseCategoricalCrossentropy", "softmax", 3),
        head_case(keras, "SGD", {"learning_rate": 0.05, "momentum": 0.9}, "SparseCategoricalCrossentropy", "softmax", 3),
    ]


def head_case(keras, optimizer: str, arguments: dict, loss: str, activation: str, units: int) -> dict:
    """A hundred steps of a head of two dense layers, batches of 20 in order, from given values."""
    random = np.random.RandomState(2)
    inputs = random.normal(0, 1, (60, 12)).astype("float32")
    targets = (inputs[:, :3].argmax(-1) % max(units, 2)).astype("float32")
    model = keras.Sequential(
        [keras.Input((12,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(units, activation=activation)]
    )
    start = [random.normal(0, 0.3, tuple(v.shape)).astype("float32") for v in model.trainable_variables]
    for variable, value in zip(model.trainable_variables, start):
        variable.assign(value)
    model.compile(
        optimizer=getattr(keras.optimizers, optimizer)(**arguments), loss=getattr(keras.losses, loss)(), metrics=["accuracy"]
    )
    losses = []
    for step in range(100):
        rows = [(step * 20 + row) % 60 for row in range(20)]
        model.reset_metrics()
        losses.append(float(model.train_on_batch(inputs[rows], targets[rows], return_dict=True)["loss"]))
    loss_after, accuracy_after = model.evaluate(inputs, targets, batch_size=20, verbose=0)
    return {
        "optimizer": optimizer,
        "arguments": arguments,
        "loss": loss,
        "activation": activation,
        "units": units,
        "inputs": common.float32_list(inputs),
        "targets": common.float32_list(targets),
        "start": [common.float32_list(value) for value in start],
        "losses": losses,
        "evaluation": {"loss": loss_after, "accuracy": accuracy_after},
        "predictions": common.float32_list(model.predict(inputs[:5], verbose=0)),
    }


def network_case(keras) -> dict:
    """Five epochs of `fit` on a small convolutional network whose batch normalization trains, with a last batch that is
    not full and with validation."""
    random = np.random.RandomState(3)
    inputs = random.normal(0, 1, (60, 6, 6, 2)).astype("float32")
    # The mean of the left half against that of the right, and how rough the image is: learnable, not trivial.
    left, right = inputs[:, :, :3].mean((1, 2, 3)), inputs[:, :, 3:].mean((1, 2, 3))
    targets = np.where(np.abs(left - right) < 0.12, 2, left > right).astype("float32")
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(6, 3, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.Activation("relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(8, 2, activation="relu"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    for variable in model.weights:
        variable.assign(common.random_values(variable.name, tuple(variable.shape), random).astype("float32"))
    start = [common.float32_list(v.numpy()) for v in model.weights]
    model.compile(
        optimizer=keras.optimizers.SGD(0.05, momentum=0.9), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(
        inputs[:40], targets[:40], batch_size=16, epochs=5, shuffle=False, verbose=0, validation_data=(inputs[40:], targets[40:])
    )
    return {
        "inputs": common.float32_list(inputs),
        "targets": common.float32_list(targets),
        "start": start,
        "history": {key: [float(x) for x in values] for key, values in history.history.items()},
        "end": [common.float32_list(v.numpy()) for v in model.weights],
    }


def constrained_case(keras) -> dict:
    """Four epochs of a network with every constraint and penalty on variables, and penalties on outputs."""
    random = np.random.RandomState(4)
    inputs = random.normal(0, 1, (36, 5, 5, 2)).astype("float32")
    targets = (inputs[..., 0].mean((1, 2)) > 0).astype("float32")
    layers, constraints, regularizers = keras.layers, keras.constraints, keras.regularizers
    model = keras.Sequential(
        [
            keras.Input((5, 5, 2)),
            layers.Conv2D(
                4, 3, activation="relu", kernel_constraint=constraints.MaxNorm(0.9, axis=[0, 1, 2]),
                activity_regularizer=regularizers.L1(1e-3),
            ),
            layers.DepthwiseConv2D(2, depthwise_constraint="non_neg", bias_constraint="unit_norm"),
            layers.BatchNormalization(gamma_constraint=constraints.UnitNorm(), momentum=0.9),
            layers.ActivityRegularization(l1=1e-3, l2=1e-2),
            layers.Flatten(),
            layers.Dense(
                6, activation="tanh", kernel_constraint=constraints.MinMaxNorm(0.4, 1.1, 0.8),
                kernel_regularizer=regularizers.OrthogonalRegularizer(0.5, "columns"),
            ),
            layers.Dense(1, activation="sigmoid", kernel_regularizer=regularizers.L2(1e-2)),
        ]
    )
    for variable in model.weights:
        variable.assign(common.random_values(variable.name, tuple(variable.shape), random).astype("float32"))
    start = [common.float32_list(v.numpy()) for v in model.weights]
    model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9), loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(
        inputs[:24], targets[:24], batch_size=10, epochs=4, shuffle=False, verbose=0,
        validation_data=(inputs[24:], targets[24:]), validation_batch_size=10,
    )
    return {
        "config": json.loads(model.to_json()),
        "inputs": common.float32_list(inputs),
        "targets": common.float32_list(targets),
        "start": start,
        "history": {key: [float(x) for x in values] for key, values in history.history.items()},
        "end": [common.float32_list(v.numpy()) for v in model.weights],
    }


def compute() -> dict:
    keras = common.import_keras()
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    return {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__},
        "optimizers": optimizer_cases(keras),
        "losses": loss_cases(keras),
        "heads": head_cases(keras),
        "networks": [network_case(keras)],
        "constrained": [constrained_case(keras)],
    }


def check(computed: dict) -> int:
    checks = common.Checks()
    committed = json.loads(FIXTURE.read_text())
    for old, new in zip(committed["optimizers"], computed["optimizers"], strict=True):
        checks.compare(f"{new['optimizer']} {new['arguments']}", new["values"], old["values"], 1e-6)
    common.compare_losses(checks, committed["losses"], computed["losses"])
    for old, new in zip(committed["heads"], computed["heads"], strict=True):
        checks.compare(f"100 steps of {new['optimizer']}", new["losses"], old["losses"], 1e-4, relative="element")
    for old, new in zip(committed["networks"], computed["networks"], strict=True):
        for key, values in new["history"].items():
            checks.compare(f"five epochs of a network, {key}", values, old["history"][key], 1e-4, relative="element")
    for old, new in zip(committed["constrained"], computed["constrained"], strict=True):
        for key, values in new["history"].items():
            checks.compare(f"constraints and penalties, {key}", values, old["history"][key], 1e-4, relative="element")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(common.run_fixture(__doc__, FIXTURE, compute, check))
