#!/usr/bin/env python3
"""ONNX files that Graft writes, in onnxruntime, beside Keras: every layer, and whole networks with their preprocessing.

    Tests/Keras/onnx_export.py                 all layers, and a network of each family
    Tests/Keras/onnx_export.py --only vgg16    the networks of one base; --all has every network

Layers are the cases of layers.py, each saved by Keras, exported by `graft export`, and run on the same inputs; the checker of the
`onnx` package looks at each file. Networks are those of networks.py, with random weights, on photos.
"""

from __future__ import annotations

import tempfile
import zlib
from pathlib import Path

import common
import layers
import networks

#: Both compute in float32; onnxruntime sums in another order, and its functions are approximations of their own.
TOLERANCE = 1e-5
#: Through up to a hundred layers, and a softmax that makes shares of the logits' errors.
TOLERANCE_OF_NETWORKS = 1e-4


def run(path: Path, values: list):
    """What onnxruntime makes of these inputs by a file that the checker was content with."""
    import onnx
    import onnxruntime

    onnx.checker.check_model(onnx.load(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, {known.name: value for known, value in zip(session.get_inputs(), values, strict=True)})


def check_layer(case, keras, checks: common.Checks, folder: Path) -> None:
    """One layer, as a model of its own that is in inference."""
    import numpy as np

    random = np.random.RandomState(zlib.crc32(case.name.encode()))
    keras.backend.clear_session()
    layer = case.make(keras)
    values = [layers.input_values(case, index, shape, random) for index, shape in enumerate(case.inputs)]
    inputs = [keras.Input(shape[1:], dtype=value.dtype, name=f"in{i}")
              for i, (shape, value) in enumerate(zip(case.inputs, values))]
    outputs = None if isinstance(layer, keras.Model) else layer(*layers.arguments(layer, inputs, keras))
    for variable in layer.weights:
        variable.assign(layers.weight_values(variable.name, tuple(variable.shape), random))
    if isinstance(layer, keras.layers.Normalization):
        layer.finalize_state()
    model = layer if outputs is None else keras.Model(inputs, outputs)
    expected = model.predict(values, verbose=0)
    model.save(folder / "layer.keras")
    common.graft("export", folder / "layer.keras", "--output", folder / "layer.onnx")
    received = run(folder / "layer.onnx", values)
    expected = expected if isinstance(expected, list) else [expected]
    checks.claim(f"{case.name}: as many outputs", len(received) == len(expected))
    for ours, theirs in zip(received, expected):
        checks.compare(case.name, ours, theirs, TOLERANCE)


def check_network(network, keras, checks: common.Checks, photos: list[Path], folder: Path) -> None:
    """A base with random weights, from pixels on."""
    import numpy as np

    application, preprocess = common.application(network.title)
    size = network.size
    options = {"classifier_activation": None} if network.top else {}
    model = application(include_top=network.top, weights=None, input_shape=(size, size, 3), **options)
    pixels = common.load_images(photos, (size, size))
    images = preprocess(pixels.copy())
    common.randomize(model, images)
    weights = folder / "network.h5"
    common.save_legacy_weights(model, weights)
    expected = model.predict(images, verbose=0)
    if network.top:
        expected = np.asarray(keras.ops.softmax(expected))
    cut = ["--top"] if network.top else ["--cut", model.layers[-1].name]
    path = folder / "network.onnx"
    common.graft("export", network.base, "--weights", weights, "--input-size", size, *cut, "--output", path)
    received = run(path, [np.asarray(pixels, np.float32)])[0]
    checks.compare(f"{network.base} {'with' if network.top else 'without'} top", received, expected, TOLERANCE_OF_NETWORKS)


def check_encoder(keras, checks: common.Checks, folder: Path) -> None:
    """An encoder of texts as Graft makes them: ids are multiplied by zero for positions, and gathered by."""
    import numpy as np

    keras.utils.set_random_seed(7)
    ids = keras.Input((6,), dtype="int32", name="input_ids")
    mask = keras.Input((6,), dtype="int32", name="attention_mask")
    zeros = keras.ops.multiply(ids, 0)
    positions = keras.ops.add(zeros, np.arange(6, dtype="int32"))
    value = keras.layers.Add()([keras.layers.Embedding(20, 8)(ids), keras.layers.Embedding(6, 8)(positions),
                                keras.layers.Embedding(2, 8)(zeros)])
    attended = keras.layers.MultiHeadAttention(2, 4)(value, value, key_mask=mask)
    value = keras.layers.LayerNormalization()(keras.layers.Add()([value, attended]))
    model = keras.Model([ids, mask], keras.layers.GlobalAveragePooling1D()(value, mask=mask))
    model.save(folder / "encoder.keras")
    common.graft("export", folder / "encoder.keras", "--output", folder / "encoder.onnx")
    values = [np.array([[3, 7, 19, 0, 1, 2], [5, 5, 0, 0, 0, 0]], np.int32), np.array([[1] * 6, [1, 1, 0, 0, 0, 0]], np.int32)]
    checks.compare("an encoder of texts", run(folder / "encoder.onnx", values)[0], model.predict(values, verbose=0), TOLERANCE)


def main() -> int:
    parser = common.parser(__doc__)
    every = networks.NETWORKS + networks.MORE
    parser.add_argument("--all", action="store_true", help="every network, not one of each family")
    parser.add_argument("--only", choices=sorted({network.base for network in every}), help="one base's networks")
    arguments = parser.parse_args()
    keras = common.import_keras()
    checks = common.Checks()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if arguments.only is None:
            for case in layers.all_cases():
                check_layer(case, keras, checks, folder)
            check_encoder(keras, checks, folder)
        photos = common.numbered_copies(common.photos(4, folder / "drawn"), folder / "photos")
        for network in every if arguments.all or arguments.only else networks.NETWORKS:
            if arguments.only in (None, network.base):
                keras.backend.clear_session()
                check_network(network, keras, checks, photos, folder)
    return checks.finish()


if __name__ == "__main__":
    raise SystemExit(main())
