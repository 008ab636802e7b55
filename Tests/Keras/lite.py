"""EfficientNet-Lite0 of Keras's own parts, which has no function for it: its EfficientNet-B0 without
squeeze-and-excite, with ReLU6, and with Lite's preprocessing in front. Has the members that the scripts ask of a module
of `keras.applications`.

Source: tensorflow/tpu, models/official/efficientnet/lite/README.md, "EfficientNet-lite".
"""

from __future__ import annotations


def preprocess_input(images):
    return (images - 127) / 128


def EfficientNetLite0(  # noqa: N802, as Keras calls its networks
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    import keras
    from keras.src.applications import efficientnet

    assert weights is None
    whole = efficientnet.EfficientNet(
        1.0, 1.0, 224, activation="relu6", name="efficientnetlite0", weights=None, include_top=include_top,
        blocks_args=[block | {"se_ratio": 0} for block in efficientnet.DEFAULT_BLOCKS_ARGS],
        input_shape=input_shape, pooling=pooling, classes=classes, classifier_activation=classifier_activation,
    )
    # From behind B0's own preprocessing on.
    return keras.Model(whole.get_layer("stem_conv_pad").input, whole.output, name=whole.name)
