"""Class activation maps (Grad-CAM) of Keras and of `graft predict --activation-maps`, on the same models and images.

    Tests/Keras/gradcam.py        live: InceptionV3 with a classifier, and a base nested in a Sequential model, both random

The map of a class is relu(Σ_c w_c A_c), with A the output of a layer and w_c the mean over positions of the gradient by A_c of the
class's score before softmax or sigmoid, as in https://keras.io/examples/vision/grad_cam, here without its last scaling.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import common

#: Of the largest value: both compute in 32 bits, in other orders.
TOLERANCE = 1e-4


def activation_maps(keras, tf, model, layer, output, images, classes):
    """Of a functional model whose last layer is a Dense."""
    values = keras.Model(model.inputs, output)(images, training=False)
    with tf.GradientTape() as tape:
        tape.watch(values)
        # The score, without the activation.
        scores = after(keras, model, layer, values)
        if scores.shape[-1] == 1:
            chosen = tf.reduce_sum(scores[:, 0] * (2.0 * tf.cast(classes, "float32") - 1.0))
        else:
            chosen = tf.reduce_sum(tf.gather(scores, classes, batch_dims=1))
    weights = tf.reduce_mean(tape.gradient(chosen, values), axis=(1, 2), keepdims=True)
    return tf.nn.relu(tf.reduce_sum(weights * values, axis=-1)).numpy()


def after(keras, model, layer, values):
    """The layers behind `layer`, which follow each other, up to the score."""
    position = model.layers.index(layer)
    for following in model.layers[position + 1 : -1]:
        values = following(values, training=False)
    head = model.layers[-1]
    return values @ head.kernel + head.bias


def models(keras):
    """A name, the model that is saved, the same calls as a flat model for Keras, the layer whose map is meant, and its output."""
    import numpy as np

    L = keras.layers
    keras.utils.set_random_seed(3)
    base = keras.applications.InceptionV3(weights=None, include_top=False, input_shape=(150, 150, 3))
    random = np.random.RandomState(1)
    for layer in base.layers:
        if isinstance(layer, L.BatchNormalization):
            layer.moving_mean.assign(random.uniform(-0.2, 0.2, layer.moving_mean.shape))
            layer.moving_variance.assign(random.uniform(0.5, 1.5, layer.moving_variance.shape))
    flat = keras.Model(base.input, L.Dense(5, activation="softmax")(L.GlobalAveragePooling2D()(base.output)))
    yield "InceptionV3", flat, flat, flat.get_layer("mixed10"), flat.get_layer("mixed10").output

    inside = keras.Sequential([
        keras.Input((40, 40, 3)), L.Rescaling(1 / 255), L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(),
        L.Conv2D(12, 3, activation="relu"), L.BatchNormalization()], name="inside")
    nested = keras.Sequential([keras.Input((40, 40, 3)), inside, L.Flatten(), L.Dense(7, activation="relu"), L.Dense(1, activation="sigmoid")])
    # The same layers without the nesting, which Keras differentiates.
    value = inputs = keras.Input((40, 40, 3))
    for layer in [*inside.layers, *nested.layers[1:]]:
        value = layer(value)
        if layer is inside.layers[-1]:
            output = value
    unrolled = keras.Model(inputs, value)
    yield "nested Sequential", nested, unrolled, inside.layers[-1], output


def main() -> int:
    common.parser(__doc__).parse_args()
    keras = common.import_keras()
    import numpy as np
    import tensorflow as tf
    from PIL import Image

    checks = common.Checks()
    for name, model, flat, layer, output in models(keras):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            size = model.input_shape[1]
            pixels = np.random.RandomState(5).randint(0, 256, (6, size // 5, size // 5, 3)).astype("uint8").repeat(5, 1).repeat(5, 2)
            paths = [folder / f"{number}.png" for number in range(len(pixels))]
            for path, image in zip(paths, pixels):
                Image.fromarray(image).save(path)
            model.save(folder / "model.keras")
            common.graft("predict", folder / "model.keras", *paths, "--activation-maps", folder / "maps.npy")
            images = pixels.astype("float32")
            outputs = model.predict(images, verbose=0)
            classes = (outputs[:, 0] > 0.5).astype(int) if outputs.shape[1] == 1 else outputs.argmax(1)
            wanted = activation_maps(keras, tf, flat, layer, output, tf.constant(images), classes)
            checks.compare(name, np.load(folder / "maps.npy"), wanted, TOLERANCE)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
