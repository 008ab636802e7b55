#!/usr/bin/env python3
"""A model on Pocket that `graft train` saved, opened in Keras without custom code: both predict the same.

Draws the sample leaves, trains on them without an option, and compares the probabilities of `graft predict` with those of
`keras.models.load_model(…)` on the same files.

    Tests/Keras/pocket.py --check
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import common

#: Of probabilities: 32-bit sums in another order, through 20 layers.
TOLERANCE = 1e-5


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--check", action="store_true", help="compare; there is nothing to write")
    parser.parse_args()
    keras = common.import_keras()
    import numpy as np

    checks = common.Checks()
    with tempfile.TemporaryDirectory() as folder:
        leaves, model = Path(folder) / "leaves", Path(folder) / "leaves.keras"
        common.graft("sample", "leaves", "--train", 8, "--validation", 4, "--output", leaves)
        common.graft("train", leaves, "--cache", "none", "--epochs", 5, "--output", model)
        paths = sorted((leaves / "validation").glob("*/*.png"))
        classes = sorted(path.name for path in (leaves / "validation").iterdir() if path.is_dir())
        events = common.graft("predict", model, *paths)
        rows = {event["path"]: event["probabilities"] for event in events if event["event"] == "prediction"}
        ours = np.array([[rows[str(path)][name] for name in classes] for path in paths])
        network = keras.models.load_model(model)
        theirs = network.predict(common.load_images(paths, network.input_shape[1:3]), verbose=0)
        checks.claim("pocket: predictions depend on the image", bool(theirs.std(axis=0).max() > 1e-2))
        checks.compare("pocket: probabilities", ours, theirs, TOLERANCE, relative="none")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
