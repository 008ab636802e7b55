#!/usr/bin/env python3
"""Writes what torchvision and Pillow make of an image by each operation of RandAugment and TrivialAugment:
Fixtures/automatic-augmentation.json of the images' tests. `--check` makes the numbers again and compares.

    $(Scripts/python-environment Benchmarks/requirements.txt .venv-rivals) Tests/Torchvision/automatic_augmentation.py --check

Colours are torchvision's `_apply_op` on an image of Pillow's, whose `ImageEnhance` and `ImageOps` do the arithmetic. Geometry is the
same with bilinear interpolation and black outside. The tables of magnitudes are torchvision's own.

The image is that of augmentation.py at 20 rows and 24 columns, darkened so that autocontrast has something to do.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Keras"))

import common  # noqa: E402
from resize import picture  # noqa: E402

FIXTURE = common.ROOT / "Tests/GraftImagesTests/Fixtures/automatic-augmentation.json"
HEIGHT, WIDTH = 20, 24
BINS = 31

#: Magnitudes in torchvision's units; shifts are whole pixels there.
GEOMETRY = [
    ("shearX", "ShearX", 0.3), ("shearX", "ShearX", -0.7), ("shearY", "ShearY", 0.25), ("translateX", "TranslateX", 5),
    ("translateY", "TranslateY", -3), ("rotate", "Rotate", 27.0), ("rotate", "Rotate", -100.0),
]
COLOURS = [
    *((name, name.capitalize(), magnitude)
      for name in ("brightness", "color", "contrast", "sharpness") for magnitude in (-0.9, -0.4, 0.3, 0.99)),
    *(("posterize", "Posterize", bits) for bits in (2, 4, 7, 8)),
    *(("solarize", "Solarize", threshold) for threshold in (0.0, 76.5, 255.0)),
    ("autoContrast", "AutoContrast", 0.0), ("equalize", "Equalize", 0.0),
]


def import_torchvision():
    """torchvision of PyPI is built for GPUs and brings operators that a CPU edition of torch cannot load. None of them is used
    here: they are declared, so that the package can be imported."""
    import torch

    try:
        import torchvision
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        import torchvision
        globals()["library"] = library
    return torchvision


def image():
    from PIL import Image

    return Image.fromarray((20 + 0.7 * picture(HEIGHT, WIDTH, 3)).astype("uint8"))


def applied(operation: str, magnitude: float) -> list[int]:
    import numpy as np
    from torchvision.transforms import InterpolationMode, autoaugment

    result = autoaugment._apply_op(image(), operation, magnitude, InterpolationMode.BILINEAR, fill=None)
    return [int(value) for value in np.asarray(result).reshape(-1)]


def tables() -> dict[str, dict[str, list[float]]]:
    from torchvision import transforms

    spaces = {
        # Shifts as shares of a side.
        "randaugment": transforms.RandAugment()._augmentation_space(BINS, (1, 1)),
        "trivialaugment": transforms.TrivialAugmentWide()._augmentation_space(BINS),
    }
    return {
        policy: {
            name[0].lower() + name[1:]: [float(value) for value in magnitudes.reshape(-1).tolist()] + [float(signed)]
            for name, (magnitudes, signed) in space.items()
        }
        for policy, space in spaces.items()
    }


def document() -> dict:
    import numpy
    import PIL
    import torchvision

    def cases(operations):
        return [
            {"name": name, "magnitude": float(magnitude), "values": applied(operation, magnitude)}
            for name, operation, magnitude in operations
        ]

    return {
        "versions": {"torchvision": torchvision.__version__.split("+")[0], "pillow": PIL.__version__},
        "image": [int(value) for value in numpy.asarray(image()).reshape(-1)],
        "geometry": cases(GEOMETRY), "colours": cases(COLOURS), "tables": tables(),
    }


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    import_torchvision()
    made = document()
    if not arguments.check:
        common.write_json(FIXTURE, made)
        return 0
    committed = json.loads(FIXTURE.read_text())
    same = committed == json.loads(json.dumps(made))
    print("the same as committed" if same else f"differs from what is committed in {FIXTURE}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
