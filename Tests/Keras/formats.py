"""Files that h5py, numpy, safetensors and Keras wrote, for the tests of GraftFormats; and the live check of archives that Graft wrote.

    python Tests/Keras/formats.py                 writes Tests/GraftFormatsTests/Fixtures
    python Tests/Keras/formats.py --check         makes all again elsewhere and compares contents with the committed ones;
                                                  has the Swift tests write archives, and opens them as below
    python Tests/Keras/formats.py --open MODEL.keras --inputs IN.npy [IN.npy …] --outputs OUT.npy [OUT.npy …]
                                                  opens an archive that Graft wrote with no custom code and compares
                                                  Keras's predictions with Graft's: within 1e-5 of the largest
    python Tests/Keras/formats.py --open-all DIR  the same for every folder in DIR that holds model.keras, input-0.npy, …
                                                  and output-0.npy, …

Every stored number follows one formula, so that tests need no second copy: element i (in row-major order) of array k
of a file is ((37 i + 11 k) mod 101 - 50) / 64, exact in 16-bit and in brain floats. Variances are its square plus 1/2.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import common

FIXTURES = common.ROOT / "Tests/GraftFormatsTests/Fixtures"


def numbers(shape, k: int = 0):
    """Array k of a file."""
    import numpy as np

    count = int(np.prod(shape))
    return (((37 * np.arange(count) + 11 * k) % 101 - 50) / 64).reshape(shape).astype("float32")


# HDF5 by h5py: what Keras's files consist of, and what must be refused.


def write_hdf5(folder: Path) -> None:
    import h5py
    import numpy as np

    with h5py.File(folder / "datasets.h5", "w") as file:
        values = numbers((4, 5))
        for name in ("float16", "float32", "float64"):
            file.create_dataset(f"group/{name}", data=values.astype(name))
        file.create_dataset("group/big-endian", data=values.astype(">f4"))
        whole = (values * 64).astype("int64")
        for name in ("int8", "int32", "int64"):
            file.create_dataset(f"group/{name}", data=whole.astype(name))
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple(values.shape)
        dataset = h5py.h5d.create(file["group"].id, b"compact", h5py.h5t.IEEE_F32LE, space, compact)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, values)
        file.create_dataset("group/scalar", data=np.float32(-0.78125))
        file.create_dataset("group/empty", data=np.zeros((0, 3), "float32"))
        halves = (values.view("uint32") >> 16).astype("uint16").view("V2")
        file.create_dataset("group/bfloat16", data=halves).attrs["dtype"] = "bfloat16"
        file.attrs["fixed"] = np.array([b"one", b"two and more", "drei\u00df".encode()])
        file.attrs["variable"] = ["one", "two and more", "drei\u00df"]
        file.attrs["scalar"] = "text"
        file.attrs["bytes"] = np.bytes_(b"text")
        file.attrs["none"] = []
        file.attrs["number"] = 7
        names = [f"layer_with_a_long_name_{i:04}".encode() for i in range(60)]
        for piece, part in enumerate(np.array_split(np.asarray(names), 2)):
            file.attrs[f"many{piece}"] = part

    with h5py.File(folder / "hostile.h5", "w") as file:
        file["data"] = numbers((3,))
        file["soft"] = h5py.SoftLink("/data")
        file.create_group("links")["external"] = h5py.ExternalLink("datasets.h5", "/group/float32")
        file.create_dataset("elsewhere", shape=(3,), dtype="float32", external=[("/etc/hostname", 0, 12)])
        layout = h5py.VirtualLayout(shape=(3,), dtype="float32")
        layout[:] = h5py.VirtualSource("datasets.h5", "group/float32", shape=(4, 5))[0, :3]
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("packed", data=numbers((4, 5)), chunks=(2, 3), compression="gzip", shuffle=True)
        file.create_dataset("chunked", data=numbers((4, 5)), chunks=(2, 3))
        file.create_dataset("bomb", shape=(1 << 20, 1 << 14), dtype="float32", chunks=(64, 64), compression="gzip")
        file.create_dataset("unwritten", shape=(1 << 12, 1 << 12), dtype="float32")
        file.create_dataset("text", data=["a", "b"])
        file.create_dataset("compound", data=np.zeros(3, [("a", "f4"), ("b", "i4")]))
        file["group/a"] = numbers((2,))
        dense = file.create_group("dense", track_order=True)
        for k in range(12):
            dense[f"array-{k}"] = numbers((2,), k)

    # The layout of newer versions, as small files have it.
    with h5py.File(folder / "newest.h5", "w", libver="latest") as file:
        file["group/inner/values"] = numbers((4, 5))
        file["group/integers"] = (numbers((4, 5)) * 64).astype("int16")
        file["group/inner"].attrs["names"] = np.array([b"one", b"two"])
        file["group"].attrs["name"] = "text"


# numpy


def write_numpy(folder: Path) -> None:
    import numpy as np
    from numpy.lib import format as npy

    values = numbers((3, 4, 2))
    np.save(folder / "float32.npy", values)
    np.save(folder / "float64.npy", values.astype("float64"))
    np.save(folder / "int32.npy", (values * 64).astype("int32"))
    np.save(folder / "int64.npy", (values * 64).astype("int64"))
    np.save(folder / "scalar.npy", np.float32(-0.78125))
    np.save(folder / "vector.npy", numbers((5,)))
    np.save(folder / "empty.npy", np.zeros((0, 3), "float32"))
    np.save(folder / "fortran.npy", np.asfortranarray(values))
    np.save(folder / "big-endian.npy", values.astype(">f4"))
    np.save(folder / "float16.npy", values.astype("float16"))
    for version in (2, 3):
        with open(folder / f"version-{version}.npy", "wb") as file:
            npy.write_array(file, values, version=(version, 0))


# safetensors


def write_safetensors(folder: Path) -> None:
    """One array of every type that safetensors' Python edition knows by name, and shapes that are easily got wrong."""
    import ml_dtypes
    import numpy as np
    from safetensors import numpy as safetensors

    values = numbers((3, 4, 2))
    whole = values * 64
    arrays = {name: values.astype(name) for name in ("float16", "float32", "float64")}
    arrays["bfloat16"] = values.astype(ml_dtypes.bfloat16)
    arrays |= {name: whole.astype(name) for name in ("int8", "int16", "int32", "int64")}
    # Counted from the smallest, so that none is negative.
    arrays |= {name: (whole + 50).astype(name) for name in ("uint8", "uint16", "uint32", "uint64")}
    arrays["bool"] = values > 0
    arrays["scalar"] = np.array(-0.78125, "float32")
    arrays["empty"] = np.zeros((0, 3), "float32")
    arrays["a name with \u00fc, \"quotes\" and a\nbreak"] = numbers((2,), 1)
    safetensors.save_file(arrays, folder / "arrays.safetensors", metadata={"format": "np", "license": "none"})


# Keras


def fill(model) -> None:
    """Gives array k of the model (in the order of `model.weights`) the numbers of the formula."""
    for k, variable in enumerate(model.weights):
        values = numbers(tuple(variable.shape), k)
        variable.assign(values**2 + 0.5 if "variance" in variable.name else values)


def functional(keras):
    """Two inputs, a nested Sequential, shared layers, a frozen layer, two outputs."""
    layers = keras.layers
    inner = keras.Sequential(
        [layers.Input((6, 6, 3)), layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(), layers.Activation("relu")],
        name="inner",
    )
    left, right = keras.Input((6, 6, 3), name="left"), keras.Input((6, 6, 3), name="right")
    shared = layers.Conv2D(4, 3, strides=2, activation="relu")
    a, b = shared(inner(left)), shared(inner(right))
    joined = layers.Concatenate()([a, layers.Multiply()([a, b]), layers.Add()([a, b])])
    pooled = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(joined))
    frozen = layers.Dense(5, activation="tanh", trainable=False)(pooled)
    return keras.Model([left, right], [layers.Dense(3, activation="softmax")(frozen), layers.Dense(1)(pooled)], name="two")


def sequential(keras):
    """Every other layer of the package in one stack."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 0.5]),
            layers.ZeroPadding2D(((1, 0), (0, 1))),
            layers.Conv2D(4, (3, 2), dilation_rate=1, padding="valid", use_bias=False),
            layers.BatchNormalization(scale=False, epsilon=0.01),
            layers.Activation("relu6"),
            layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="swish"),
            layers.MaxPooling2D(2, padding="same"),
            layers.AveragePooling2D(2, strides=1, padding="same"),
            layers.Conv2D(8, 1, groups=2, activation="gelu"),
            layers.Reshape((4, -1)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(6, activation="elu"),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="stack",
    )


def nested(keras):
    """A functional model inside a Sequential, as transfer learning writes it, frozen base and all."""
    layers = keras.layers
    x = image = keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(4, 3)(x)
    base = keras.Model(image, layers.GlobalMaxPooling2D()(x), name="base")
    base.trainable = False
    return keras.Sequential([base, layers.Dense(4, activation="relu"), layers.Dense(2, activation="softmax")])


MODELS = {"functional": functional, "sequential": sequential, "nested": nested}


def write_keras(folder: Path) -> None:
    import numpy as np

    keras = common.import_keras()
    for name, build in MODELS.items():
        keras.backend.clear_session()
        model = build(keras)
        fill(model)
        model.save(folder / f"{name}.keras")
        common.save_legacy_weights(model, folder / f"{name}-legacy.h5")
        # Pictures for the stack, which rescales them; small numbers for the others, so that nothing saturates.
        scale = 64 if name == "sequential" else 2
        inputs = [numbers((2,) + tuple(x.shape[1:]), k) * scale for k, x in enumerate(model.inputs)]
        outputs = predict(model, inputs)
        for kind, arrays in (("input", inputs), ("output", outputs)):
            for k, array in enumerate(arrays):
                np.save(folder / f"{name}-{kind}-{k}.npy", array)
    # A whole model in the older format, and one whose input has no fixed size.
    keras.backend.clear_session()
    model = functional(keras)
    fill(model)
    model.save(folder / "whole-model.h5")
    model.save_weights(folder / "functional.weights.h5")
    keras.backend.clear_session()
    x = image = keras.Input((None, None, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(x))
    model = keras.Model(image, keras.layers.Dense(2)(x))
    fill(model)
    model.save(folder / "any-size.keras")
    compiled = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="relu"), keras.layers.Dense(1)])
    compiled.compile(optimizer="adam", loss="mse", metrics=["mae"])
    fill(compiled)
    compiled.save(folder / "compiled.keras")


def predict(model, inputs):
    import numpy as np

    outputs = model(inputs[0] if len(inputs) == 1 else inputs, training=False)
    return [np.asarray(x) for x in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


# The live check


def open_archive(checks: common.Checks, name: str, archive: Path, inputs: list[Path], outputs: list[Path]) -> None:
    """Keras opens the archive with no custom code, in its safe mode, and predicts what Graft predicted."""
    import json
    import zipfile

    import numpy as np

    keras = common.import_keras()
    model = keras.models.load_model(archive)
    predictions = predict(model, [np.load(path) for path in inputs])
    checks.claim(f"{name}: as many outputs", len(predictions) == len(outputs), f"{len(predictions)} and {len(outputs)}")
    for k, (prediction, path) in enumerate(zip(predictions, outputs)):
        checks.compare(f"{name}: output {k}", np.load(path), prediction, tolerance=1e-5)
    with zipfile.ZipFile(archive) as file:
        checks.claim(f"{name}: graft.json is there", "graft.json" in file.namelist())
        checks.claim(f"{name}: its checksums hold", file.testzip() is None)
        json.loads(file.read("graft.json"))


def open_all(checks: common.Checks, folder: Path) -> None:
    for archive in sorted(folder.glob("*/model.keras")):
        inputs, outputs = (sorted(archive.parent.glob(f"{kind}-*.npy")) for kind in ("input", "output"))
        open_archive(checks, archive.parent.name, archive, inputs, outputs)


def open_archives_of_the_tests(checks: common.Checks) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["swift", "test", "--filter", "ArchivesForKeras"],
            cwd=common.ROOT, env=dict(os.environ, GRAFT_ARCHIVES=folder), check=True, stdout=subprocess.DEVNULL,
        )
        open_all(checks, Path(folder))
        open_hdf5(checks, Path(folder))


def open_hdf5(checks: common.Checks, folder: Path) -> None:
    """h5py and Keras read what Graft wrote: three levels of members, attributes in pieces, older weights."""
    import h5py
    import numpy as np
    from keras.src.legacy.saving.legacy_h5_format import load_attributes_from_hdf5_group, load_weights_from_hdf5_group

    with h5py.File(folder / "many.h5") as file:
        group = file["group"]
        checks.claim("3000 members", sorted(group) == sorted(f"member_{k}" for k in range(3000)))
        checks.claim(
            "their numbers", all(np.array_equal(group[f"member_{k}/values"], numbers((2, 3), k)) for k in range(3000))
        )
        checks.claim("integers", file["integers"][()].tolist() == [1, -2, 1 << 40])
        checks.claim("a scalar, nothing and an empty group", file["scalar"][()] == 2.5 and file["empty"].shape == (0, 3))
        checks.claim("an empty group", list(file["none"]) == [] and list(file.attrs["none"]) == [])
        checks.claim("text", file.attrs["text"].decode() == "gr\u00f6\u00dfer" and list(file.attrs["list"]) == [b"a", b"bcd", b""])
        names = load_attributes_from_hdf5_group(file, "many")
        checks.claim("a list in pieces", names == [f"layer_{k}" for k in range(9000)])
    keras = common.import_keras()
    model = functional(keras)
    with h5py.File(folder / "functional-legacy.h5") as file:
        load_weights_from_hdf5_group(file, model)
        stored = [group[name] for group in file.values() for name in group.attrs["weight_names"]]
        checks.claim("older weights", sum(x.size for x in stored) == model.count_params())


def compare_fixtures(checks: common.Checks) -> None:
    """The committed files still say what this script writes today."""
    import numpy as np

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_all(folder)
        names = {path.name for path in folder.iterdir()}
        checks.claim("the same files", names == {path.name for path in FIXTURES.iterdir() if path.is_file() and path.name != "README.md"})
        for path in sorted(folder.glob("*.npy")):
            checks.claim(path.name, path.read_bytes() == (FIXTURES / path.name).read_bytes() or _close(np, path))
        for path in sorted(folder.glob("*.safetensors")):
            checks.claim(path.name, _same_arrays(np, path, FIXTURES / path.name))


def _same_arrays(np, left: Path, right: Path) -> bool:
    """Whether two files hold the same arrays; metadata stands in no fixed order."""
    from safetensors import numpy as safetensors

    ours, theirs = safetensors.load_file(left), safetensors.load_file(right)
    return ours.keys() == theirs.keys() and all(
        ours[name].dtype == theirs[name].dtype and np.array_equal(ours[name], theirs[name]) for name in ours
    )


def _close(np, path: Path) -> bool:
    return np.allclose(np.load(path), np.load(FIXTURES / path.name), rtol=0, atol=1e-5)


def write_all(folder: Path) -> None:
    write_hdf5(folder)
    write_numpy(folder)
    write_safetensors(folder)
    write_keras(folder)


def main() -> int:
    parser = common.parser(__doc__, check=True)
    parser.add_argument("--open", type=Path, metavar="MODEL.keras")
    parser.add_argument("--inputs", type=Path, nargs="+", default=[])
    parser.add_argument("--outputs", type=Path, nargs="+", default=[])
    parser.add_argument("--open-all", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    checks = common.Checks()
    if arguments.open:
        open_archive(checks, arguments.open.name, arguments.open, arguments.inputs, arguments.outputs)
    elif arguments.open_all:
        open_all(checks, arguments.open_all)
    elif arguments.check:
        compare_fixtures(checks)
        open_archives_of_the_tests(checks)
    else:
        FIXTURES.mkdir(parents=True, exist_ok=True)
        write_all(FIXTURES)
        return 0
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
