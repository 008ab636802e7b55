#!/usr/bin/env python3
"""Whole networks, with and without top, on weights that Keras makes at random and saves: Graft against Keras.

Each network gets seeded weights, normalization statistics measured on the photos themselves so that activations stay
in range, and a weight file of the kind that Keras publishes. `graft features` reads the file and the photos, in float32
and, where the processor has it, in bfloat16; and the same weights as Keras 3's `save_weights` writes them.

    Tests/Keras/networks.py                 # one network of each family
    Tests/Keras/networks.py --all           # every network: on demand
    Tests/Keras/networks.py --only vgg19    # one
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import common

#: The bound that the features at `mixed7` keep, for all networks.
TOLERANCE = 1e-4
#: The relative L2 of features in bfloat16. Each factor is rounded by up to 2⁻⁸ of itself, in every one of up to 95 layers;
#: random weights damp nothing. Measured: 0.6 % with VGG16's 13 layers, 3.3 % with InceptionV3's 94.
TOLERANCE_OF_BFLOAT16 = 0.04
#: How much further from 64 bits Graft may be than Keras's own float32. Winograd's filtering rounds twice as much as sums of
#: products, and normalization that is folded into kernels rounds those once more. Measured: 1.3 on ResNet50's features with
#: betas near 0, where rounding grows most; 3.3 on MobileNetV2's probabilities, 6e-6 of the largest, since a softmax turns the
#: logits' errors into shares; 5.4 on VGG16's features on a processor with AVX2 alone, 2.7e-6 of the largest: all its thirteen
#: layers are Winograd's, and Keras's own distance is 5.0e-7 there.
SHARE_OF_KERAS = 6
#: Beyond that, how much further than Keras's `mixed_bfloat16`, as in bfloat16.py. Measured: InceptionResNetV2 alone needs it.
SHARE_OF_KERAS_BFLOAT16 = 1.25
COUNT = 12


@dataclass
class Network:
    """A network in one form; sizes are small, and odd ones among them, as padding shows there."""

    base: str
    title: str
    top: bool
    size: int


#: One of each family: base, title, size with top, size without; no size where time in CI is short and the unit tests, which
#: hold each family's outputs to Keras's with and without top, have to do.
FAMILIES = [
    ("vgg16", "VGG16", 64, 75),
    ("resnet50", "ResNet50", 101, 96),
    ("inception-v3", "InceptionV3", 139, 128),
    ("mobilenet-v2", "MobileNetV2", 96, 75),
    ("efficientnet-lite0", "EfficientNetLite0", 96, 75),
    ("efficientnet-b0", "EfficientNetB0", 96, 75),
    ("resnet50-v2", "ResNet50V2", None, 75),
    ("resnet18", "ResNet18", None, 75),
    ("squeezenet", "SqueezeNet", None, 75),
    ("mobilenet", "MobileNet", None, 75),
    ("mobilenet-v3-small", "MobileNetV3Small", None, 75),
    ("densenet121", "DenseNet121", None, 75),
    ("xception", "Xception", None, 71),
    ("efficientnet-v2-b0", "EfficientNetV2B0", None, 75),
]
#: Those that take minutes each, in Keras more than here.
SLOW = [
    ("inception-resnet-v2", "InceptionResNetV2", 96, 75),
    ("nasnet-mobile", "NASNetMobile", 64, 75),
    ("convnext-tiny", "ConvNeXtTiny", 64, 75),
]
#: The others: their tops are their families'.
OTHERS = [
    ("vgg19", "VGG19", 64),
    ("resnet34", "ResNet34", 64),
    ("resnet101", "ResNet101", 64),
    ("resnet152", "ResNet152", 64),
    ("resnet101-v2", "ResNet101V2", 64),
    ("resnet152-v2", "ResNet152V2", 64),
    ("mobilenet-v2-0.35", "MobileNetV2-0.35", 75),
    ("mobilenet-v2-0.5", "MobileNetV2-0.5", 75),
    ("mobilenet-v2-0.75", "MobileNetV2-0.75", 75),
    ("mobilenet-v2-1.3", "MobileNetV2-1.3", 75),
    ("mobilenet-v2-1.4", "MobileNetV2-1.4", 75),
    ("mobilenet-v3-large", "MobileNetV3Large", 75),
    ("densenet169", "DenseNet169", 64),
    ("densenet201", "DenseNet201", 64),
    ("convnext-small", "ConvNeXtSmall", 64),
    ("convnext-base", "ConvNeXtBase", 64),
    *((f"efficientnet-b{number}", f"EfficientNetB{number}", 75) for number in range(1, 8)),
    *((f"efficientnet-v2-{letter.lower()}", f"EfficientNetV2{letter}", 75) for letter in ("B1", "B2", "B3", "S")),
]


def both(rows) -> list[Network]:
    """With and without top, where there is a size."""
    return [
        Network(base, title, top, size) for base, title, *sizes in rows for top, size in zip((True, False), sizes) if size
    ]


NETWORKS = both(FAMILIES)
MORE = both(SLOW) + [Network(base, title, False, size) for base, title, size in OTHERS]


def has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16, as Linux tells; elsewhere Graft refuses to."""
    information = Path("/proc/cpuinfo")
    return information.exists() and not {"avx512_bf16", "amx_bf16"}.isdisjoint(information.read_text().split())


def computed_in(policy: str, keras, application, network: Network, model, images):
    """What the same network computes in another precision."""
    import numpy as np

    wide = policy == "float64"
    keras.config.set_dtype_policy(policy)
    options = {"classifier_activation": None} if network.top else {}
    other = application(
        include_top=network.top, weights=None, input_shape=(network.size, network.size, 3), **options
    )
    keras.config.set_dtype_policy("float32")
    weights = model.get_weights()
    other.set_weights([array.astype("float64") if wide and array.dtype.kind == "f" else array for array in weights])
    common.finalize(other)
    values = other.predict(images.astype("float64") if wide else images, verbose=0)
    values = np.asarray(values, "float64" if wide else "float32")
    return np.asarray(keras.ops.softmax(values)) if network.top else values


def check(network: Network, keras, checks: common.Checks, photos: list[Path], folder: Path) -> None:
    import numpy as np

    application, preprocess = common.application(network.title)
    size = network.size
    # With top, the logits: softmax comes last, so that its inputs can be looked at first.
    options = {"classifier_activation": None} if network.top else {}
    model = application(include_top=network.top, weights=None, input_shape=(size, size, 3), **options)
    images = preprocess(common.load_images(photos, (size, size)))
    common.randomize(model, images)
    weights = folder / f"{network.base}.h5"
    common.save_legacy_weights(model, weights)
    theirs = model.predict(images, verbose=0)
    name = f"{network.base} {'with' if network.top else 'without'} top at {size}x{size}"
    checks.claim(f"{name}: Keras's values are in range", bool(np.isfinite(theirs).all() and theirs.std() > 1e-3))

    options = ["--top"] if network.top else ["--cut", model.layers[-1].name]

    def features(precision: str, weights: Path = weights):
        return common.graft_features(
            network.base, photos[0].parent, "--weights", weights, "--input-size", size, *options,
            "--precision", precision, output=folder / "features.npy",
        )[0]

    ours = features("float32")
    if network.top:
        # The published networks end in softmax.
        theirs = np.asarray(keras.ops.softmax(theirs))
        checks.claim(f"{name}: probabilities are spread", bool(theirs.max() < 0.99), f"largest {theirs.max():.3f}")
    checks.compare(name, ours, theirs, TOLERANCE)
    exact = computed_in("float64", keras, application, network, model, images)
    distances = [float(abs(values - exact).max() / abs(exact).max()) for values in (ours, theirs)]
    detail = "from float64: Graft {:.1e} of the largest, Keras {:.1e}".format(*distances)
    checks.claim(f"{name}, rounding", distances[0] <= SHARE_OF_KERAS * distances[1], detail)
    # Keras 3's own layout of the same weights: the same bits.
    new = folder / f"{network.base}.weights.h5"
    model.save_weights(new)
    checks.claim(f"{name}, .weights.h5", bool((features("float32", new) == ours).all()))
    new.unlink()
    if has_bfloat16():
        def distance_of(values) -> float:
            return float(np.linalg.norm(values - theirs) / np.linalg.norm(theirs))

        distance, bound = distance_of(features("bfloat16")), TOLERANCE_OF_BFLOAT16
        if distance > bound:
            # A network of 244 layers magnifies rounding more, whoever computes it.
            bound = SHARE_OF_KERAS_BFLOAT16 * distance_of(
                computed_in("mixed_bfloat16", keras, application, network, model, images)
            )
        checks.claim(f"{name}, bfloat16", 0 < distance <= bound, f"relative L2 {distance:.2%}, tolerance {bound:.2%}")
    weights.unlink()


def check_published_efficientnet(keras, checks: common.Checks, photos: list[Path], folder: Path) -> None:
    """A file as EfficientNet's published ones are, with ImageNet's deviations for variances and a counter of 64 bits, read by
    Keras as `weights="imagenet"`, which divides pixels once more, and by Graft."""
    import h5py
    import numpy as np
    from keras.src.utils import file_utils

    size, file = 75, folder / "published.h5"
    images = common.load_images(photos, (size, size))
    keras.backend.clear_session()  # names as in a fresh process
    model = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(size, size, 3))
    common.randomize(model, images)
    statistics = [np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]), np.array(0)]
    model.get_layer("normalization").set_weights(statistics)
    common.save_legacy_weights(model, file)
    with h5py.File(file, "r+") as stored:
        group = stored["normalization"]
        name = next(name for name in group.attrs["weight_names"] if "count" in str(name))
        name = name.decode() if isinstance(name, bytes) else name
        del group[name]
        group.create_dataset(name, data=np.int64(0))
    fetch, file_utils.get_file = file_utils.get_file, lambda *_, **__: str(file)
    try:
        keras.backend.clear_session()
        published = keras.applications.EfficientNetB0(include_top=False, input_shape=(size, size, 3))
    finally:
        file_utils.get_file = fetch
    common.finalize(published)
    theirs = published.predict(images, verbose=0)
    ours = common.graft_features(
        "efficientnet-b0", photos[0].parent, "--weights", file, "--input-size", size, "--cut", "top_activation",
        output=folder / "features.npy",
    )[0]
    name = "efficientnet-b0, a file as it is published"
    other = model.predict(images, verbose=0)
    checks.claim(f"{name}: the division shows", float(abs(theirs - other).max()) > 100 * TOLERANCE * abs(theirs).max())
    checks.compare(name, ours, theirs, TOLERANCE)
    file.unlink()


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--all", action="store_true", help="every network, not one of each family")
    parser.add_argument("--only", choices=sorted({network.base for network in NETWORKS + MORE}), help="one network")
    arguments = parser.parse_args()
    keras = common.import_keras()
    checks = common.Checks()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        photos = common.numbered_copies(common.photos(COUNT, folder / "drawn"), folder / "photos")
        for network in NETWORKS + (MORE if arguments.all or arguments.only else []):
            if arguments.only in (None, network.base):
                keras.backend.clear_session()
                check(network, keras, checks, photos, folder)
        if arguments.only in (None, "efficientnet-b0"):
            check_published_efficientnet(keras, checks, photos, folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
