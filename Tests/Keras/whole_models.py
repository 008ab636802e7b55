#!/usr/bin/env python3
"""Some thirty models as people write them: Keras saves each as `.keras` and `.h5`, Graft reads both, gives the same outputs
and saves them, and Keras opens what Graft saved, without custom code, and gives the same outputs.

    Tests/Keras/whole_models.py --check         makes the files, runs the Swift test of the name WholeModelsForKeras on them,
                                                 opens what it wrote
    Tests/Keras/whole_models.py --write DIR     makes the files alone
    Tests/Keras/whole_models.py --compare DIR   compares what the Swift test wrote there
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import common
import numpy as np

#: Sums of at most some hundred products, rounded in 32 bits by Keras; Graft's test computes in 64.
TOLERANCE = 1e-5


def models(keras) -> dict:
    L, ops, K = keras.layers, keras.ops, keras

    def of(shape, function, **options):
        x = K.Input(shape, **options)
        return K.Model(x, function(x))

    def chain(x, *layers):
        for layer in layers:
            x = layer(x)
        return x

    def stack(shape, *layers):
        return K.Sequential([K.Input(shape), *layers])

    def block(x, filters):
        y = chain(x, L.Conv2D(filters, 3, padding="same", use_bias=False), L.BatchNormalization(), L.ReLU())
        y = chain(y, L.Conv2D(filters, 3, padding="same", use_bias=False), L.BatchNormalization())
        return L.Activation("relu")(L.Add()([y, L.Conv2D(filters, 1)(x)]))

    def u_net(x):
        a = L.Conv2D(4, 3, padding="same", activation="relu")(x)
        b = L.Conv2D(8, 3, padding="same", activation="relu")(L.MaxPooling2D()(a))
        c = L.Conv2DTranspose(4, 2, strides=2)(b)
        return L.Conv2D(1, 1, activation="sigmoid")(L.Concatenate()([a, c]))

    def attention(x):
        weights = chain(x, L.GlobalAveragePooling2D(keepdims=True), L.Dense(2, activation="swish"), L.Dense(4, activation="sigmoid"))
        return L.GlobalMaxPooling2D()(L.Multiply()([x, weights]))

    def siamese():
        i = K.Input((6,))
        tower = K.Model(i, L.Dense(4, activation="tanh")(L.Dense(5, activation="relu")(i)), name="tower")
        a, b = K.Input((6,), name="left"), K.Input((6,), name="right")
        distance = ops.sqrt(ops.sum(ops.square(tower(a) - tower(b)), axis=-1, keepdims=True) + 1e-6)
        return K.Model([a, b], L.Dense(1, activation="sigmoid")(distance))

    def several():
        a, b = K.Input((8, 8, 3), name="image"), K.Input((4,), name="table")
        y = L.Concatenate()([L.Flatten()(L.Conv2D(2, 3, strides=2)(a)), L.Dense(3, activation="elu")(b)])
        return K.Model([a, b], [L.Dense(3, activation="softmax", name="kind")(y), L.Dense(1, name="price")(y)])

    def dictionaries():
        a, b = K.Input((3,), name="zebra"), K.Input((2,), name="ant")
        return K.Model({"zebra": a, "ant": b}, {"y": L.Dense(2)(L.Concatenate()([a, b])), "x": L.Dense(1)(b)})

    def transfer():
        i = K.Input((12, 12, 3))
        base = K.Model(i, chain(i, L.Conv2D(4, 3, activation="relu"), L.BatchNormalization(), L.Conv2D(6, 3)), name="base")
        base.trainable = False
        x = K.Input((12, 12, 3))
        y = base(L.Rescaling(1 / 127.5, offset=-1)(L.RandomRotation(0.1)(L.RandomFlip("horizontal")(x))), training=False)
        return K.Model(x, chain(y, L.GlobalAveragePooling2D(), L.Dropout(0.2), L.Dense(2)))

    def adapted():
        layer = L.Normalization()
        layer.adapt(np.random.RandomState(0).normal(3, 2, (50, 4)).astype("float32"))
        return stack((4,), layer, L.Dense(2))

    def lora():
        model = stack((5,), L.Dense(6, activation="relu", name="wide"), L.Dense(2))
        model.get_layer("wide").enable_lora(2)
        return model

    def frames():
        inner = stack((6, 6, 1), L.Conv2D(2, 3, activation="relu"), L.Flatten())
        return of((3, 6, 6, 1), lambda x: chain(x, L.TimeDistributed(inner), L.GlobalAveragePooling1D(), L.Dense(2)))

    def transformer():
        ids, flags = K.Input((6,), dtype="int32", name="ids"), K.Input((6,), dtype="int32", name="flags")
        x = L.Embedding(20, 8)(ids) + L.Embedding(6, 8)(ids * 0 + np.arange(6, dtype="int32"))
        y = L.MultiHeadAttention(2, 4, name="attention")(x, x, attention_mask=L.Reshape((1, 6))(flags))
        x = L.LayerNormalization(epsilon=1e-6)(L.Add()([x, y]))
        y = L.MultiHeadAttention(2, 3, value_dim=5, dropout=0.1)(query=x, value=x, use_causal_mask=True)
        x = L.LayerNormalization()(x + L.Dense(8)(L.Dense(12, activation="gelu")(y)))
        return K.Model([ids, flags], L.Dense(3)(L.GlobalAveragePooling1D()(x, mask=flags)))

    def compiled():
        model = stack((8, 8, 3), L.Conv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(3))
        model.compile("adam", K.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        model.fit(np.zeros((4, 8, 8, 3)), np.zeros(4), verbose=0)
        return model

    image = (8, 8, 3)
    return {
        "tutorial": stack((16, 16, 3), L.Rescaling(1 / 255), L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(), L.Conv2D(8, 3, activation="relu"),
                          L.MaxPooling2D(), L.Flatten(), L.Dense(8, activation="relu"), L.Dropout(0.5), L.Dense(1, activation="sigmoid")),
        "augmented": stack((10, 10, 3), L.Resizing(8, 8), L.RandomFlip(), L.RandomRotation(0.1), L.RandomZoom(0.2), L.RandomTranslation(0.1, 0.1),
                           L.RandomContrast(0.2), L.RandomBrightness(0.1), L.Conv2D(3, 3), L.GlobalAveragePooling2D()),
        "cropped": of((10, 12, 3), lambda x: L.Flatten()(L.RandomCrop(6, 6, seed=1)(L.CenterCrop(6, 6)(x)))),
        "transfer-learning": transfer(),
        "residual": of(image, lambda x: chain(block(block(x, 4), 6), L.GlobalAveragePooling2D(), L.Dense(3, activation="softmax"))),
        "u-net": of(image, u_net),
        "squeeze-and-excite": of((6, 6, 4), attention),
        "depthwise": stack(image, L.ZeroPadding2D(((0, 1), (0, 1))), L.DepthwiseConv2D(3, strides=2), L.BatchNormalization(), L.ReLU(6.0),
                           L.Conv2D(4, 1, activation="relu6"), L.AveragePooling2D(2), L.Flatten()),
        "siamese": siamese(),
        "several-inputs-and-outputs": several(),
        "dictionaries": dictionaries(),
        "nested-sequentials": stack(image, stack(image, L.Conv2D(3, 3), L.BatchNormalization()), K.Sequential([L.Flatten(), L.Dense(2)])),
        "ends-in-a-model": of((4,), lambda x: stack((3,), L.Dense(2, activation="softmax"))(L.Dense(3)(x))),
        "preprocess-caffe": of(image, lambda x: L.Conv2D(2, 3)(K.applications.vgg16.preprocess_input(x))),
        "preprocess-tf": of(image, lambda x: L.Conv2D(2, 3)(K.applications.inception_v3.preprocess_input(x))),
        "preprocess-torch": of(image, lambda x: L.Conv2D(2, 3)(K.applications.densenet.preprocess_input(x))),
        "arithmetic": of((5,), lambda x: L.Dense(2)(1 - ops.relu(x * 2.0 - 0.5) / 3 + x**2 - ops.mean(x, axis=-1, keepdims=True))),
        "slices": of((6, 4), lambda x: L.Dense(2)(ops.concatenate([x[:, 0], x[:, -1, ::-1], ops.max(x[:, 1:-1], axis=1)], axis=-1))),
        "reshaped": of((4, 6), lambda x: L.Dense(2)(ops.reshape(ops.transpose(x, (0, 2, 1)), (-1, 12, 2)))),
        "sequences": stack((12, 3), L.Conv1D(4, 3, padding="causal", activation="relu"), L.MaxPooling1D(), L.Conv1D(4, 2, strides=2), L.GlobalMaxPooling1D(),
                           L.RepeatVector(3), L.Permute((2, 1)), L.Flatten(), L.Dense(2)),
        "frames": frames(),
        "activations": stack((6,), L.Dense(6, activation="selu"), L.AlphaDropout(0.1), L.Dense(6, activation="mish"), L.Dense(6, activation=L.LeakyReLU(0.1)),
                             L.PReLU(), L.ELU(), L.GaussianDropout(0.1), L.Dense(6, activation="log_softmax"), L.Softmax()),
        "normalizations": stack((4, 4, 6), L.GroupNormalization(3), L.RMSNormalization(), L.BatchNormalization(axis=1), L.UnitNormalization(), L.Flatten()),
        "adapted": adapted(),
        "constrained": stack((5,), L.Dense(4, kernel_constraint="max_norm", bias_constraint="non_neg", kernel_regularizer=K.regularizers.L1L2(0.01, 0.02),
                                           activity_regularizer="l2"), L.ActivityRegularization(0.1), L.Dense(2, kernel_regularizer=K.regularizers.OrthogonalRegularizer(0.1))),
        "merges": of((4,), lambda x: L.Average()([L.Maximum()([x, L.Dense(4)(x)]), L.Minimum()([x, L.Subtract()([x, L.Dense(4)(x)])])])),
        "dot": of((4, 5), lambda x: L.Dot((2, 2), normalize=True)([x, L.Dense(5)(x)])),
        "words": of((7,), lambda x: L.Dense(2)(L.GlobalAveragePooling1D()(L.Embedding(20, 5)(x))), dtype="int32"),
        "bytes": of((6, 6, 1), lambda x: L.Dense(2)(L.Flatten()(L.Rescaling(1 / 255)(x))), dtype="uint8"),
        "mixed-precision": stack((5,), L.Dense(6, dtype="mixed_bfloat16"), L.Dense(2, dtype="float64")),
        "lora": lora(),
        "transformer": transformer(),
        "trained": compiled(),
    }


#: Rounded to 8 bits of mantissa by Keras, in float32 by Graft.
ROUGH = {"mixed-precision": 2e-2}
#: LoRA's matrices are arrays of their own in `.h5`, which Graft refuses by their number; in `.keras` they are merged.
ARCHIVES_ALONE = {"lora"}
#: Whole numbers from and below these.
INPUTS = {"words": (0, 20), "bytes": (0, 256), "transformer": (1, 20)}


def fill(model, seed: int) -> None:
    """Seeded weights of two digits; not those of an adapted layer, nor LoRA's, which would have to be saved apart."""
    random = np.random.RandomState(seed)
    for variable in model.weights:
        if variable.name in ("mean", "variance", "count"):
            continue
        low, high = (0.5, 1.5) if "variance" in variable.name or "gamma" in variable.name else (-0.5, 0.5)
        variable.assign(np.round(random.uniform(low, high, variable.shape), 2))


def predict(keras, model, inputs):
    structure = getattr(model, "_inputs_struct", None)
    given = dict(zip(sorted(structure), inputs)) if isinstance(structure, dict) else inputs if len(inputs) > 1 else inputs[0]
    return [np.asarray(x, "float32") for x in keras.tree.flatten(model(given, training=False))]


def write(folder: Path) -> None:
    keras = common.import_keras()
    for seed, (name, model) in enumerate(models(keras).items()):
        fill(model, seed)
        own = folder / name
        own.mkdir(parents=True)
        flat = model.inputs
        random = np.random.RandomState(seed)
        low, high = INPUTS.get(name, (0, 255) if "preprocess" in name or name in ("tutorial", "augmented") else (-1, 1))
        inputs = [random.uniform(low, high, (3, *x.shape[1:])) for x in flat]
        inputs = [np.floor(x).astype("int32") if name in INPUTS else np.round(x, 2).astype("float32") for x in inputs]
        for k, array in enumerate(inputs):
            np.save(own / f"input-{k}.npy", array.astype("float32"))
        for k, array in enumerate(predict(keras, model, inputs)):
            np.save(own / f"output-{k}.npy", array)
        model.save(own / "model.keras")
        if name in ARCHIVES_ALONE:
            continue
        try:
            model.save(own / "model.h5")
        except Exception as error:  # augmentation, whose generators Keras copies and cannot
            (own / "model.h5").unlink(missing_ok=True)
            print(f"Keras saves no .h5 of {name}: {error}", file=sys.stderr)


def compare(checks: common.Checks, folder: Path) -> None:
    keras = common.import_keras()
    report = dict(line.rsplit(" ", 1) for line in (folder / "report.txt").read_text().splitlines() if "failed" not in line)
    failures = [line for line in (folder / "report.txt").read_text().splitlines() if "failed" in line]
    checks.claim("Graft reads all", not failures, "; ".join(failures))
    for own in sorted(path for path in folder.iterdir() if path.is_dir()):
        inputs, outputs = ([np.load(p) for p in sorted(own.glob(f"{kind}-*.npy"))] for kind in ("input", "output"))
        tolerance = ROUGH.get(own.name, TOLERANCE)
        for kind in ("keras", "h5"):
            if not (own / f"model.{kind}").exists():
                continue
            name = f"{own.name}, {kind}"
            difference = float(report.get(f"{own.name} {kind}", "inf"))
            checks.claim(f"{name}: Graft's outputs", difference <= tolerance, f"difference {difference:.2e} of the largest")
            try:
                again = predict(keras, keras.models.load_model(own / f"again-{kind}.keras"), inputs)
            except Exception as error:  # whatever Keras raises, the model is not one that it opens
                checks.claim(f"{name}: Keras opens it again", False, str(error)[:300])
                continue
            for k, (ours, theirs) in enumerate(zip(again, outputs, strict=True)):
                checks.compare(f"{name}: output {k} of Keras again", ours, theirs, tolerance)


def main() -> int:
    parser = common.parser(__doc__, check=True)
    parser.add_argument("--write", type=Path, metavar="DIR")
    parser.add_argument("--compare", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.write)
        return 0
    checks = common.Checks()
    if arguments.compare:
        compare(checks, arguments.compare)
        return checks.finish()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write(folder)
        subprocess.run(
            ["swift", "test", "--filter", "WholeModelsForKeras"],
            cwd=common.ROOT, env=dict(os.environ, GRAFT_WHOLE_MODELS=temporary), check=True, stdout=subprocess.DEVNULL,
        )
        compare(checks, folder)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
