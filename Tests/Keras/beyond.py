"""Networks that Keras has no function for, of Keras's own layers: SqueezeNet 1.0 with Caffe's edges, and torchvision's ResNet-18
and 34. Each function has Keras's arguments, and stands in for one of `keras.applications` in the scripts.

Sources: the network in github.com/songhan/SqueezeNet-Deep-Compression; torchvision/models/resnet.py.
"""

from __future__ import annotations


def caffe_whole(images):
    import numpy as np

    return images[..., ::-1] - np.array([104, 117, 123], np.float32)


def torch_mode(images):
    from keras.src.applications import imagenet_utils

    return imagenet_utils.preprocess_input(images, mode="torch")


def finished(keras, image, x, pooling, name):
    """What all have without their top."""
    if pooling:
        kind = {"avg": "GlobalAveragePooling2D", "max": "GlobalMaxPooling2D"}[pooling]
        x = getattr(keras.layers, kind)()(x)
    return keras.Model(image, x, name=name)


def SqueezeNet(  # noqa: N802, as Keras calls its networks
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    import keras
    from keras import layers

    def halved(x, name):
        # Caffe rounds up: the last window may stand out by one.
        padding = [(0, 1 - size % 2) for size in x.shape[1:3]]
        return layers.MaxPooling2D(3, 2, name=name)(layers.ZeroPadding2D(padding, name=f"{name}_pad")(x))

    image = keras.Input(input_shape)
    x = layers.Conv2D(96, 7, 2, activation="relu", name="conv1")(image)
    x = halved(x, "pool1")
    for number, squeeze in enumerate([16, 16, 32, 32, 48, 48, 64, 64], 2):
        narrow = layers.Conv2D(squeeze, 1, activation="relu", name=f"fire{number}_conv1x1_1")(x)
        one = layers.Conv2D(4 * squeeze, 1, activation="relu", name=f"fire{number}_conv1x1_2")(narrow)
        three = layers.Conv2D(4 * squeeze, 3, padding="same", activation="relu", name=f"fire{number}_conv3x3_2")(narrow)
        x = layers.Concatenate(name=f"fire{number}_concat")([one, three])
        if number in (4, 8):
            x = halved(x, f"pool{number}")
    if not include_top:
        return finished(keras, image, x, pooling, "squeezenet")
    x = layers.Dropout(0.5, name="drop9")(x)
    x = layers.ZeroPadding2D(1, name="conv_final_pad")(x)
    x = layers.Conv2D(classes, 1, activation="relu", name="conv_final")(x)
    x = layers.GlobalAveragePooling2D(name="pool_final")(x)
    return keras.Model(image, layers.Activation(classifier_activation, name="predictions")(x), name="squeezenet")


def basic_resnet(depth, blocks):
    def make(
        include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
    ):
        import keras
        from keras import layers

        def convolution(x, filters, size, strides, name, norm):
            if size > 1:
                x = layers.ZeroPadding2D(size // 2)(x)
            x = layers.Conv2D(filters, size, strides, use_bias=False, name=name)(x)
            return layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=norm)(x)

        image = keras.Input(input_shape)
        x = layers.ReLU()(convolution(image, 64, 7, 2, "conv1", "bn1"))
        x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(x))
        for stage, count in enumerate(blocks, 1):
            for block in range(count):
                name, filters = f"layer{stage}_{block}", 32 * 2**stage
                strides = 2 if stage > 1 and block == 0 else 1
                y = layers.ReLU()(convolution(x, filters, 3, strides, f"{name}_conv1", f"{name}_bn1"))
                y = convolution(y, filters, 3, 1, f"{name}_conv2", f"{name}_bn2")
                if strides > 1:
                    x = convolution(x, filters, 1, strides, f"{name}_downsample_0", f"{name}_downsample_1")
                x = layers.ReLU(name=f"{name}_out")(layers.Add()([y, x]))
        if not include_top:
            return finished(keras, image, x, pooling, f"resnet{depth}")
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
        return keras.Model(image, x, name=f"resnet{depth}")

    return make


ResNet18 = basic_resnet(18, [2, 2, 2, 2])
ResNet34 = basic_resnet(34, [3, 4, 6, 3])

#: Each with its `preprocess_input`.
NETWORKS = {"SqueezeNet": (SqueezeNet, caffe_whole), "ResNet18": (ResNet18, torch_mode), "ResNet34": (ResNet34, torch_mode)}
