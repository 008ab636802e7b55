#!/usr/bin/env python3
"""What Keras's callbacks do with given figures: what Graft's callbacks of the same names must do.

    Tests/Keras/callbacks.py            writes Tests/GraftTrainingTests/Fixtures/callbacks.json
    Tests/Keras/callbacks.py --check    computes it again and compares with the committed file, and reads the event files
                                        of a run of `graft train` with the `tensorboard` package

The fixture holds series of monitored figures, and for many settings the epoch at which Keras stops, the epoch whose
weights it gives back, the learning rate of every epoch, the epochs that it saves and under which names, and the text of
its tables. Of TensorBoard it holds the tags and steps that Keras writes.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from pathlib import Path

import common
import numpy as np

FIXTURE = common.ROOT / "Tests/GraftTrainingTests/Fixtures/callbacks.json"


class Model:
    """As much of a model as callbacks look at. Its weights are the number of the epoch after which they stand."""

    def __init__(self, keras, rate: float = 0.5):
        self.stop_training = False
        self.optimizer = keras.optimizers.SGD(rate)
        # Callbacks look for directions in the lists that `compile` makes.
        from keras.src.trainers.compile_utils import MetricsList

        self.metrics = [MetricsList([keras.metrics.BinaryAccuracy(name="accuracy")])]
        self.weights = -1
        self.saved: list[str] = []

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights

    def save(self, path, overwrite=True):
        self.saved.append(Path(path).name)


def series() -> list[list[float]]:
    """Figures that fall and turn, rise, stand still, and jump about; some differ by less than 32 bits can show."""
    random = np.random.RandomState(11)
    falling = [1, 0.8, 0.6, 0.5, 0.52, 0.49, 0.53, 0.54, 0.48, 0.6, 0.7, 0.47]
    plateau = [0.9, 0.7, 0.7, 0.69995, 0.6999, 0.7, 0.7, 0.6, 0.6, 0.6, 0.6, 0.6]
    close = [0.5, 0.5 - 1e-9, 0.5 - 2e-8, 0.5 - 4e-8, 0.5 - 1e-7, 0.5, 0.4999, 0.49985, 0.4998, 0.5, 0.5, 0.5]
    rising = [0.1 * number for number in range(1, 13)]
    walks = [np.round(np.abs(np.cumsum(random.normal(-0.02, 0.1, 12)) + 1), 4).tolist() for _ in range(4)]
    return [[float(x) for x in values] for values in [falling, plateau, close, rising, *walks]]


def play(keras, callback, model: Model, key: str, values: list[float], each=None) -> int:
    """Lets a callback see the epochs until it stops the run; returns how many there were."""
    callback.set_model(model)
    callback.on_train_begin()
    count = 0
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        model.weights = epoch + 1
        callback.on_epoch_end(epoch, {"loss": 1.0, key: value})
        count += 1
        if each:
            each(epoch)
        if model.stop_training:
            break
    callback.on_train_end()
    return count


def early_stopping_cases(keras) -> list[dict]:
    settings = [
        {"patience": patience, "min_delta": delta, "baseline": baseline, "start_from_epoch": start}
        for patience, delta, baseline, start in itertools.product((0, 1, 3), (0, 0.05), (None, 0.55), (0, 2))
    ]
    cases = []
    for (number, values), arguments in itertools.product(enumerate(series()), settings):
        for key, mode in (("val_loss", "auto"), ("val_accuracy", "auto"), ("val_loss", "max"), ("val_accuracy", "min")):
            model = Model(keras)
            callback = keras.callbacks.EarlyStopping(monitor=key, mode=mode, restore_best_weights=True, **arguments)
            epochs = play(keras, callback, model, key, values)
            cases.append(
                {"series": number, "monitor": key, "mode": mode, "arguments": arguments, "epochs": epochs}
                | {"best": callback.best, "bestEpoch": callback.best_epoch + 1, "weights": model.weights}
            )
    return cases


def plateau_cases(keras) -> list[dict]:
    settings = [
        {"patience": patience, "min_delta": delta, "cooldown": cooldown, "factor": factor, "min_lr": lowest}
        for patience, delta, cooldown, (factor, lowest) in itertools.product(
            (1, 2), (1e-4, 0.05), (0, 2), ((0.1, 0), (0.3, 0.04))
        )
    ]
    cases = []
    for (number, values), arguments in itertools.product(enumerate(series()), settings):
        for key, mode in (("val_loss", "auto"), ("val_accuracy", "auto"), ("val_loss", "max")):
            model, rates = Model(keras), []
            callback = keras.callbacks.ReduceLROnPlateau(monitor=key, mode=mode, **arguments)
            play(keras, callback, model, key, values, lambda _: rates.append(float(model.optimizer.learning_rate)))
            cases.append({"series": number, "monitor": key, "mode": mode, "arguments": arguments, "rates": rates})
    return cases


def checkpoint_cases(keras) -> list[dict]:
    settings = [
        {"save_best_only": best, "initial_value_threshold": threshold}
        for best, threshold in ((False, None), (True, None), (True, 0.55))
    ]
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        for (number, values), arguments in itertools.product(enumerate(series()), settings):
            for key, mode in (("val_loss", "auto"), ("val_accuracy", "auto"), ("val_loss", "max")):
                model, name = Model(keras), "{epoch:02d}-{" + key + ":.3f}.keras"
                path = str(Path(folder, name))
                callback = keras.callbacks.ModelCheckpoint(path, monitor=key, mode=mode, **arguments)
                play(keras, callback, model, key, values)
                cases.append(
                    {"series": number, "monitor": key, "mode": mode, "arguments": arguments}
                    | {"name": name, "saved": model.saved}
                )
    return cases


def table_cases(keras) -> list[dict]:
    """Tables with and without validation, with other separators, and behind what was there."""
    numbers = [0.1, 1 / 3, 1e-5, 123456.789, 2.0, 1e-07, 5e20]
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        for index, (separator, before, keys) in enumerate(
            itertools.product((",", ";", "\t"), (None, "", "epoch,loss\r\n0,1.0\r\n"), (("loss", "accuracy"), ("loss", "val_loss")))
        ):
            path = Path(folder, f"{index}.csv")
            if before is not None:
                path.write_bytes(before.encode())
            callback = keras.callbacks.CSVLogger(str(path), separator=separator, append=before is not None)
            callback.on_train_begin()
            rows = [{key: numbers[(epoch + place) % len(numbers)] for place, key in enumerate(keys)} for epoch in range(7)]
            for epoch, row in enumerate(rows):
                callback.on_epoch_end(epoch, row)
            callback.on_train_end()
            cases.append({"separator": separator, "before": before, "rows": rows, "text": path.read_bytes().decode()})
    return cases


def scheduler_cases(keras) -> list[dict]:
    """Rates that the schedule makes of the epoch and of the rate before."""
    schedules = {"halving": lambda epoch, rate: rate * 0.5, "ramp": lambda epoch, rate: 0.01 * (epoch + 1)}
    cases = []
    for name, schedule in schedules.items():
        model, rates = Model(keras), []
        callback = keras.callbacks.LearningRateScheduler(schedule)
        play(keras, callback, model, "val_loss", [1.0] * 5, lambda _: rates.append(float(model.optimizer.learning_rate)))
        cases.append({"schedule": name, "rates": rates})
    return cases


# TensorBoard


def events(folder: Path) -> dict[str, list[tuple[int, list[float]]]]:
    """Every value of every tag in a folder's event files, read with TensorBoard's own classes."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    accumulator.Reload()
    tags = accumulator.Tags()["tensors"]
    return {
        tag: [(e.step, np.ravel(tensor_util.make_ndarray(e.tensor_proto)).tolist()) for e in accumulator.Tensors(tag)]
        for tag in tags
    }


def tensorboard_case(keras) -> dict:
    """The tags and steps of a short run: 20 examples in batches of 8, three epochs."""
    random = np.random.RandomState(1)
    inputs, targets = random.normal(size=(20, 4)).astype("float32"), random.randint(0, 2, 20)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid", name="dense")])
    model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy"])
    with tempfile.TemporaryDirectory() as folder:
        callback = keras.callbacks.TensorBoard(folder, write_graph=False, histogram_freq=2, update_freq="batch")
        validation = (inputs, targets)
        model.fit(inputs, targets, batch_size=8, epochs=3, validation_data=validation, callbacks=[callback], verbose=0)
        found = {part: events(Path(folder, part)) for part in ("train", "validation")}
    steps = {
        part: {tag: [step for step, _ in values] for tag, values in sorted(tags.items())} for part, tags in found.items()
    }
    # Epoch 2 is the last one, so its histogram is that of the kernel as it is now.
    weights = model.layers[0].kernel
    histogram = found["train"][f"{weights.path}/histogram"][-1][1]
    return {"steps": steps, "kernel": common.float32_list(weights.numpy()), "histogram": histogram}


def check_graft_events(checks: common.Checks) -> None:
    """A run of `graft train --tensorboard`: its event files against the events that it prints."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for index, path in enumerate(common.draw_photos(24, folder / "drawn")):
            target = folder / "photos" / ("train" if index % 3 else "validation") / f"class-{index % 2}"
            target.mkdir(parents=True, exist_ok=True)
            path.rename(target / path.name)
        printed = common.graft(
            *("train", folder / "photos", "--base", "mobilenet-v2", "--weights", "none", "--input-size", 32),
            *("--head", "average-pool,dense:4:relu", "--epochs", 3, "--batch-size", 4),
            *("--tensorboard", folder / "logs", "--output", folder / "model.keras"),
        )
        epochs = [event for event in printed if event["event"] == "epoch"]
        for part, prefix in (("train", ""), ("validation", "val_")):
            found = events(folder / "logs" / part)
            for key in ("loss", "accuracy"):
                expected = [(e["epoch"] - 1, float(np.float32(e[prefix + key]))) for e in epochs]
                received = [(step, values[0]) for step, values in found.get(f"epoch_{key}", [])]
                checks.claim(f"TensorBoard reads epoch_{key} of {part}", received == expected, f"{received}")
            if part == "train":
                rates = [values[0] for _, values in found.get("epoch_learning_rate", [])]
                checks.compare("TensorBoard reads epoch_learning_rate", rates, [1e-4] * len(epochs), 1e-7)
            else:
                steps = [step for step, _ in found.get("evaluation_loss_vs_iterations", [])]
                checks.claim("TensorBoard reads evaluation_loss_vs_iterations", steps == [4, 8, 12], f"{steps}")


# The fixture


def compute() -> dict:
    keras = common.import_keras()
    import tensorflow as tf

    return {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__},
        "series": series(),
        "earlyStopping": early_stopping_cases(keras),
        "plateau": plateau_cases(keras),
        "checkpoint": checkpoint_cases(keras),
        "tables": table_cases(keras),
        "schedulers": scheduler_cases(keras),
        "tensorboard": tensorboard_case(keras),
    }


def check(computed: dict) -> int:
    checks = common.Checks()
    committed = json.loads(FIXTURE.read_text())
    computed = json.loads(json.dumps(computed))
    for name in ("series", "earlyStopping", "plateau", "checkpoint", "tables", "schedulers"):
        checks.claim(f"{len(computed[name])} cases of {name} as committed", computed[name] == committed[name])
    checks.claim("TensorBoard's tags and steps as committed", computed["tensorboard"]["steps"] == committed["tensorboard"]["steps"])
    check_graft_events(checks)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(common.run_fixture(__doc__, FIXTURE, compute, check))
