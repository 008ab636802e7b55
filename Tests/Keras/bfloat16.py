#!/usr/bin/env python3
"""What bfloat16 costs with published weights: Graft's and Keras's own, each against Keras in float32.

MobileNetV2 loses much, whoever computes it: its depthwise convolutions and narrow layers have few terms to average
rounding over. Its features in Graft's bfloat16 must be no further from float32's than those of Keras's `mixed_bfloat16`
are, with a quarter to spare for the different places where the two round. Needs a processor with bfloat16, and the photos
and weights beside the package.

    Tests/Keras/bfloat16.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import common
import networks

#: Of Keras's own distance.
SHARE = 1.25
SIZE = 160
COUNT = 8


def build(keras, policy: str, weights: Path):
    keras.config.set_dtype_policy(policy)
    model = keras.applications.MobileNetV2(include_top=True, weights=None, input_shape=(SIZE, SIZE, 3))
    model.load_weights(weights)
    keras.config.set_dtype_policy("float32")
    return keras.Model(model.input, model.get_layer("out_relu").output)


def distance(values, expected) -> float:
    import numpy as np

    values, expected = (np.asarray(x, dtype="float64") for x in (values, expected))
    return float(np.linalg.norm(values - expected) / np.linalg.norm(expected))


def main() -> int:
    common.parser(__doc__).parse_args()
    shared = common.shared()
    weights = shared / "weights/mobilenet_v2-1.0-224-top.h5" if shared else None
    if weights is None or not weights.exists() or not networks.has_bfloat16():
        print("skipped: needs a processor with bfloat16 and ../shared/weights/mobilenet_v2-1.0-224-top.h5")
        return 0
    keras = common.import_keras()
    checks = common.Checks()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        photos = common.numbered_copies(common.photos(COUNT, folder / "drawn"), folder / "photos")
        images = keras.applications.mobilenet_v2.preprocess_input(common.load_images(photos, (SIZE, SIZE)))
        expected = build(keras, "float32", weights).predict(images, verbose=0)
        theirs = distance(build(keras, "mixed_bfloat16", weights).predict(images, verbose=0), expected)
        ours, _ = common.graft_features(
            "mobilenet-v2", photos[0].parent, "--weights", weights, "--input-size", SIZE, "--cut", "out_relu",
            "--precision", "bfloat16", output=folder / "features.npy",
        )
    detail = f"{distance(ours, expected):.1%} in Graft, {theirs:.1%} in Keras"
    checks.claim("mobilenet-v2, published weights, bfloat16", distance(ours, expected) <= SHARE * theirs, detail)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
