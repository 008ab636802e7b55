#!/usr/bin/env python3
"""Models that `graft train` saved, opened in Keras without custom code: both predict the same.

Trains small models of a network of nearly each family on a few photos, one of them with three classes, and compares the probabilities of
`graft predict` with those of `keras.models.load_model(…)` on the same files.

    Tests/Keras/saved_model.py
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import common

#: Of probabilities; the issue's bound.
TOLERANCE = 1e-5


@dataclass
class Job:
    """What to train."""

    base: str
    title: str
    cut: str
    head: str
    size: int
    classes: int


JOBS = [
    Job("inception-v3", "InceptionV3", "mixed2", "flatten,dense:16:relu,dropout:0.2", 75, 2),
    Job("vgg16", "VGG16", "block2_pool", "average-pool,batch-normalization,dense:8:tanh", 48, 3),
    Job("resnet50", "ResNet50", "conv2_block3_out", "max-pool,dense:8:tanh", 65, 2),
    # What is particular to a network is in what is saved: a preprocessing with variables or of two layers, separable
    # convolutions, hard swish and arithmetic, cropping, and layers that Keras has for one network alone.
    Job("efficientnet-b0", "EfficientNetB0", "block2b_add", "average-pool", 48, 2),
    Job("densenet121", "DenseNet121", "pool2_pool", "average-pool", 48, 2),
    Job("xception", "Xception", "block2_pool", "average-pool", 71, 2),
    Job("mobilenet-v3-small", "MobileNetV3Small", "expanded_conv_2_add", "average-pool", 48, 2),
    Job("nasnet-mobile", "NASNetMobile", "normal_concat_0", "average-pool", 48, 2),
    Job("inception-resnet-v2", "InceptionResNetV2", "block35_1_ac", "average-pool", 75, 2),
    Job("convnext-tiny", "ConvNeXtTiny", "convnext_tiny_stage_0_block_1_layernorm", "average-pool", 48, 2),
]


def lay_out(photos: list[Path], classes: int, folder: Path) -> None:
    """One folder a class, in train/ and validation/; which photo is of which class matters little here."""
    shutil.rmtree(folder, ignore_errors=True)
    for index, path in enumerate(photos):
        part = "validation" if index // classes % 4 == 3 else "train"
        target = folder / part / f"class-{index % classes}"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target / f"{index:03}{path.suffix}")


def save_base(job: Job, keras, photos: list[Path], file: Path) -> None:
    """The base's weight file, random and such that activations stay in range."""
    function, preprocess = common.application(job.title)
    shape = (job.size, job.size, 3)
    keras.backend.clear_session()
    base = function(include_top=False, weights=None, input_shape=shape)
    # What lies behind the cut is never computed.
    used = keras.Model(base.input, base.get_layer(job.cut).output)
    common.randomize(used, preprocess(common.load_images(photos, shape[:2])))
    common.save_legacy_weights(base, file)


def graft_probabilities(model: Path, paths: list[Path], classes: list[str]):
    """One row a path, one column a class."""
    import numpy as np

    events = common.graft("predict", model, *paths)
    rows = {event["path"]: event["probabilities"] for event in events if event["event"] == "prediction"}
    return np.array([[rows[str(path)][name] for name in classes] for path in paths])


def keras_probabilities(keras, model: Path, paths: list[Path]):
    import numpy as np

    network = keras.models.load_model(model)
    height, width = network.input_shape[1:3]
    values = network.predict(common.load_images(paths, (height, width)), verbose=0)
    return np.concatenate([1 - values, values], axis=1) if values.shape[1] == 1 else values


def check(job: Job, keras, checks: common.Checks, photos: list[Path], folder: Path) -> None:
    images, weights, model = folder / "images", folder / "base.h5", folder / "model.keras"
    lay_out(photos, job.classes, images)
    save_base(job, keras, photos, weights)
    common.graft(
        "train", images, "--base", job.base, "--weights", weights, "--input-size", job.size, "--cut", job.cut,
        "--head", job.head, "--epochs", 2, "--batch-size", 8, "--learning-rate", 0.0001, "--output", model,
    )
    paths = sorted(path for path in images.rglob("*") if path.is_file())
    classes = [f"class-{index}" for index in range(job.classes)]
    ours = graft_probabilities(model, paths, classes)
    theirs = keras_probabilities(keras, model, paths)
    name = f"{job.base} cut at {job.cut}, {job.head}, {job.classes} classes"
    checks.claim(f"{name}: predictions depend on the picture", bool(theirs.std(axis=0).max() > 1e-4))
    checks.compare(f"{name}: probabilities", ours, theirs, TOLERANCE, relative="none")


def main() -> int:
    common.parser(__doc__).parse_args()
    keras = common.import_keras()
    checks = common.Checks()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        photos = common.photos(24, folder / "drawn")
        for job in JOBS:
            check(job, keras, checks, photos, folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
