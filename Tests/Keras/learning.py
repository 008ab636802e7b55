"""Expected values of optimizers with their settings, schedules, losses, metrics, weights and penalties, computed by Keras.

    Tests/Keras/learning.py            writes Tests/KerasFixtures/Fixtures/learning.json
    Tests/Keras/learning.py --check    computes them again and compares with the committed file
"""

from __future__ import annotations

import json
import sys

import common
import numpy as np
import training

FIXTURE = common.ROOT / "Tests/KerasFixtures/Fixtures/learning.json"

#: Name, Keras's arguments, and what is not a number: words that exclude from weight decay, a schedule.
OPTIMIZERS = [
    ("Adam", {"amsgrad": True, "learning_rate": 0.01}, {}),
    ("Adam", {"learning_rate": 0.01, "weight_decay": 0.1}, {}),
    ("AdamW", {}, {}),
    ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.5, "amsgrad": True, "beta_1": 0.7}, {"exclude": ["bias"]}),
    ("Nadam", {}, {}),
    ("Nadam", {"learning_rate": 0.05, "beta_1": 0.6, "beta_2": 0.9, "epsilon": 1e-3, "weight_decay": 0.01}, {}),
    ("Adagrad", {}, {}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 1.0, "epsilon": 0.01}, {}),
    ("Lion", {}, {}),
    ("Lion", {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.7, "weight_decay": 0.2}, {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.05}, {}),
    ("SGD", {"learning_rate": 0.1, "clipvalue": 0.5}, {}),
    ("SGD", {"learning_rate": 0.1, "clipnorm": 1.0}, {}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 1.5}, {}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "centered": True, "weight_decay": 0.1, "clipnorm": 2.0}, {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "gradient_accumulation_steps": 3}, {}),
    ("Adam", {"learning_rate": 0.05, "gradient_accumulation_steps": 2, "global_clipnorm": 1.0, "weight_decay": 0.1}, {}),
    ("Nadam", {"learning_rate": 0.05, "gradient_accumulation_steps": 4}, {}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True}, {}),
    ("Adam", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 3}, {}),
    (
        "SGD",
        {
            "learning_rate": 0.1,
            "use_ema": True,
            "ema_momentum": 0.5,
            "ema_overwrite_frequency": 2,
            "gradient_accumulation_steps": 2,
        },
        {},
    ),
    ("AdamW", {}, {"schedule": ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 8, "alpha": 0.1})}),
    ("SGD", {"gradient_accumulation_steps": 2}, {"schedule": ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5})}),
]

SCHEDULES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.9}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 6, "decay_rate": 2.0, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [10, 25], "values": [0.1, 0.05, 0.001]}),
    ("PiecewiseConstantDecay", {"boundaries": [20], "values": [1.0, 0.5]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 12, "end_learning_rate": 0.01, "power": 2.0, "cycle": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 30}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 30, "alpha": 0.2}),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 25, "warmup_target": 0.1, "warmup_steps": 10}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 25, "warmup_steps": 10}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 10}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 7, "t_mul": 1.5, "m_mul": 0.8, "alpha": 0.1}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 12, "t_mul": 1.0, "m_mul": 0.5}),
]

SCHEDULE_STEPS = 50


def keras_schedule(keras, name: str, arguments: dict):
    return getattr(keras.optimizers.schedules, name)(**arguments)


def optimizer_gradients() -> list[list]:
    """Ten gradients of a `kernel` of five elements and a `bias` of three, with zeros and large ones among them."""
    random = np.random.RandomState(3)
    kernels, biases = random.normal(0, 1, (10, 5)).astype("float32"), random.normal(0, 1, (10, 3)).astype("float32")
    kernels[:, 0] = 0
    kernels[4] *= 20
    biases[6] = 0
    return [list(pair) for pair in zip(kernels, biases)]


def optimizer_cases(keras) -> list[dict]:
    cases = []
    for name, arguments, extra in OPTIMIZERS:
        kernel = keras.Variable(np.linspace(-1, 1, 5).astype("float32"), name="kernel")
        bias = keras.Variable(np.linspace(0.5, -0.5, 3).astype("float32"), name="bias")
        schedule = {"learning_rate": keras_schedule(keras, *extra["schedule"])} if "schedule" in extra else {}
        optimizer = getattr(keras.optimizers, name)(**arguments, **schedule)
        if "exclude" in extra:
            optimizer.exclude_from_weight_decay(var_names=extra["exclude"])
        values = []
        for gradients in optimizer_gradients():
            optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], [kernel, bias])
            values.append([common.float32_list(v.numpy()) for v in (kernel, bias)])
        case = {"optimizer": name, "arguments": arguments, "values": values}
        if "exclude" in extra:
            case["exclude"] = extra["exclude"]
        if "schedule" in extra:
            case["schedule"] = {"name": extra["schedule"][0], "arguments": extra["schedule"][1]}
        if arguments.get("use_ema"):
            optimizer.finalize_variable_values([kernel, bias])
            case["averages"] = [common.float32_list(v.numpy()) for v in (kernel, bias)]
        cases.append(case)
    return cases


def schedule_cases(keras) -> list[dict]:
    return [
        {
            "name": name,
            "arguments": arguments,
            "values": common.float32_list([float(keras_schedule(keras, name, arguments)(s)) for s in range(SCHEDULE_STEPS)]),
        }
        for name, arguments in SCHEDULES
    ]


def loss_cases(keras) -> list[dict]:
    random = np.random.RandomState(4)
    logits = random.normal(0, 2, (4, 5)).astype("float32")
    logits[0, :2] = [0, 30]
    spread = random.uniform(0.01, 0.99, (4, 5)).astype("float32")
    rows = (spread / spread.sum(-1, keepdims=True)).astype("float32")
    bits = random.randint(0, 2, (4, 5)).astype("float32")
    signs = bits * 2 - 1
    numbers = random.normal(0, 2, (4, 5)).astype("float32")
    one_hot = np.eye(5, dtype="float32")[[2, 0, 4, 1]]
    cases = [
        ("BinaryFocalCrossentropy", {}, "sigmoid", logits, bits),
        ("BinaryFocalCrossentropy", {"gamma": 3.5, "apply_class_balancing": True, "alpha": 0.3}, "sigmoid", logits, bits),
        ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "linear", logits, bits),
        ("BinaryFocalCrossentropy", {"gamma": 1.0}, "linear", spread, bits),
        ("CategoricalFocalCrossentropy", {}, "softmax", logits, one_hot),
        ("CategoricalFocalCrossentropy", {"gamma": 0.5, "alpha": 0.7, "label_smoothing": 0.1}, "softmax", logits, one_hot),
        ("CategoricalFocalCrossentropy", {"from_logits": True}, "linear", logits, one_hot),
        ("CategoricalFocalCrossentropy", {}, "linear", rows, one_hot),
        ("Hinge", {}, "linear", numbers, signs),
        ("Hinge", {}, "linear", numbers, bits),
        ("SquaredHinge", {}, "linear", numbers, bits),
        ("SquaredHinge", {}, "linear", numbers, signs),
        ("CategoricalHinge", {}, "linear", numbers, one_hot),
        ("Huber", {}, "linear", numbers, spread),
        ("Huber", {"delta": 2.5}, "linear", numbers, spread),
        ("MeanAbsoluteError", {}, "linear", numbers, spread),
    ]
    return [training.loss_case(keras, *case) for case in cases]


def metric_batches() -> dict[str, list]:
    """Three batches, of unequal size, of each kind of predictions and targets."""
    random = np.random.RandomState(5)
    binary, one_hot, sparse, numbers = [], [], [], []
    for size in (6, 4, 7):
        column = random.uniform(0, 1, (size, 1)).astype("float32")
        # On thresholds, and at the ends.
        column[:4, 0] = [0, 1, 0.5, 0.25]
        binary.append((column, random.randint(0, 2, (size, 1)).astype("float32")))
        rows = random.uniform(0, 1, (size, 4)).astype("float32")
        rows[1, :3] = rows[1, 0]
        rows = (rows / rows.sum(-1, keepdims=True)).astype("float32")
        classes = random.randint(0, 4, size)
        one_hot.append((rows, np.eye(4, dtype="float32")[classes]))
        sparse.append((rows, classes.astype("float32")))
        numbers.append((random.normal(0, 2, (size, 3)).astype("float32"), random.normal(0, 2, (size, 3)).astype("float32")))
    return {"binary": binary, "one_hot": one_hot, "sparse": sparse, "numbers": numbers}


METRICS = [
    ("Precision", {}, "binary"),
    ("Precision", {"thresholds": 0.3}, "binary"),
    ("Precision", {"class_id": 2, "thresholds": 0.25}, "one_hot"),
    ("Precision", {"top_k": 2}, "one_hot"),
    ("Recall", {}, "binary"),
    ("Recall", {"thresholds": 0.25}, "one_hot"),
    ("Recall", {"top_k": 2, "class_id": 1}, "one_hot"),
    ("F1Score", {"threshold": 0.5, "average": "micro"}, "binary"),
    ("F1Score", {"average": "micro"}, "one_hot"),
    ("F1Score", {"average": "macro"}, "one_hot"),
    ("F1Score", {"average": "weighted", "threshold": 0.3}, "one_hot"),
    ("FBetaScore", {"average": "macro", "beta": 2.0}, "one_hot"),
    ("AUC", {}, "binary"),
    ("AUC", {"num_thresholds": 10}, "binary"),
    ("AUC", {"curve": "PR"}, "binary"),
    ("AUC", {"curve": "PR", "num_thresholds": 5, "summation_method": "minoring"}, "binary"),
    ("AUC", {"summation_method": "majoring", "num_thresholds": 20}, "one_hot"),
    ("AUC", {"curve": "PR", "from_logits": True}, "binary"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one_hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, "sparse"),
    ("MeanAbsoluteError", {}, "numbers"),
    ("MeanSquaredError", {}, "numbers"),
    ("RootMeanSquaredError", {}, "numbers"),
]


def batch_cases() -> list[dict]:
    return [
        {
            "kind": kind,
            "predictions": [common.float32_list(p) for p, _ in batches],
            "predictionShapes": [list(p.shape) for p, _ in batches],
            "targets": [common.float32_list(t) for _, t in batches],
            "targetShapes": [list(t.shape) for _, t in batches],
        }
        for kind, batches in metric_batches().items()
    ]


def metric_cases(keras) -> list[dict]:
    cases = []
    for name, arguments, kind in METRICS:
        metric = getattr(keras.metrics, name)(**arguments)
        values = []
        for predictions, targets in metric_batches()[kind]:
            metric.update_state(targets, predictions)
            values.append(float(metric.result()))
        cases.append({"metric": name, "arguments": arguments, "batches": kind, "values": values})
    return cases


def fit_cases(keras) -> list[dict]:
    """Two epochs of a small classifier in batches of eight, in order: class weights, sample weights, penalties."""
    regularizers = keras.regularizers
    return [
        fit_case(keras, "class weights", class_weight={0: 0.5, 2: 3.0}),
        fit_case(keras, "sample weights", weigh=True),
        fit_case(keras, "penalties", penalties=(regularizers.L1L2(0.01, 0.02), regularizers.L2(0.03), regularizers.L1(0.04))),
        fit_case(keras, "penalties of a frozen layer", penalties=(regularizers.L2(0.5), None, regularizers.L2(0.1)), frozen=True),
        fit_case(keras, "accumulation and average", optimizer={"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.8}),
    ]


def fit_case(keras, name: str, class_weight=None, weigh=False, penalties=(None, None, None), frozen=False, optimizer=None) -> dict:
    random = np.random.RandomState(6)
    inputs = random.normal(0, 1, (20, 4)).astype("float32")
    targets = inputs[:, :3].argmax(-1).astype("float32")
    weights = random.uniform(0, 2, 20).astype("float32")
    hidden = keras.layers.Dense(5, activation="relu", kernel_regularizer=penalties[0], bias_regularizer=penalties[1])
    last = keras.layers.Dense(3, activation="softmax", kernel_regularizer=penalties[2])
    model = keras.Sequential([keras.Input((4,)), hidden, last])
    start = [random.normal(0, 0.5, tuple(v.shape)).astype("float32") for v in model.trainable_variables]
    for variable, value in zip(model.trainable_variables, start):
        variable.assign(value)
    hidden.trainable = not frozen
    optimizer = keras.optimizers.Adam(learning_rate=0.05, **(optimizer or {}))
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    history = model.fit(
        inputs,
        targets,
        batch_size=8,
        epochs=2,
        shuffle=False,
        verbose=0,
        class_weight=class_weight,
        sample_weight=weights if weigh else None,
    )
    case = {
        "name": name,
        "inputs": common.float32_list(inputs),
        "targets": common.float32_list(targets),
        "start": [common.float32_list(v) for v in start],
        "losses": history.history["loss"],
        "evaluation": float(model.evaluate(inputs, targets, batch_size=8, verbose=0)),
        "values": [common.float32_list(v.numpy()) for v in hidden.weights + last.weights],
    }
    return case | ({"weights": common.float32_list(weights)} if weigh else {})


def compute() -> dict:
    keras = common.import_keras()
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    return {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__},
        "gradients": [[common.float32_list(g) for g in step] for step in optimizer_gradients()],
        "optimizers": optimizer_cases(keras),
        "schedules": schedule_cases(keras),
        "losses": loss_cases(keras),
        "batches": batch_cases(),
        "metrics": metric_cases(keras),
        "fits": fit_cases(keras),
    }


def check(computed: dict) -> int:
    checks = common.Checks()
    committed = json.loads(FIXTURE.read_text())
    for old, new in zip(committed["optimizers"], computed["optimizers"], strict=True):
        for index, part in enumerate(("kernel", "bias")):
            received, expected = [step[index] for step in new["values"]], [step[index] for step in old["values"]]
            checks.compare(f"{new['optimizer']} {new['arguments']}, {part}", received, expected, 1e-6)
    for old, new in zip(committed["schedules"], computed["schedules"], strict=True):
        checks.compare(f"{new['name']} {new['arguments']}", new["values"], old["values"], 1e-6)
    common.compare_losses(checks, committed["losses"], computed["losses"])
    for old, new in zip(committed["metrics"], computed["metrics"], strict=True):
        checks.compare(f"{new['metric']} {new['arguments']}", new["values"], old["values"], 1e-6)
    for old, new in zip(committed["fits"], computed["fits"], strict=True):
        checks.compare(f"fit with {new['name']}", new["losses"], old["losses"], 1e-4, relative="element")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(common.run_fixture(__doc__, FIXTURE, compute, check))
