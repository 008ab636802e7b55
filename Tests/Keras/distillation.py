#!/usr/bin/env python3
"""Twelve steps of a small student of two teachers, computed by Keras: what distillation in Graft must equal.

    Tests/Keras/distillation.py            writes Tests/GraftTrainingTests/Fixtures/distillation.json
    Tests/Keras/distillation.py --check    computes it again and compares with the committed file

One teacher gives features, a map whose mean over the places is standardized; the student learns them by cosine and squared
error. The other sees the second input of an example and gives logits, which the student learns at a temperature. The loss is
made of Keras's own: cosine_similarity, mean_squared_error, kl_divergence.
"""

from __future__ import annotations

import json
import sys

import common
import numpy as np

FIXTURE = common.ROOT / "Tests/GraftTrainingTests/Fixtures/distillation.json"
COUNT, HELD_OUT, BATCH, EPOCHS = 12, 5, 5, 4
FEATURES, CLASSES = 4, 3
LESSONS = {"cosine": 0.75, "squaredError": 0.5, "temperature": 3.0, "weight": 2.0}
OPTIMIZERS = [
    ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
    ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.05}),
]


def examples():
    """Two inputs of each example, those to learn from first: the student's, which is the first teacher's too, and the
    second teacher's."""
    random = np.random.RandomState(11)
    count = COUNT + HELD_OUT
    own = random.normal(0, 1, (count, 8, 8, 3)).round(2).astype("float32")
    other = random.normal(0, 1, (count, 5, 5, 3)).round(2).astype("float32")
    return own, other


def feature_teacher(keras):
    image = keras.Input((8, 8, 3))
    return keras.Model(image, keras.layers.Conv2D(FEATURES, 3, strides=2, activation="relu")(image))


def logit_teacher(keras):
    image = keras.Input((5, 5, 3))
    x = keras.layers.Conv2D(6, 3, activation="relu")(image)
    return keras.Model(image, keras.layers.Dense(CLASSES)(keras.layers.Flatten()(x)))


def trainee(keras):
    """The student, which gives a map, and a dense layer on its mean for each teacher."""
    layers = keras.layers
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 3, strides=2, use_bias=False)(image)
    x = layers.Activation("relu")(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.GlobalAveragePooling2D()(x)
    answers = [layers.Dense(FEATURES, name="lesson_0")(x), layers.Dense(CLASSES, name="lesson_1")(x)]
    return keras.Model(image, layers.Concatenate()(answers))


def randomize(model, seed: int) -> list[list[float]]:
    """Seeded values; kernels twice as wide, so that logits differ by more than rounding shows."""
    random = np.random.RandomState(seed)
    for variable in model.weights:
        values = common.random_values(variable.name, tuple(variable.shape), random)
        variable.assign((values * (2 if values.ndim > 1 else 1)).astype("float32"))
    return [common.float32_list(v.numpy()) for v in model.weights]


def loss(keras):
    losses, ops = keras.losses, keras.ops

    def distillation(targets, answers):
        features, logits = answers[:, :FEATURES], answers[:, FEATURES:]
        wanted, teacher = targets[:, :FEATURES], targets[:, FEATURES:]
        # As a loss, it is -1 for one direction and 1 for the opposite one.
        cosine = 1 + losses.cosine_similarity(wanted, features)
        squared = losses.mean_squared_error(wanted, features)
        t = LESSONS["temperature"]
        divergence = losses.kl_divergence(ops.softmax(teacher / t), ops.softmax(logits / t))
        return LESSONS["cosine"] * cosine + LESSONS["squaredError"] * squared + LESSONS["weight"] * t**2 * divergence

    return distillation


def answers(keras) -> tuple[dict, np.ndarray]:
    """What both teachers say of all examples, side by side, and what they are."""
    own, other = examples()
    first, second = feature_teacher(keras), logit_teacher(keras)
    weights = [randomize(first, 21), randomize(second, 22)]
    pooled = np.asarray(first(own)).mean((1, 2), dtype=np.float64)
    learned = pooled[:COUNT]
    normalization = keras.layers.Normalization(mean=learned.mean(0), variance=learned.var(0))
    features = np.asarray(normalization(pooled.astype("float32")))
    joined = np.concatenate([features, np.asarray(second(other))], -1).astype("float32")
    case = {
        "inputs": [common.float32_list(own), common.float32_list(other)],
        "teachers": weights,
        "answers": common.float32_list(joined),
    }
    return case, joined


def run(keras, name: str, arguments: dict, targets: np.ndarray) -> dict:
    """Twelve steps, in order, the last of each epoch of two examples alone."""
    own, _ = examples()
    model = trainee(keras)
    start = randomize(model, 23)
    model.compile(optimizer=getattr(keras.optimizers, name)(**arguments), loss=loss(keras))
    losses = []
    for _ in range(EPOCHS):
        for first in range(0, COUNT, BATCH):
            rows = slice(first, min(first + BATCH, COUNT))
            losses.append(float(model.train_on_batch(own[rows], targets[rows])))
            # What train_on_batch returns is the mean over all steps since the last reset.
            model.reset_metrics()
    return {
        "optimizer": name,
        "arguments": arguments,
        "start": start,
        "losses": losses,
        "heldOut": float(model.evaluate(own[COUNT:], targets[COUNT:], batch_size=HELD_OUT, verbose=0)),
    }


def compute() -> dict:
    keras = common.import_keras()
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    case, targets = answers(keras)
    return {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__},
        "lessons": LESSONS,
        **case,
        "runs": [run(keras, name, arguments, targets) for name, arguments in OPTIMIZERS],
    }


def check(computed: dict) -> int:
    checks = common.Checks()
    committed = json.loads(FIXTURE.read_text())
    checks.compare("the teachers' answers", computed["answers"], committed["answers"], 1e-5)
    for old, new in zip(committed["runs"], computed["runs"], strict=True):
        checks.compare(f"{new['optimizer']}, losses", new["losses"], old["losses"], 1e-5, "element")
        checks.compare(f"{new['optimizer']}, held out", [new["heldOut"]], [old["heldOut"]], 1e-5, "element")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(common.run_fixture(__doc__, FIXTURE, compute, check))
