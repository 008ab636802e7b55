"""What the live Keras checks share: versions, arguments, running `graft`, comparing, fixtures, photos.

A check imports this module first: it settles the environment that Keras reads while it is imported. Keras itself is
imported by the checks' functions that need it, so that `--help` answers at once.

    import common

    def main() -> int:
        arguments = common.parser(__doc__).parse_args()
        checks = common.Checks()
        keras = common.import_keras()
        checks.compare("dense", graft_values, keras_values, tolerance=1e-4)
        return checks.finish()
"""

from __future__ import annotations

import argparse
import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Iterable, Sequence

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

#: The package's root.
ROOT = Path(__file__).resolve().parents[2]

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"}


# Environment


def import_keras():
    """Keras, of the pinned version; ends the program where another one is installed."""
    import keras

    wanted = pinned_versions()["keras"]
    if keras.__version__ != wanted:
        sys.exit(f"Keras {keras.__version__} is installed, the checks are pinned to {wanted}: run Scripts/python-environment")
    return keras


def application(title: str):
    """Keras's function that makes the network of a base, by the base's title, and its `preprocess_input`; what Keras has no
    function for is in a module here. `MobileNetV2-0.35` is MobileNetV2 of that width."""
    keras = import_keras()
    name, _, width = title.partition("-")
    if name == "EfficientNetLite0":
        import lite

        return lite.EfficientNetLite0, lite.preprocess_input
    import beyond

    if name in beyond.NETWORKS:
        return beyond.NETWORKS[name]
    function = getattr(keras.applications, name)
    preprocess = sys.modules[function.__module__].preprocess_input
    return functools.partial(function, alpha=float(width)) if width else function, preprocess


def pinned_versions() -> dict[str, str]:
    """Package to version, as `requirements.txt` pins them."""
    lines = (Path(__file__).parent / "requirements.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def shared() -> Path | None:
    """The folder of photos and weights beside the package (or in GRAFT_SHARED); None where it is not there."""
    folder = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))
    return folder if folder.is_dir() else None


def parser(documentation: str | None, check: bool = False) -> argparse.ArgumentParser:
    """An argument parser that shows a script's documentation; with `check`, one that knows `--check`."""
    result = argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)
    if check:
        result.add_argument(
            "--check", action="store_true", help="write nothing: compute again and compare with the committed fixture"
        )
    return result


# Running graft


def graft_command() -> str:
    """The built command: GRAFT, or the release build."""
    command = os.environ.get("GRAFT", str(ROOT / ".build/release/graft"))
    if not Path(command).exists():
        sys.exit(f"{command} is not there: run `make build`, or name the command in GRAFT")
    return command


def graft(*arguments: Any, expect: int = 0) -> list[dict]:
    """Runs `graft … --json` and returns its events; ends the program where the exit code is not the expected one."""
    command = [graft_command(), *map(str, arguments), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"XDG_CACHE_HOME": cache_folder()})
    if result.returncode != expect:
        sys.exit(f"{' '.join(command)}\nexited {result.returncode}, expected {expect}:\n{result.stdout}{result.stderr}")
    return [json.loads(line) for line in result.stdout.splitlines() if line.strip()]


@functools.cache
def cache_folder() -> str:
    """A cache for the features of this run alone, so that nothing comes from an earlier one."""
    folder = tempfile.mkdtemp(prefix="graft-checks-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def graft_features(base: str, folder: Path, *options: Any, output: Path):
    """The array that `graft features` writes for a folder, and the paths that it writes beside it."""
    import numpy as np

    graft("features", base, folder, *options, "--output", output)
    return np.load(output), output.with_suffix(".txt").read_text().splitlines()


# Comparing


class Checks:
    """Prints one line a check, with the figure and the tolerance, and remembers whether all passed."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def claim(self, name: str, holds: bool, detail: str = "") -> bool:
        """One check that holds or does not."""
        self.passed += bool(holds)
        self.failed += not holds
        print(f"{'ok    ' if holds else 'FAILED'}  {name}{': ' if detail else ''}{detail}", flush=True)
        return bool(holds)

    def compare(self, name: str, received, expected, tolerance: float, relative: str = "largest") -> bool:
        """Compares every element and names the worst.

        `relative` says what the difference is divided by: "largest", the largest expected magnitude; "element", the
        expected element's own; "none", nothing.
        """
        import numpy as np

        received, expected = np.asarray(received, np.float64), np.asarray(expected, np.float64)
        if received.shape != expected.shape:
            return self.claim(name, False, f"shape {received.shape}, expected {expected.shape}")
        if received.size == 0:
            return self.claim(name, False, "nothing to compare")
        scale = {
            "largest": np.abs(expected).max() or 1.0,
            "element": np.maximum(np.abs(expected), np.finfo(np.float32).tiny),
            "none": 1.0,
        }[relative]
        differences = np.abs(received - expected) / scale
        differences[~np.isfinite(differences)] = np.inf
        worst = np.unravel_index(np.argmax(differences), differences.shape)
        of = {"largest": " of the largest", "element": " relative", "none": ""}[relative]
        where = f"at {list(map(int, worst))}: {received[worst]:.8g}, expected {expected[worst]:.8g}"
        return self.claim(
            name,
            bool(differences[worst] <= tolerance),
            f"difference {differences[worst]:.2e}{of}, tolerance {tolerance:.0e} ({expected.size} values; worst {where})",
        )

    def finish(self) -> int:
        """Prints the totals; the exit code, which is a failure where nothing was checked."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


# Fixtures


def write_json(path: Path, value: Any) -> None:
    """Writes compact JSON with one line a case, so that diffs stay readable; the top level is an object."""
    lines = []
    for key, item in value.items():
        if isinstance(item, list) and item and isinstance(item[0], dict):
            inner = ",\n".join(json.dumps(case, separators=(",", ":")) for case in item)
            lines.append(f"{json.dumps(key)}:[\n{inner}\n]")
        else:
            lines.append(f"{json.dumps(key)}:{json.dumps(item, separators=(',', ':'))}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def run_fixture(documentation: str | None, fixture: Path, compute: Callable[[], dict], check: Callable[[dict], int]) -> int:
    """What a script with one fixture does: writes what it computes, or with `--check` compares it; the exit code."""
    arguments = parser(documentation, check=True).parse_args()
    computed = compute()
    if arguments.check:
        return check(computed)
    fixture.parent.mkdir(parents=True, exist_ok=True)
    write_json(fixture, computed)
    return 0


def compare_losses(checks: Checks, committed: list[dict], computed: list[dict]) -> None:
    """Each loss's value and its gradient, in the forms that training.py and learning.py write."""
    for old, new in zip(committed, computed, strict=True):
        name = f"{new['loss']} {new['arguments']} of {new['activation']}"
        checks.compare(name, [new["value"]], [old["value"]], 1e-5)
        checks.compare(f"{name}, gradient", new["gradient"], old["gradient"], 1e-5)


def float32_list(array) -> list[float]:
    """The elements in row-major order, each as the shortest decimal that gives the same float32."""
    import numpy as np

    return [float(np.format_float_scientific(x)) for x in np.asarray(array, np.float32).ravel()]


# Photos


def photos(count: int, folder: Path) -> list[Path]:
    """`count` photos: from the shared folder, spread over all of them, else drawn into `folder`."""
    found = shared_photos()
    if found:
        return [found[i * len(found) // count] for i in range(count)]
    return draw_photos(count, folder)


def shared_photos(part: str = "validation") -> list[Path]:
    """All photos of one part of the shared cats and dogs, sorted; empty where they are not there."""
    root = shared()
    folder = root / "images/cats-and-dogs" / part if root else None
    if folder is None or not folder.is_dir():
        return []
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)


def numbered_copies(paths: Iterable[Path], folder: Path) -> list[Path]:
    """Copies in one folder, named so that they sort in the given order."""
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copy(path, folder / f"{index:04}{path.suffix}")) for index, path in enumerate(paths)]


def draw_photos(count: int, folder: Path) -> list[Path]:
    """Pictures of seeded blobs and gradients in several sizes, written as PNG so that decoders cannot differ."""
    import numpy as np
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index in range(count):
        random = np.random.RandomState(index)
        height, width = random.randint(80, 400, 2)
        y, x = np.mgrid[0:height, 0:width] / max(height, width)
        channels = []
        for _ in range(3):
            a, b, c, d = random.uniform(-4, 4, 4)
            channels.append(np.sin(a * x + b * y + c) * np.cos(d * x * y + b))
        pixels = (np.stack(channels, -1) * 100 + 128 + random.uniform(-20, 20, (height, width, 3))).clip(0, 255)
        path = folder / f"drawn-{index:03}.png"
        Image.fromarray(pixels.astype(np.uint8)).save(path)
        paths.append(path)
    return paths


# Weights


def randomize(model, images, seed: int = 0) -> None:
    """Gives every variable seeded values that keep activations in range for inputs like `images`, and that no symmetry
    hides: normalizations take the statistics of the images themselves.

    Betas near 1 keep most units in their linear part. With betas near 0, every normalization behind a relu magnifies
    differences a little, and after fifty of them float32's rounding alone reaches 4e-4 in Keras itself.
    """
    import numpy as np

    keras = import_keras()
    random = np.random.RandomState(seed)
    for layer in model.layers:
        for variable in layer.weights:
            values = random_values(variable.name, tuple(variable.shape), random)
            variable.assign((values + ("beta" in variable.name)).astype(variable.dtype))
    finalize(model)
    normalizations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0
    if normalizations:
        model(images, training=True)
    else:
        # Pixels reach 255 and nothing brings them back.
        first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
        first.kernel.assign(first.kernel / 64)
    for layer, momentum in zip(normalizations, momenta):
        layer.momentum = momentum


def finalize(model) -> None:
    """Makes normalizations of pixels compute with the statistics that were assigned to their variables."""
    keras = import_keras()
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            layer.finalize_state()


def random_values(name: str, shape: Sequence[int], random):
    """Kernels He-normal; biases, betas and moving means small; gammas near 1; moving variances 0.5 to 1.5."""
    import numpy as np

    if name == "count":
        return np.zeros(shape)
    if "variance" in name:
        return random.uniform(0.5, 1.5, shape)
    if "gamma" in name:
        return random.uniform(0.8, 1.2, shape)
    if len(shape) > 1:
        # A depthwise kernel sums over its window alone.
        fan_in = int(np.prod(shape[:2] if "depthwise" in name else shape[:-1]))
        return random.normal(0, np.sqrt(2.0 / fan_in), shape)
    return random.normal(0, 0.05, shape)


def save_legacy_weights(model, path: Path) -> None:
    """Writes a weight file of the kind that Keras publishes for its applications: HDF5, groups by layer."""
    import h5py
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, model)


# Images as Keras reads them


def load_images(paths: Iterable[Path], size: tuple[int, int]):
    """The pictures as `keras.utils.image_dataset_from_directory` gives them: RGB 0…255, bilinear, no antialiasing."""
    import numpy as np

    keras = import_keras()
    with tempfile.TemporaryDirectory() as folder:
        for index, path in enumerate(paths):
            # Numbered links, as the dataset sorts by name.
            Path(folder, f"{index:06}{path.suffix}").symlink_to(path.resolve())
        dataset = keras.utils.image_dataset_from_directory(
            folder, labels=None, shuffle=False, image_size=size, batch_size=32, verbose=False
        )
        return np.concatenate([np.asarray(batch) for batch in dataset])
