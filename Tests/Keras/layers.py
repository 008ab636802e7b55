#!/usr/bin/env python3
"""Every layer type, forward and gradient: what Keras computes for seeded inputs, as a fixture for KerasLayerTests.

Each case is a layer (or a small model) with its Keras configuration, inputs, weights, and what Keras gives in float32:
the outputs, the gradients of sum(output x probe) with respect to inputs and trainable variables, and what training
writes to the other variables.

    Tests/Keras/layers.py            writes the fixture
    Tests/Keras/layers.py --check    computes again and compares with the committed fixture
"""

from __future__ import annotations

import json
import sys
import zlib
from dataclasses import dataclass
from typing import Any, Callable

import common

FIXTURE = common.ROOT / "Tests/GraftCPUTests/Fixtures/keras-layers.json"

#: Another processor sums in another order; float32 sums of at most a few hundred products of numbers near 1 differ by
#: less than this part of the largest.
TOLERANCE = 1e-5


@dataclass
class Case:
    """One layer in one set of arguments."""

    name: str
    make: Callable[[Any], Any]
    inputs: list[tuple[int, ...]]
    training: bool = False
    #: Inputs are spread over ±this.
    scale: float = 1.5
    #: Inputs are ids: whole numbers from 0 below this.
    ids: int | None = None
    #: Inputs, by position, that are int32 ids from 0 below this, beside others that are none.
    mixed_ids: dict[int, int] | None = None
    #: What ids are stored as.
    dtype: str = "float32"
    #: What Keras's call is told about training, where that is not `training`.
    keras_training: bool | None | str = "the same"


def convolutions() -> list[Case]:
    def conv(name: str, shape: tuple[int, ...] = (2, 5, 6, 3), filters: int = 4, kernel: Any = 3, **options) -> Case:
        return Case(f"conv2d {name}", lambda k: k.layers.Conv2D(filters, kernel, **options), [shape])

    return [
        conv("with constraints and penalties", kernel=2, kernel_constraint="max_norm", bias_constraint="non_neg",
             activity_regularizer="l2"),
        conv("1x1", kernel=1),
        conv("3x3 valid"),
        conv("3x3 same", padding="same"),
        conv("2x2 same, even kernel", kernel=2, padding="same"),
        conv("1x7 same", kernel=(1, 7), padding="same"),
        conv("7x1 same, larger than the input", kernel=(7, 1), padding="same"),
        conv("kernel of the input's size", kernel=(5, 6)),
        conv("stride 2 valid, even and odd sizes", strides=2),
        conv("stride 2 same, even and odd sizes", strides=2, padding="same"),
        conv("stride 2 same, even kernel", kernel=2, strides=2, padding="same"),
        conv("stride (2, 1) same", strides=(2, 1), padding="same"),
        conv("stride 3 same, kernel smaller than the stride", (2, 7, 8, 2), kernel=2, strides=3, padding="same"),
        conv("1x1 stride 2 valid", kernel=1, strides=2),
        conv("7x7 stride 2 same", (1, 8, 9, 2), 3, 7, strides=2, padding="same"),
        conv("dilation 2 valid", (2, 6, 7, 2), dilation_rate=2),
        conv("dilation 2 same", dilation_rate=2, padding="same"),
        conv("dilation (1, 2) same", kernel=(3, 2), dilation_rate=(1, 2), padding="same"),
        conv("groups 2", (2, 5, 4, 4), 6, groups=2, padding="same"),
        conv("groups 2 stride 2 valid", (2, 6, 5, 4), 4, groups=2, strides=2),
        conv("groups as many as channels", (2, 5, 4, 3), 6, groups=3, padding="same"),
        conv("without bias", use_bias=False),
        conv("relu", activation="relu", padding="same"),
        conv("relu without bias", activation="relu", use_bias=False),
        conv("tanh", activation="tanh", kernel=1),
        conv("gelu", activation="gelu", kernel=2),
        conv("softmax", activation="softmax", kernel=2),
        conv("one pixel", (3, 1, 1, 4), 5, padding="same"),
        conv("one channel", (2, 4, 5, 1), 2),
    ]


def depthwise_convolutions() -> list[Case]:
    def depthwise(name: str, shape: tuple[int, ...] = (2, 5, 6, 3), kernel: Any = 3, **options) -> Case:
        return Case(f"depthwise {name}", lambda k: k.layers.DepthwiseConv2D(kernel, **options), [shape])

    return [
        depthwise("3x3 valid"),
        depthwise("constrained", kernel=2, depthwise_constraint="unit_norm", activity_regularizer="l2"),
        depthwise("3x3 same", padding="same"),
        depthwise("multiplier 2", depth_multiplier=2),
        depthwise("multiplier 2 stride 2 same", depth_multiplier=2, strides=2, padding="same"),
        depthwise("multiplier 3 of one channel", (2, 4, 4, 1), depth_multiplier=3),
        depthwise("stride 2 same", strides=2, padding="same"),
        depthwise("stride 2 valid", strides=2),
        depthwise("dilation 2 same", dilation_rate=2, padding="same"),
        depthwise("2x2 same without bias", kernel=2, padding="same", use_bias=False),
        depthwise("relu6", activation="relu6", padding="same"),
    ]


def separable_convolutions() -> list[Case]:
    def separable(name: str, shape: tuple[int, ...] = (2, 5, 6, 3), filters: int = 4, kernel: Any = 3, **options) -> Case:
        return Case(f"separable {name}", lambda k: k.layers.SeparableConv2D(filters, kernel, **options), [shape])

    return [
        separable("3x3 valid"),
        separable("3x3 same without bias", padding="same", use_bias=False),
        separable("multiplier 2 stride 2 same, relu", depth_multiplier=2, strides=2, padding="same", activation="relu"),
        separable("dilation 2 same", dilation_rate=2, padding="same"),
        separable("of one channel", (2, 4, 4, 1), 2, depth_multiplier=3),
        Case(
            "separable with penalties",
            lambda k: k.layers.SeparableConv2D(
                2, 1, depthwise_regularizer=k.regularizers.L1L2(0.01, 0.1), pointwise_regularizer="l2", bias_regularizer="l2"
            ),
            [(2, 3, 3, 2)],
        ),
    ]


ACTIVATIONS = ["relu", "relu6", "sigmoid", "softmax", "tanh", "elu", "gelu", "swish", "hard_sigmoid", "hard_swish", "linear"]
#: Those with a kink: inputs stay away from it, as Keras and Graft each take a side of their own there.
OTHER_ACTIVATIONS = [
    "selu", "celu", "leaky_relu", "exponential", "softplus", "softsign", "mish", "log_softmax", "log_sigmoid", "hard_tanh",
    "hard_shrink", "soft_shrink", "tanh_shrink", "squareplus", "sparse_plus", "sparse_sigmoid",
]


def dense_layers() -> list[Case]:
    cases = [
        Case("dense without bias", lambda k: k.layers.Dense(5, use_bias=False), [(3, 4)]),
        Case("dense of one unit", lambda k: k.layers.Dense(1), [(3, 4)]),
        Case("dense over the last axis of images", lambda k: k.layers.Dense(5), [(2, 3, 2, 4)]),
        Case("dense of one example", lambda k: k.layers.Dense(3), [(1, 7)]),
        Case(
            "dense with penalties",
            lambda k: k.layers.Dense(3, kernel_regularizer=k.regularizers.L1L2(0.01, 0.1), bias_regularizer="l2"),
            [(2, 4)],
        ),
    ]
    cases += [
        Case(
            "dense with constraints and orthogonal rows",
            lambda k: k.layers.Dense(
                3, kernel_constraint=k.constraints.MinMaxNorm(0.5, 2, 0.9, axis=1), bias_constraint="non_neg",
                kernel_regularizer=k.regularizers.OrthogonalRegularizer(0.25, "columns")),
            [(2, 4)],
        ),
        Case("dense with a layer for its activation", lambda k: k.layers.Dense(5, activation=k.layers.LeakyReLU(0.1)), [(3, 4)]),
        Case("dense with a softmax layer", lambda k: k.layers.Dense(5, activation=k.layers.Softmax(axis=1)), [(2, 3, 4)]),
        Case("dense with an operation", lambda k: k.layers.Dense(5, activation=k.ops.softplus), [(3, 4)]),
    ]
    for name in ACTIVATIONS:
        cases.append(Case(f"dense {name}", lambda k, name=name: k.layers.Dense(5, activation=name), [(3, 4)]))
    return cases


def embeddings() -> list[Case]:
    return [
        Case("embedding", lambda k: k.layers.Embedding(7, 3), [(2, 5)], ids=7),
        Case("embedding of int32 ids", lambda k: k.layers.Embedding(7, 3), [(2, 5)], ids=7, dtype="int32"),
        Case("embedding of single ids", lambda k: k.layers.Embedding(4, 2), [(6,)], ids=4),
        Case(
            "embedding with a penalty, over two axes",
            lambda k: k.layers.Embedding(5, 4, embeddings_initializer="ones", embeddings_regularizer="l2"),
            [(2, 3, 2)],
            ids=5,
        ),
        Case(
            "embedding with a constraint",
            lambda k: k.layers.Embedding(5, 4, embeddings_constraint="unit_norm", activity_regularizer="l2"),
            [(2, 3)],
            ids=5,
        ),
    ]


def activations() -> list[Case]:
    cases = []
    for name in ACTIVATIONS:
        make = lambda k, name=name: k.layers.Activation(name)
        cases.append(Case(f"activation {name} of images", make, [(2, 3, 4, 3)], scale=9))
        cases.append(Case(f"activation {name} of vectors", make, [(3, 10)], scale=30))
    for name in OTHER_ACTIVATIONS:
        make = lambda k, name=name: k.layers.Activation(name)
        cases.append(Case(f"activation {name} of images", make, [(2, 3, 4, 3)], scale=3))
        cases.append(Case(f"activation {name} of vectors", make, [(3, 10)], scale=9))
    image = [(2, 3, 4, 3)]
    cases += [
        Case("leaky relu layer", lambda k: k.layers.LeakyReLU(), image, scale=9),
        Case("leaky relu layer with a slope", lambda k: k.layers.LeakyReLU(negative_slope=0.05), image),
        Case("elu layer", lambda k: k.layers.ELU(), image, scale=9),
        Case("elu layer with alpha", lambda k: k.layers.ELU(alpha=0.3), image),
        Case("prelu", lambda k: k.layers.PReLU(), image),
        Case("prelu of channels", lambda k: k.layers.PReLU("ones", "l2", "non_neg", shared_axes=[1, 2]), image),
        Case("prelu of vectors", lambda k: k.layers.PReLU(alpha_initializer=k.initializers.Constant(0.25)), [(3, 4)]),
        Case("softmax layer", lambda k: k.layers.Softmax(), image, scale=9),
        Case("softmax layer over the height", lambda k: k.layers.Softmax(axis=1), image, scale=9),
        Case("softmax layer over two axes", lambda k: k.layers.Softmax(axis=[1, -1]), image, scale=9),
        Case("identity", lambda k: k.layers.Identity(), image),
        Case("activity regularization", lambda k: k.layers.ActivityRegularization(l1=0.1, l2=0.01), image),
    ]
    for name, options in {
        "with its defaults": {},
        "up to 6": {"max_value": 6.0},
        "up to 2 from a threshold": {"max_value": 2.0, "threshold": 1.0},
        "with a slope": {"negative_slope": 0.3},
        "with a slope, from a threshold, up to 5": {"negative_slope": 0.1, "threshold": 0.5, "max_value": 5.0},
    }.items():
        make = lambda k, options=options: k.layers.ReLU(**options)
        cases.append(Case(f"relu layer {name}", make, [(2, 3, 4, 3)], scale=9))
    return cases


def normalizations() -> list[Case]:
    cases = []
    for training in (False, True):
        mode = "training" if training else "inference"

        def batch(name: str, shape: tuple[int, ...] = (3, 4, 3, 4), training=training, mode=mode, **options) -> Case:
            return Case(
                f"batch normalization {name}, {mode}",
                lambda k: k.layers.BatchNormalization(**options),
                [shape],
                training=training,
            )

        cases += [
            batch("with scale and centre"),
            batch("without scale", scale=False),
            batch("without centre", center=False),
            batch("with neither", scale=False, center=False),
            batch("epsilon 1.001e-5, momentum 0.9", epsilon=1.001e-5, momentum=0.9),
            batch("of vectors", (6, 5)),
            batch("frozen", trainable=False),
            batch("of the height", axis=1),
            batch("of the width, without scale", axis=-2, scale=False),
            batch("constrained", beta_constraint="non_neg", gamma_constraint="unit_norm"),
        ]

    def group(name: str, groups: int, shape: tuple[int, ...] = (3, 4, 2, 6), **options) -> Case:
        return Case(f"group normalization {name}", lambda k: k.layers.GroupNormalization(groups, **options), [shape])

    return cases + [
        group("of two groups", 2),
        group("of one group", 1),
        group("of single channels", -1),
        group("without scale", 3, scale=False),
        group("without centre, of vectors", 2, (3, 8), center=False),
        group("with neither, epsilon 1e-5", 2, scale=False, center=False, epsilon=1e-5),
        group("of the height", 2, axis=1, gamma_regularizer="l2", beta_constraint="non_neg"),
        Case("rms normalization", lambda k: k.layers.RMSNormalization(), [(2, 3, 2, 4)]),
        Case("rms normalization of vectors", lambda k: k.layers.RMSNormalization(epsilon=1e-3), [(3, 5)]),
        Case("rms normalization of two axes", lambda k: k.layers.RMSNormalization(axis=[-2, -1]), [(2, 3, 2, 4)]),
        Case("rescaling", lambda k: k.layers.Rescaling(1 / 127.5, offset=-1), [(2, 3, 2, 3)], scale=255),
        Case("rescaling by channel", lambda k: k.layers.Rescaling([0.5, 2.0, -1.0], offset=[1.0, 0.0, 3.0]), [(2, 3, 2, 3)]),
        Case(
            "normalization with given statistics",
            lambda k: k.layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.0524, 0.0502, 0.0506]),
            [(2, 3, 2, 3)],
        ),
        Case("layer normalization", lambda k: k.layers.LayerNormalization(), [(2, 3, 2, 4)]),
        Case("layer normalization of vectors, training", lambda k: k.layers.LayerNormalization(epsilon=1e-6), [(3, 7)], training=True),
        Case("layer normalization of images", lambda k: k.layers.LayerNormalization(axis=[1, 2, 3]), [(2, 3, 2, 4)]),
        Case("layer normalization of columns", lambda k: k.layers.LayerNormalization(axis=2), [(2, 3, 5, 4)]),
        Case(
            "layer normalization without scale, with a penalty",
            lambda k: k.layers.LayerNormalization(scale=False, beta_regularizer="l2"),
            [(2, 3, 5)],
        ),
        Case("layer normalization without center", lambda k: k.layers.LayerNormalization(center=False), [(2, 3, 5)]),
        Case("normalization by one number", lambda k: k.layers.Normalization(axis=None, mean=3.0, variance=2.0), [(2, 3, 2, 3)]),
        Case("normalization with stored statistics", lambda k: k.layers.Normalization(), [(2, 3, 2, 3)]),
    ]


def poolings() -> list[Case]:
    cases = []
    for kind, make in (("max", "MaxPooling2D"), ("average", "AveragePooling2D")):

        def pool(name: str, shape: tuple[int, ...] = (2, 5, 6, 3), kind=kind, make=make, **options) -> Case:
            return Case(f"{kind} pooling {name}", lambda k: getattr(k.layers, make)(**options), [shape])

        cases += [
            pool("2x2", pool_size=2),
            pool("2x2 same, odd size", pool_size=2, padding="same"),
            pool("3x3 stride 2 valid", pool_size=3, strides=2),
            pool("3x3 stride 2 same", pool_size=3, strides=2, padding="same"),
            pool("3x3 stride 1 same", pool_size=3, strides=1, padding="same"),
            pool("(2, 3) stride (1, 2) same", pool_size=(2, 3), strides=(1, 2), padding="same"),
            pool("stride larger than the window", (2, 7, 8, 2), pool_size=2, strides=3),
            pool("of the whole image", pool_size=(5, 6)),
        ]
    for make in ("GlobalAveragePooling2D", "GlobalMaxPooling2D"):
        for keep in (False, True):
            cases.append(
                Case(
                    f"{make}{' keeping dimensions' if keep else ''}",
                    lambda k, make=make, keep=keep: getattr(k.layers, make)(keepdims=keep),
                    [(2, 3, 4, 5)],
                )
            )
    sequence = [(2, 7, 3)]
    for kind in ("Max", "Average"):
        for name, options in {
            "2": {"pool_size": 2}, "3 stride 2 same": {"pool_size": 3, "strides": 2, "padding": "same"},
            "2 stride 3": {"pool_size": 2, "strides": 3},
        }.items():
            make = lambda k, kind=kind, options=options: getattr(k.layers, f"{kind}Pooling1D")(**options)
            cases.append(Case(f"{kind.lower()} pooling of sequences {name}", make, sequence))
        for keep in (False, True):
            make = lambda k, kind=kind, keep=keep: getattr(k.layers, f"Global{kind}Pooling1D")(keepdims=keep)
            cases.append(Case(f"Global{kind}Pooling1D{' keeping dimensions' if keep else ''}", make, sequence))
    return cases


def sequences() -> list[Case]:
    def conv(name: str, shape: tuple[int, ...] = (2, 7, 3), filters: int = 4, kernel: int = 3, **options) -> Case:
        return Case(f"conv1d {name}", lambda k: k.layers.Conv1D(filters, kernel, **options), [shape])

    return [
        conv("valid"),
        conv("same", padding="same"),
        conv("causal", padding="causal"),
        conv("causal, dilated", padding="causal", dilation_rate=2),
        conv("stride 2 same", padding="same", strides=2, kernel=2),
        conv("dilated", dilation_rate=2, activation="relu", use_bias=False),
        conv("groups", (2, 5, 4), 6, groups=2, kernel_constraint="max_norm"),
    ]


def transposed_convolutions() -> list[Case]:
    def conv(name: str, shape: tuple[int, ...] = (2, 3, 4, 3), filters: int = 2, kernel: Any = 3, **options) -> Case:
        return Case(f"conv2d transpose {name}", lambda k: k.layers.Conv2DTranspose(filters, kernel, **options), [shape])

    return [
        conv("valid"),
        conv("same", padding="same"),
        conv("stride 2 same", strides=2, padding="same"),
        conv("stride 2 valid", strides=2),
        conv("4x4 stride 2 same, relu", kernel=4, strides=2, padding="same", activation="relu"),
        conv("2x2 stride (2, 3) valid, kernel smaller than the stride", kernel=2, strides=(2, 3)),
        conv("stride 2 same with output padding", strides=2, padding="same", output_padding=1),
        conv("stride 2 valid with output padding", strides=2, output_padding=(1, 0), use_bias=False),
        conv("of one pixel", (3, 1, 1, 4), 3, 2, strides=2),
    ]


def shapes() -> list[Case]:
    image = [(2, 3, 4, 2)]
    return [
        Case("zero padding", lambda k: k.layers.ZeroPadding2D(), image),
        Case("zero padding (1, 2)", lambda k: k.layers.ZeroPadding2D((1, 2)), image),
        Case("zero padding ((0, 1), (2, 0))", lambda k: k.layers.ZeroPadding2D(((0, 1), (2, 0))), image),
        Case("cropping of nothing", lambda k: k.layers.Cropping2D(), image),
        Case("cropping 1", lambda k: k.layers.Cropping2D(1), image),
        Case("cropping ((0, 1), (2, 0))", lambda k: k.layers.Cropping2D(((0, 1), (2, 0))), image),
        Case("stochastic depth, inference", lambda k: convnext().StochasticDepth(0.5), image),
        Case("stochastic depth of nothing, training", lambda k: convnext().StochasticDepth(0.0), image, training=True),
        Case("layer scale", lambda k: convnext().LayerScale(1e-6, 2), image),
        Case("flatten", lambda k: k.layers.Flatten(), image),
        Case("flatten vectors", lambda k: k.layers.Flatten(), [(3, 4)]),
        Case("up-sampling", lambda k: k.layers.UpSampling2D(), image),
        Case("up-sampling (3, 1)", lambda k: k.layers.UpSampling2D((3, 1)), image),
        Case("up-sampling, bilinear", lambda k: k.layers.UpSampling2D(interpolation="bilinear"), image),
        Case("up-sampling (3, 5), bilinear", lambda k: k.layers.UpSampling2D((3, 5), interpolation="bilinear"), image),
        Case("up-sampling of one pixel, bilinear", lambda k: k.layers.UpSampling2D(4, interpolation="bilinear"), [(2, 1, 1, 3)]),
        Case("reshape", lambda k: k.layers.Reshape((4, 6)), image),
        Case("reshape with one free size", lambda k: k.layers.Reshape((2, -1, 3)), image),
        Case("dropout, inference", lambda k: k.layers.Dropout(0.5), image),
        Case("permute", lambda k: k.layers.Permute((3, 1, 2)), image),
        Case("permute sequences", lambda k: k.layers.Permute((2, 1)), [(2, 3, 4)]),
        Case("repeat vector", lambda k: k.layers.RepeatVector(3), [(2, 4)]),
        Case("dropout with a noise shape, inference", lambda k: k.layers.Dropout(0.5, (None, 1, 1, 1)), image),
        Case("gaussian dropout, inference", lambda k: k.layers.GaussianDropout(0.5), image),
        Case("gaussian dropout of nothing, training", lambda k: k.layers.GaussianDropout(0.0), image, training=True),
        Case("alpha dropout, inference", lambda k: k.layers.AlphaDropout(0.5, noise_shape=(None, 1, 1, 2)), image),
        Case("alpha dropout of nothing, training", lambda k: k.layers.AlphaDropout(0.0), image, training=True),
        Case(
            "dropout of nothing, of channels, training",
            lambda k: k.layers.Dropout(0.0, noise_shape=(None, 1, 1, 2)),
            image,
            training=True,
        ),
        Case("dropout of nothing, training", lambda k: k.layers.Dropout(0.0), image, training=True),
        Case("spatial dropout, inference", lambda k: k.layers.SpatialDropout2D(0.5), image),
        Case("spatial dropout of nothing, training", lambda k: k.layers.SpatialDropout2D(0.0), image, training=True),
        Case("gaussian noise, inference", lambda k: k.layers.GaussianNoise(0.5), image),
        Case("gaussian noise of nothing, training", lambda k: k.layers.GaussianNoise(0.0), image, training=True),
        Case("unit normalization", lambda k: k.layers.UnitNormalization(), image),
        Case("unit normalization of vectors", lambda k: k.layers.UnitNormalization(), [(3, 5)]),
        Case("unit normalization of images", lambda k: k.layers.UnitNormalization(axis=[1, 2, 3]), image),
    ]


def image_layers() -> list[Case]:
    """Preprocessing, and augmentation in inference mode; `image_layers.py` has what augmentation does in training."""
    image = [(2, 5, 8, 3)]
    cases = []
    for name, size, options in [
        ("larger", (9, 11), {}),
        ("smaller", (2, 3), {}),
        ("nearest", (3, 10), {"interpolation": "nearest"}),
        ("antialiased", (2, 3), {"antialias": True}),
        ("cropped to a wide form", (2, 6), {"crop_to_aspect_ratio": True}),
        ("cropped to a tall form", (7, 3), {"crop_to_aspect_ratio": True}),
        ("padded to a tall form", (8, 4), {"pad_to_aspect_ratio": True, "fill_value": 0.5}),
        ("padded to a wide form", (3, 9), {"pad_to_aspect_ratio": True}),
    ]:
        make = lambda k, size=size, options=options: k.layers.Resizing(*size, **options)
        cases.append(Case(f"resizing, {name}", make, image))
    for size in [(3, 4), (5, 8), (4, 10), (9, 3)]:
        cases.append(Case(f"center crop to {size}", lambda k, size=size: k.layers.CenterCrop(*size), image))
    for name, make in {
        "flip": lambda k: k.layers.RandomFlip("horizontal", seed=2),
        "rotation": lambda k: k.layers.RandomRotation(0.2, fill_mode="wrap", fill_value=2.0),
        "zoom": lambda k: k.layers.RandomZoom((-0.3, -0.2), 0.1, interpolation="nearest"),
        "zoom of both": lambda k: k.layers.RandomZoom(0.5),
        "translation": lambda k: k.layers.RandomTranslation(0.2, (0.1, 0.3), fill_mode="nearest"),
        "contrast": lambda k: k.layers.RandomContrast(0.2, value_range=(0, 1)),
        "brightness": lambda k: k.layers.RandomBrightness((-0.2, 0.1)),
        "crop to the same size": lambda k: k.layers.RandomCrop(5, 8, seed=4),
    }.items():
        cases.append(Case(f"random {name}, inference", make, image))
    return cases


def convnext():
    """Layers that Keras has for its ConvNeXt alone."""
    from keras.src.applications import convnext

    return convnext


def custom_scale_layer(scale: float):
    """A layer that Keras has for its InceptionResNetV2 alone."""
    from keras.src.applications import inception_resnet_v2

    return inception_resnet_v2.CustomScaleLayer(scale)


def merges() -> list[Case]:
    image = (2, 3, 4, 2)
    return [
        Case("concatenate", lambda k: k.layers.Concatenate(), [image, (2, 3, 4, 3)]),
        Case("concatenate three", lambda k: k.layers.Concatenate(), [image, (2, 3, 4, 1), (2, 3, 4, 3)]),
        Case("concatenate along the height", lambda k: k.layers.Concatenate(axis=1), [image, (2, 2, 4, 2)]),
        Case("concatenate vectors", lambda k: k.layers.Concatenate(), [(3, 4), (3, 2)]),
        Case("add", lambda k: k.layers.Add(), [image, image]),
        Case("add three", lambda k: k.layers.Add(), [image, image, image]),
        Case("add, broadcast", lambda k: k.layers.Add(), [image, (2, 1, 1, 2)]),
        Case("multiply", lambda k: k.layers.Multiply(), [image, image]),
        Case("multiply three", lambda k: k.layers.Multiply(), [image, image, image]),
        Case("custom scale layer", lambda k: custom_scale_layer(0.17), [image, image]),
        Case("multiply, broadcast", lambda k: k.layers.Multiply(), [image, (2, 1, 1, 2)]),
        Case("subtract", lambda k: k.layers.Subtract(), [image, image]),
        Case("subtract, broadcast", lambda k: k.layers.Subtract(), [image, (2, 1, 1, 2)]),
        Case("average", lambda k: k.layers.Average(), [image, image]),
        Case("average three", lambda k: k.layers.Average(), [image, image, image]),
        Case("maximum", lambda k: k.layers.Maximum(), [image, image]),
        Case("maximum three, broadcast", lambda k: k.layers.Maximum(), [image, (2, 1, 1, 2), image]),
        Case("minimum", lambda k: k.layers.Minimum(), [image, image]),
        Case("dot of vectors", lambda k: k.layers.Dot(1), [(3, 4), (3, 4)]),
        Case("dot of vectors, normalized", lambda k: k.layers.Dot(-1, normalize=True), [(3, 4), (3, 4)]),
        Case("dot of matrices", lambda k: k.layers.Dot((2, 1)), [(2, 3, 4), (2, 4, 5)]),
        Case("dot of a matrix and a vector", lambda k: k.layers.Dot((1, 1)), [(2, 3, 4), (2, 3)]),
        Case("dot of a vector and a matrix", lambda k: k.layers.Dot((1, 2)), [(2, 4), (2, 3, 4)]),
        Case("dot of images", lambda k: k.layers.Dot(-1, normalize=True), [image, (2, 5, 2)]),
    ]


def attention() -> list[Case]:
    """Attention by itself, then in models that say more at its call: masks are ids 0 and 1."""

    def attend(name: str, inputs: list[tuple[int, ...]], **options) -> Case:
        return Case(f"attention {name}", lambda k: k.layers.MultiHeadAttention(2, 3, **options), inputs)

    def masked(name: str, call: Callable[[Any, Any, Any, Any], Any], mask: tuple[int, ...], **options) -> Case:
        def make(k):
            x, memory = k.Input((3, 4), name="x"), k.Input((5, 4), name="memory")
            flags = k.Input(mask, dtype="int32", name="flags")
            return k.Model([x, memory, flags], call(k.layers.MultiHeadAttention(2, 3, **options), x, memory, flags))

        return Case(f"model: attention with {name}", make, [(2, 3, 4), (2, 5, 4), (2, *mask)], mixed_ids={2: 2})

    def causal(name: str, **options) -> Case:
        def make(k):
            x = k.Input((5, 4), name="x")
            return k.Model(x, k.layers.MultiHeadAttention(2, 3, **options)(x, x, use_causal_mask=True))

        return Case(f"model: causal attention {name}", make, [(2, 5, 4)])

    def pooled(k):
        x, flags = k.Input((4, 3), name="x"), k.Input((4,), dtype="int32", name="flags")
        return k.Model([x, flags], k.layers.GlobalAveragePooling1D()(x, mask=flags))

    query, value = (2, 3, 4), (2, 5, 4)
    return [
        attend("of two sequences", [query, value]),
        attend("with a key of its own", [query, value, (2, 5, 6)]),
        attend("of other widths", [query, (2, 5, 2)], value_dim=5, output_shape=7),
        attend("without bias", [query, value], use_bias=False),
        attend("with a gate", [query, value], use_gate=True),
        attend("in a window", [(2, 5, 4), value], sliding_window=2),
        attend("with dropout, for inference", [query, value], dropout=0.5),
        attend("with penalties", [query, value], kernel_regularizer="l2", bias_constraint="non_neg"),
        masked("a mask", lambda layer, x, y, flags: layer(x, y, attention_mask=flags), (3, 5)),
        masked("a mask of heads", lambda layer, x, y, flags: layer(x, y, attention_mask=flags), (2, 3, 5)),
        masked("one row of a mask", lambda layer, x, y, flags: layer(x, y, attention_mask=flags), (1, 5)),
        masked("a mask and dropout", lambda layer, x, y, flags: layer(x, y, attention_mask=flags), (3, 5), dropout=0.1),
        masked("a mask of keys", lambda layer, x, y, flags: layer(x, y, key_mask=flags), (5,)),
        masked("names alone", lambda layer, x, y, flags: layer(value=y, query=x, key=y, value_mask=flags), (5,)),
        masked(
            "a mask, a window and a causal mask",
            lambda layer, x, y, flags: layer(x, y, attention_mask=flags, use_causal_mask=True), (1, 5), sliding_window=2,
        ),
        causal("alone"),
        causal("in a window", sliding_window=2),
        Case("model: the mean of what a mask names", pooled, [(3, 4, 3), (3, 4)], mixed_ids={1: 2}),
    ]


def models() -> list[Case]:
    """Small functional models: how layers join, share and nest."""

    def residual(k):
        x = k.Input((4, 5, 3), name="image")
        y = k.layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
        y = k.layers.BatchNormalization(scale=False)(y)
        y = k.layers.Activation("relu")(y)
        z = k.layers.Conv2D(4, 1)(x)
        return k.Model(x, k.layers.Activation("relu")(k.layers.Add()([y, z])))

    def branches(k):
        x = k.Input((5, 5, 2), name="image")
        a = k.layers.Conv2D(3, 1, activation="relu")(x)
        b = k.layers.Conv2D(2, 3, padding="same")(a)
        c = k.layers.AveragePooling2D(3, strides=1, padding="same")(x)
        joined = k.layers.Concatenate()([a, b, c])
        return k.Model(x, k.layers.Dense(2, activation="softmax")(k.layers.GlobalAveragePooling2D()(joined)))

    def shared(k):
        left, right = k.Input((4,), name="left"), k.Input((4,), name="right")
        dense = k.layers.Dense(3, activation="tanh")
        return k.Model([left, right], k.layers.Multiply()([dense(left), dense(right)]))

    def nested(k):
        inner_input = k.Input((4, 4, 2))
        inner = k.Model(inner_input, k.layers.Conv2D(3, 3, activation="relu")(inner_input), name="inner")
        x = k.Input((4, 4, 2), name="image")
        return k.Model(x, k.layers.Dense(2)(k.layers.Flatten()(inner(x))))

    def two_outputs(k):
        x = k.Input((6,), name="vector")
        hidden = k.layers.Dense(5, activation="relu", name="hidden")(x)
        return k.Model(x, [k.layers.Dense(2, name="first")(hidden), k.layers.Dense(3, activation="sigmoid")(hidden)])

    def called_for_inference(k):
        x = k.Input((3, 3, 2), name="image")
        return k.Model(x, k.layers.Flatten()(k.layers.BatchNormalization()(x, training=False)))

    def sequential(k):
        layers = [k.layers.Conv2D(3, 2), k.layers.MaxPooling2D(), k.layers.Flatten(), k.layers.Dense(2)]
        return k.Sequential([k.Input((5, 5, 2)), *layers])

    def frozen_part(k):
        x = k.Input((3, 3, 2), name="image")
        convolution, norm = k.layers.Conv2D(3, 2), k.layers.BatchNormalization()
        convolution.trainable = norm.trainable = False
        return k.Model(x, k.layers.Dense(2)(k.layers.Flatten()(norm(convolution(x)))))

    def tokens(k):
        x = k.Input((2, 3), dtype="int32", name="tokens")
        words = k.layers.Embedding(9, 4)(k.layers.Flatten()(x))
        return k.Model(x, k.layers.Dense(2)(k.layers.Flatten()(words)))

    image = (2, 4, 5, 3)
    return [
        Case("model: int32 ids, flattened", tokens, [(3, 2, 3)], ids=9, dtype="int32"),
        Case("model: residual block, inference", residual, [image]),
        Case("model: residual block, training", residual, [image], training=True),
        Case("model: branches joined", branches, [(2, 5, 5, 2)]),
        Case("model: one layer called twice", shared, [(3, 4), (3, 4)]),
        Case("model: a model inside a model", nested, [(2, 4, 4, 2)]),
        Case("model: two outputs", two_outputs, [(3, 6)]),
        # `training=True` from outside would override the layer's own `training=False` in Keras 3, against its
        # documentation (keras-team/keras #20285); Graft keeps to the documentation.
        Case(
            "model: normalization called for inference, in training",
            called_for_inference,
            [(2, 3, 3, 2)],
            training=True,
            keras_training=None,
        ),
        Case("model: sequential", sequential, [(2, 5, 5, 2)]),
        Case("model: frozen part, in training", frozen_part, [(2, 3, 3, 2)], training=True),
    ]


def operations() -> list[Case]:
    """Functions of `keras.ops` in functional models, as arithmetic, `preprocess_input` and people's own code leave them."""
    image = (2, 4, 6, 3)

    def of(name: str, function: Callable[[Any, Any], Any], shape: tuple[int, ...] = image, **options) -> Case:
        def make(k):
            x = k.Input(shape[1:], name="x")
            return k.Model(x, function(k, x))

        return Case(f"operation: {name}", make, [shape], **options)

    numbers = [0.5, -1.0, 2.0]
    return [
        of("x * 2 - 1", lambda k, x: x * 2.0 - 1),
        of("1 - x / 3", lambda k, x: 1 - x / 3),
        of("arrays", lambda k, x: (x - k.ops.convert_to_tensor(numbers)) * k.ops.convert_to_tensor([[numbers]])),
        of("-x and powers", lambda k, x: -x + x**2 + k.ops.power(k.ops.exp(x), 1.5)),
        of("2 ** x", lambda k, x: k.ops.power(2.0, x)),
        of("maximum and minimum", lambda k, x: k.ops.maximum(x, 0.1) + k.ops.minimum(x, -0.1)),
        of("between tensors", lambda k, x: x * x[:, :1] / (x * x + 1) - x),
        of("preprocessing of mobilenet", lambda k, x: k.applications.mobilenet_v2.preprocess_input(x), scale=255),
        of("preprocessing of resnet", lambda k, x: k.applications.resnet.preprocess_input(x), scale=255),
        of("preprocessing of densenet", lambda k, x: k.applications.densenet.preprocess_input(x), scale=255),
        of("reversed channels", lambda k, x: x[..., ::-1]),
        of("slices", lambda k, x: x[:, 1:-1, ::2, 1]),
        of("slices from behind and a new axis", lambda k, x: x[:, -1:0:-2, None, :, -1]),
        of("a part along the first axis", lambda k, x: x[:, 0]),
        of("mean over places", lambda k, x: k.ops.mean(x, axis=[1, 2])),
        of("mean over channels, kept", lambda k, x: k.ops.mean(x, axis=-1, keepdims=True)),
        of("sum, maximum and minimum", lambda k, x: k.ops.sum(x, 1) + k.ops.max(x, 1) * k.ops.min(x, 1)),
        of("variance and deviation", lambda k, x: k.ops.var(x, [1, 2]) + k.ops.std(x, [1, 2])),
        of("reshape and transpose", lambda k, x: k.ops.transpose(k.ops.reshape(x, (-1, 24, 3)), (0, 2, 1))),
        of("axes added and taken away", lambda k, x: k.ops.squeeze(k.ops.expand_dims(x, 2), axis=2)),
        of("concatenate and stack", lambda k, x: k.ops.stack([k.ops.concatenate([x, x * 2], axis=-1)] * 2, axis=1)),
        of("flip and pad", lambda k, x: k.ops.pad(k.ops.flip(x, axis=2), [[0, 0], [1, 0], [0, 2], [0, 0]])),
        of("matmul", lambda k, x: k.ops.matmul(x, k.ops.transpose(x, (0, 1, 3, 2)))),
        of("clip, cast and resize", lambda k, x: k.ops.image.resize(k.ops.cast(k.ops.clip(x, -1, 1), "float32"), (3, 9))),
        of("softmax over an axis", lambda k, x: k.ops.softmax(x, axis=1) + k.ops.softmax(x)),
        of("log softmax", lambda k, x: k.ops.log_softmax(x)),
        of("normalize", lambda k, x: k.ops.normalize(x, axis=-1)),
        of("roots and logarithms", lambda k, x: k.ops.log(k.ops.square(x) + 1) + k.ops.sqrt(k.ops.abs(x)) + k.ops.log1p(k.ops.exp(x))),
        of("erf, sign, expm1, rsqrt", lambda k, x: k.ops.erf(x) + k.ops.sign(x) + k.ops.expm1(x) + k.ops.rsqrt(k.ops.square(x) + 1)),
        of("relu with arguments", lambda k, x: k.activations.relu(x, negative_slope=0.1, max_value=1.0)),
        of("rectifiers", lambda k, x: k.ops.relu(x) + k.ops.relu6(x * 6) + k.ops.leaky_relu(x, 0.3) + k.ops.elu(x, 0.5) + k.ops.selu(x)),
        of("curves", lambda k, x: k.ops.sigmoid(x) + k.ops.tanh(x) + k.ops.silu(x) + k.ops.softplus(x) + k.ops.softsign(x)),
        of("gelu", lambda k, x: k.ops.gelu(x) + k.activations.gelu(x)),
        of("hard sigmoid and hard silu", lambda k, x: k.ops.hard_sigmoid(x * 5) + k.ops.hard_silu(x * 5)),
        of("hard tanh, log sigmoid", lambda k, x: k.ops.hard_tanh(x) + k.ops.log_sigmoid(x) + k.ops.tanh_shrink(x)),
    ]


def distributed() -> list[Case]:
    """A layer or a model for each step of a sequence."""

    def frames(k):
        inner = k.Sequential([k.Input((4, 4, 2)), k.layers.Conv2D(3, 3, activation="relu"), k.layers.Flatten()], name="inner")
        x = k.Input((3, 4, 4, 2), name="frames")
        return k.Model(x, k.layers.Dense(2)(k.layers.GlobalAveragePooling1D()(k.layers.TimeDistributed(inner)(x))))

    def normalized(k):
        x = k.Input((3, 5), name="steps")
        return k.Model(x, k.layers.TimeDistributed(k.layers.BatchNormalization())(x))

    return [
        Case("model: a model for each step", frames, [(2, 3, 4, 4, 2)]),
        # In training Keras normalizes step by step, Graft all steps of a batch together.
        Case("model: normalization of steps", normalized, [(4, 3, 5)]),
    ]


def all_cases() -> list[Case]:
    groups = [
        convolutions, depthwise_convolutions, separable_convolutions, transposed_convolutions, sequences, dense_layers, embeddings,
        activations, normalizations, poolings, shapes, image_layers, merges, attention, operations, distributed, models,
    ]
    cases = [case for group in groups for case in group()]
    assert len({case.name for case in cases}) == len(cases)
    return cases


# Computing


def distinct_values(shape, scale: float, random):
    """Seeded numbers over ±scale of few digits, no two alike and none near 0, so that maxima and kinks are decided."""
    import numpy as np

    count = int(np.prod(shape))
    steps = np.arange(count) - (count - 1) / 2
    steps += np.where(steps >= 0, 0.5, -0.5)
    return np.round(random.permutation(steps) * 2 * scale / (count + 1), 4).astype(np.float32).reshape(shape)


def input_values(case: Case, index: int, shape, random):
    """Seeded ids, or numbers of few digits."""
    import numpy as np

    if case.mixed_ids and index in case.mixed_ids:
        ids = random.randint(0, case.mixed_ids[index], shape)
        # Each row has one that is not 0: a mean over nothing is no number.
        ids[..., 0] = np.maximum(ids[..., 0], 1)
        return ids.astype("int32")
    if case.ids is None:
        return distinct_values(shape, case.scale, random)
    return random.randint(0, case.ids, shape).astype(case.dtype)


def weight_values(name: str, shape, random):
    """Seeded weights of few digits: variances and gammas above 0."""
    import numpy as np

    if name == "count":
        return np.zeros(shape, np.int32)
    low, high = {"moving_variance": (0.5, 1.5), "variance": (0.5, 1.5), "gamma": (0.5, 1.5)}.get(name, (-0.8, 0.8))
    return np.round(random.uniform(low, high, shape), 2).astype(np.float32)


def arguments(layer, inputs: list, keras) -> list:
    """What the layer is called with: most take a list of tensors; attention takes them one after the other."""
    return inputs if len(inputs) == 1 or isinstance(layer, keras.layers.MultiHeadAttention) else [inputs]


def tensor(array) -> dict:
    """Shape and values; integers say that they are."""
    if array.dtype == "int32":
        return {"shape": list(array.shape), "values": array.ravel().tolist(), "dtype": "int32"}
    return {"shape": list(array.shape), "values": common.float32_list(array)}


def run(case: Case, keras) -> dict:
    """The case with what Keras computes."""
    import numpy as np
    import tensorflow as tf

    random = np.random.RandomState(zlib.crc32(case.name.encode()))
    keras.backend.clear_session()
    layer = case.make(keras)
    inputs = [tf.constant(input_values(case, index, shape, random)) for index, shape in enumerate(case.inputs)]
    if not layer.built:
        layer.build(*arguments(layer, [tuple(x.shape) for x in inputs], keras))
    for variable in layer.weights:
        variable.assign(weight_values(variable.name, tuple(variable.shape), random))
    if isinstance(layer, keras.layers.Normalization):
        layer.finalize_state()
    before = [variable.numpy() for variable in layer.weights]

    training = case.training if case.keras_training == "the same" else case.keras_training
    options = {"training": training} if "training" in layer._call_signature.parameters else {}
    with tf.GradientTape(persistent=True) as tape:
        # Integers have no gradient.
        watched = [x for x in inputs if x.dtype.is_floating]
        for x in watched:
            tape.watch(x)
        result = layer(*arguments(layer, inputs, keras), **options)
        outputs = result if isinstance(result, list) else [result]
        probes = [np.round(random.uniform(-1, 1, y.shape), 2).astype(np.float32) for y in outputs]
        loss = sum(tf.reduce_sum(y * probe) for y, probe in zip(outputs, probes))
    trainable = [variable.value for variable in layer.trainable_variables]
    gradients = tape.gradient(loss, watched + trainable, unconnected_gradients="zero")
    # Those of a table name the rows alone.
    gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
    by_id = {id(v): g for v, g in zip(layer.trainable_variables, gradients[len(watched) :])}

    configuration = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    after = [variable.numpy() for variable in layer.weights]
    return {
        "name": case.name,
        "layer": {key: configuration[key] for key in ("class_name", "config")},
        "training": case.training,
        "inputs": [tensor(x.numpy()) for x in inputs],
        "weights": [{"name": v.name, **tensor(value)} for v, value in zip(layer.weights, before)],
        "probes": [tensor(probe) for probe in probes],
        "outputs": [tensor(y.numpy()) for y in outputs],
        "inputGradients": [tensor(g.numpy()) for g in gradients[: len(watched)]],
        "weightGradients": [tensor(by_id[id(v)].numpy()) if id(v) in by_id else None for v in layer.weights],
        "updates": [tensor(new) if (new != old).any() else None for old, new in zip(before, after)],
    }


# Checking


def compare(checks: common.Checks, received: dict, expected: dict) -> None:
    """One line a case: the worst of all its arrays."""
    import numpy as np

    name = received["name"]
    exact = ["name", "layer", "training", "inputs", "weights", "probes"]
    if not checks.claim(f"{name}: same case", all(received[key] == expected[key] for key in exact)):
        return
    for key in ["outputs", "inputGradients", "weightGradients", "updates"]:
        for index, (ours, theirs) in enumerate(zip(received[key], expected[key], strict=True)):
            if ours is None or theirs is None:
                checks.claim(f"{name}: {key} {index}", ours == theirs, "there or not")
                continue
            # Gradients of sums can cancel to almost nothing: what is compared is then noise of the inputs' size.
            a, b = (np.array(t["values"]).reshape(t["shape"]) for t in (ours, theirs))
            if max(np.abs(b).max(), np.abs(a).max()) < TOLERANCE:
                checks.compare(f"{name}: {key} {index}, all near 0", a, b, TOLERANCE, relative="none")
            else:
                checks.compare(f"{name}: {key} {index}", a, b, TOLERANCE)


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    keras = common.import_keras()
    versions = {name: common.pinned_versions()[name] for name in ("keras", "tensorflow-cpu")}
    cases = [run(case, keras) for case in all_cases()]
    if not arguments.check:
        FIXTURE.parent.mkdir(parents=True, exist_ok=True)
        common.write_json(FIXTURE, {"versions": versions, "cases": cases})
        print(f"{len(cases)} cases, {FIXTURE.stat().st_size} bytes in {FIXTURE}")
        return 0
    committed = json.loads(FIXTURE.read_text())
    checks = common.Checks()
    checks.claim("versions", committed["versions"] == versions, str(versions))
    checks.claim("cases", [c["name"] for c in committed["cases"]] == [c["name"] for c in cases], f"{len(cases)}")
    for received, expected in zip(cases, committed["cases"]):
        compare(checks, received, expected)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
