#!/usr/bin/env python3
"""Features at `mixed7` of 32 photos: `graft features` against Keras on the same files and the same weights.

Takes photos and InceptionV3's weights from the shared folder; where it is not there, pictures that it draws and random
weights in a file of the kind that Keras publishes.

    Tests/Keras/features.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import common

#: float32 sums of a few thousand products through 70 layers; the issue's bound.
TOLERANCE = 1e-4
SIZE = 150
CUT = "mixed7"
COUNT = 32


def weights_file(keras, paths: list[Path], folder: Path) -> Path:
    """The shared weights, else random ones."""
    root = common.shared()
    found = root / "weights/inception_v3-2015-12-05-notop.h5" if root else None
    if found and found.exists():
        return found
    base = keras.applications.InceptionV3(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    common.randomize(base, scaled_images(paths))
    common.save_legacy_weights(base, folder / "random.h5")
    return folder / "random.h5"


def scaled_images(paths: list[Path]):
    return common.load_images(paths, (SIZE, SIZE)) / 127.5 - 1


def keras_features(keras, weights: Path, paths: list[Path]):
    base = keras.applications.InceptionV3(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    base.load_weights(str(weights))
    trunk = keras.Model(base.input, base.get_layer(CUT).output)
    return trunk.predict(scaled_images(paths), batch_size=16, verbose=0)


def main() -> int:
    common.parser(__doc__).parse_args()
    keras = common.import_keras()
    checks = common.Checks()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = common.numbered_copies(common.photos(COUNT, folder / "drawn"), folder / "photos")
        weights = weights_file(keras, paths, folder)
        ours, order = common.graft_features(
            "inception-v3", folder / "photos", "--weights", weights, "--input-size", SIZE, "--cut", CUT,
            output=folder / "features.npy",
        )
        checks.claim("paths beside the features", [Path(path).name for path in order] == [path.name for path in paths])
        theirs = keras_features(keras, weights, paths)
        checks.compare(f"inception-v3 at {CUT}, {COUNT} photos, {weights.name}", ours, theirs, TOLERANCE)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
