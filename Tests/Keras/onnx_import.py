#!/usr/bin/env python3
"""ONNX files of others in Graft: read, saved as .keras and as ONNX again, and run beside onnxruntime on the same inputs.

    Tests/Keras/onnx_import.py                    operators made by hand, Graft's and Keras's own exports; PyTorch's where torch is
    Tests/Keras/onnx_import.py --only operators   one of operators, graft, keras, torch
    Tests/Keras/onnx_import.py --one Conv         the operators and networks whose names hold this

Each file is read by `graft export FILE.onnx`, once to a `.keras` archive, which Keras opens and runs, and once to another ONNX file,
which onnxruntime runs. Images go into ONNX with their channels first and into Keras with their channels last. `torch` needs
`torch`, `torchvision` and `onnxscript`, which requirements.txt does not bring: they are passed over where they are missing.
"""

from __future__ import annotations

import tempfile
import zlib
from pathlib import Path
from typing import Callable

import common

#: float32 both, sums in other orders, through up to some fifty layers; of the largest value.
TOLERANCE = 1e-4


def run_onnx(path: Path, inputs: list) -> list:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {known.name: value for known, value in zip(session.get_inputs(), inputs, strict=True)})


def check_file(name: str, path: Path, inputs: list, keras, checks: common.Checks, folder: Path) -> None:
    """What Graft makes of a file gives what onnxruntime makes of it."""
    import numpy as np
    import onnxruntime

    expected = run_onnx(path, inputs)
    archive, again = folder / "model.keras", folder / "again.onnx"
    common.graft("export", path, "--output", archive)
    common.graft("export", path, "--output", again)
    keras.backend.clear_session()
    model = keras.saving.load_model(archive)
    ours = []
    for value, tensor in zip(inputs, model.inputs, strict=True):
        is_last = value.ndim == 4 and tuple(tensor.shape[1:]) != value.shape[1:]
        ours.append(np.ascontiguousarray(value.transpose(0, 2, 3, 1)) if is_last else value)
        if value.ndim == 4 and value.shape[1] == value.shape[3] == value.shape[2]:
            raise ValueError(f"{name}: the order of a cube's axes cannot be told")
    of_keras = model(ours if len(ours) > 1 else ours[0], training=False)
    of_keras = of_keras if isinstance(of_keras, list) else [of_keras]
    # Graft's own files take int32.
    types = [known.type for known in onnxruntime.InferenceSession(str(again)).get_inputs()]
    fed = [value.astype(np.int32) if "int32" in type else value for value, type in zip(ours, types)]
    for label, received in ((f"{name} in Keras", of_keras), (f"{name} as ONNX again", run_onnx(again, fed))):
        checks.claim(f"{label}: as many outputs", len(received) == len(expected))
        for one, other in zip(received, expected):
            checks.compare(label, one, other, TOLERANCE)


# Operators


class Graph:
    """A graph made by hand, node by node; its first input is an image of two examples, three channels, 8 × 7."""

    def __init__(self, name: str, operators: int = 18, shape: tuple = (2, 3, 8, 7), batch: str | int = "batch"):
        import numpy as np

        self.random = np.random.RandomState(zlib.crc32(name.encode()))
        self.name, self.operators, self.shape, self.batch = name, operators, shape, batch
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, value, kind: str = "float32") -> str:
        import numpy as np
        from onnx import numpy_helper

        self.count += 1
        name = f"/constants/{self.count}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def weights(self, *shape: int, low: float = -0.5, high: float = 0.5) -> str:
        return self.constant(self.random.uniform(low, high, shape))

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes):
        from onnx import helper

        self.count += 1
        names = [f"/{kind}_{self.count}/output_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"/{kind}_{self.count}", **attributes))
        return names[0] if outputs == 1 else names

    def save(self, path: Path, *results: str):
        import onnx
        from onnx import TensorProto, helper

        image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [self.batch, *self.shape[1:]])
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in results]
        graph = helper.make_graph(self.nodes, self.name, [image], outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.operators)], ir_version=8)
        model = onnx.shape_inference.infer_shapes(model)
        for output in model.graph.output:
            # Of operators that are functions of others nothing is inferred; those here keep the axes of an image.
            if not output.type.tensor_type.HasField("shape"):
                output.CopyFrom(helper.make_tensor_value_info(output.name, TensorProto.FLOAT, [None] * len(self.shape)))
        onnx.checker.check_model(model)
        onnx.save(model, path)
        return self.random.uniform(-1.5, 1.5, self.shape).astype("float32")


def unary(kind: str, operators: int = 18, positive: bool = False, **attributes) -> Callable[[Graph], str]:
    def make(graph: Graph) -> str:
        graph.operators = operators
        x = graph.add("Add", graph.add("Abs", "x"), graph.constant(0.1)) if positive else "x"
        return graph.add(kind, x, **attributes)

    return make


def operators() -> dict[str, Callable[[Graph], str | list[str]]]:
    cases: dict[str, Callable] = {}
    for kind in ("Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "HardSwish", "Identity", "Erf", "Exp", "Neg", "Abs", "Dropout",
                 "LeakyRelu", "Elu", "Selu", "HardSigmoid", "GlobalAveragePool", "GlobalMaxPool", "Softmax", "LogSoftmax", "Flatten"):
        cases[kind] = unary(kind)
    cases["Mish"] = unary("Mish")
    cases["Gelu"] = unary("Gelu", 20)
    cases["Gelu tanh"] = unary("Gelu", 20, approximate="tanh")
    for kind in ("Sqrt", "Log", "Reciprocal"):
        cases[kind] = unary(kind, positive=True)
    cases["LeakyRelu 0.3"] = unary("LeakyRelu", alpha=0.3)
    cases["HardSigmoid 1/6"] = unary("HardSigmoid", alpha=1 / 6, beta=0.5)
    cases["Softmax over channels"] = unary("Softmax", axis=1)
    cases["Softmax of version 11"] = lambda g: (setattr(g, "operators", 11), g.add("Softmax", g.add("Flatten", "x"), axis=1))[1]
    cases["LRN"] = unary("LRN", size=3, alpha=0.3, beta=0.6, bias=1.2)
    cases["PRelu"] = lambda g: g.add("PRelu", "x", g.weights(3, 1, 1))
    cases["Clip"] = lambda g: g.add("Clip", "x", g.constant(-0.3), g.constant(0.7))
    cases["Clip to six"] = lambda g: g.add("Clip", "x", g.constant(0), g.constant(1.1))
    cases["Clip of version 6"] = lambda g: (setattr(g, "operators", 10), g.add("Clip", "x", min=-0.2, max=0.4))[1]
    cases["Clip without a maximum"] = lambda g: g.add("Clip", "x", g.constant(-0.3))

    # Convolutions: groups, dilations, edges.
    def conv(*shape: int, bias: bool = True, **attributes) -> Callable[[Graph], str]:
        return lambda g: g.add("Conv", "x", g.weights(*shape), *([g.weights(shape[0])] if bias else []), **attributes)

    cases["Conv"] = conv(4, 3, 3, 3)
    cases["Conv without bias"] = conv(4, 3, 1, 1, bias=False)
    cases["Conv padded"] = conv(4, 3, 3, 3, pads=[1, 1, 1, 1])
    cases["Conv padded, strides"] = conv(4, 3, 3, 3, pads=[1, 1, 1, 1], strides=[2, 2])
    cases["Conv padded unevenly"] = conv(4, 3, 3, 2, pads=[0, 2, 1, 0], strides=[2, 1])
    cases["Conv SAME_UPPER"] = conv(4, 3, 3, 3, auto_pad="SAME_UPPER", strides=[2, 2])
    cases["Conv SAME_LOWER"] = conv(4, 3, 2, 2, auto_pad="SAME_LOWER")
    cases["Conv dilated"] = conv(4, 3, 3, 3, dilations=[2, 2], pads=[2, 2, 2, 2])
    cases["Conv depthwise"] = conv(6, 1, 3, 3, group=3, pads=[1, 1, 1, 1])
    cases["Conv groups"] = lambda g: g.add(
        "Conv", g.add("Conv", "x", g.weights(4, 3, 1, 1)), g.weights(6, 2, 3, 3), g.weights(6), group=2)
    for name, options in {"": {}, " strides": {"strides": [2, 2]}, " pads": {"strides": [2, 2], "pads": [1, 1, 1, 1]},
                          " output_padding": {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}}.items():
        cases[f"ConvTranspose{name}"] = lambda g, options=options: g.add(
            "ConvTranspose", "x", g.weights(3, 5, 3, 3), g.weights(5), **options)

    # Products.
    cases["Gemm on a flattened image"] = lambda g: g.add("Gemm", g.add("Flatten", "x"), g.weights(5, 168), g.weights(5), transB=1)
    cases["Gemm on a flattened image after dropout and relu"] = lambda g: g.add(
        "Gemm", g.add("Relu", g.add("Dropout", g.add("Flatten", "x"))), g.weights(168, 5), g.weights(5), alpha=0.5, beta=2.0)
    cases["Gemm on a pooled image"] = lambda g: g.add(
        "Gemm", g.add("Flatten", g.add("GlobalAveragePool", "x")), g.weights(3, 5), g.weights(5))
    cases["MatMul with Add"] = lambda g: g.add("Add", g.weights(5), g.add("MatMul", "x", g.weights(7, 5)))
    cases["MatMul"] = lambda g: g.add("MatMul", "x", g.weights(7, 5))
    cases["MatMul of two values"] = lambda g: g.add("MatMul", "x", g.add("Transpose", "x", perm=[0, 1, 3, 2]))
    cases["flattened image plus a constant"] = lambda g: g.add("Mul", g.add("Flatten", "x"), g.weights(1, 168))
    cases["flattened image read by two"] = lambda g: (lambda f: g.add("Add", g.add("Sigmoid", f), g.add("Softmax", f)))(
        g.add("Flatten", "x"))

    # Normalizations.
    cases["BatchNormalization"] = lambda g: g.add(
        "BatchNormalization", "x", g.weights(3), g.weights(3), g.weights(3), g.weights(3, low=0.5, high=2), epsilon=1e-3)
    cases["BatchNormalization of features"] = lambda g: g.add(
        "BatchNormalization", g.add("Flatten", g.add("GlobalMaxPool", "x")), *[g.weights(3, low=0.5, high=2) for _ in range(4)])
    cases["InstanceNormalization"] = lambda g: g.add("InstanceNormalization", "x", g.weights(3), g.weights(3))
    cases["GroupNormalization"] = lambda g: (setattr(g, "operators", 21), g.add(
        "GroupNormalization", g.add("Conv", "x", g.weights(4, 3, 1, 1)), g.weights(4), g.weights(4), num_groups=2))[1]
    cases["LayerNormalization"] = lambda g: g.add("LayerNormalization", "x", g.weights(7), g.weights(7), axis=-1)

    # Poolings.
    for kind, more in (("MaxPool", [{}]), ("AveragePool", [{}, {"count_include_pad": 1}])):
        for extra in more:
            for options in ({"kernel_shape": [2, 2]}, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
                            {"kernel_shape": [3, 2], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
                            {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}):
                if extra and ("ceil_mode" in options or "auto_pad" in options):
                    continue
                cases[f"{kind} {options | extra}"] = lambda g, k=kind, o=options | extra: g.add(k, "x", **o)
    cases["MaxPool after Relu"] = lambda g: g.add(
        "MaxPool", g.add("Relu", "x"), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])

    # Reductions.
    for kind in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2"):
        for axes in ([2, 3], [1], [-1]):
            for keeps in (0, 1):
                cases[f"{kind} {axes} {keeps}"] = lambda g, k=kind, a=axes, d=keeps: g.add(
                    k, "x", g.constant(a, "int64"), keepdims=d)
    cases["ReduceMean of version 13"] = unary("ReduceMean", 13, axes=[2, 3])

    # Arithmetic.
    for kind in ("Add", "Sub", "Mul", "Max", "Min"):
        cases[f"{kind} of two values"] = lambda g, k=kind: g.add(k, "x", g.add("Sigmoid", "x"))
        cases[f"{kind} of channels"] = lambda g, k=kind: g.add(k, "x", g.weights(3, 1, 1))
        cases[f"{kind} of a value of one place"] = lambda g, k=kind: g.add(k, "x", g.add("GlobalMaxPool", "x"))
    cases["Div by a number"] = lambda g: g.add("Div", "x", g.constant(0.3))
    cases["Div of a number"] = lambda g: g.add("Div", g.constant(0.3), g.add("Exp", "x"))
    cases["Pow"] = lambda g: g.add("Pow", "x", g.constant(2))
    cases["Sum of three"] = lambda g: g.add("Sum", "x", g.add("Relu", "x"), g.add("Tanh", "x"))
    cases["Mean of two"] = lambda g: g.add("Mean", "x", g.add("Relu", "x"))
    cases["Where the orders differ"] = lambda g: g.add(
        "Add", g.add("Relu", "x"), g.add("Reshape", g.add("MatMul", "x", g.weights(7, 7)), g.constant([0, 3, 8, 7], "int64")))

    # Movements.
    cases["Concat"] = lambda g: g.add("Concat", "x", g.add("Relu", "x"), axis=1)
    cases["Concat of rows"] = lambda g: g.add("Concat", "x", g.add("Relu", "x"), axis=-2)
    cases["Split"] = lambda g: g.add("Split", "x", g.constant([1, 2], "int64"), axis=1, outputs=2)
    cases["Split evenly"] = lambda g: g.add("Split", "x", axis=2, outputs=2, num_outputs=2)
    cases["Split of version 11"] = lambda g: (setattr(g, "operators", 11), g.add("Split", "x", axis=3, split=[3, 4], outputs=2))[1]
    cases["Slice"] = lambda g: g.add(
        "Slice", "x", *[g.constant(v, "int64") for v in ([1, -5], [2**62, -1], [1, 3], [1, 2])])
    cases["Slice backwards"] = lambda g: g.add(
        "Slice", "x", *[g.constant(v, "int64") for v in ([-1], [-(2**62)], [2], [-1])])
    cases["Gather one"] = lambda g: g.add("Gather", "x", g.constant(1, "int64"), axis=1)
    cases["Gather several"] = lambda g: g.add("Gather", "x", g.constant([6, 4, 2], "int64"), axis=3)
    cases["Reshape"] = lambda g: g.add("Reshape", "x", g.constant([0, 6, -1], "int64"))
    cases["Reshape and back"] = lambda g: g.add(
        "Reshape", g.add("Reshape", "x", g.constant([0, 3, 56], "int64")), g.constant([-1, 3, 8, 7], "int64"))
    cases["Transpose"] = lambda g: g.add("Transpose", "x", perm=[0, 2, 1, 3])
    cases["Transpose to NHWC"] = lambda g: g.add("Transpose", "x", perm=[0, 2, 3, 1])
    cases["Transpose there and back"] = lambda g: g.add("Transpose", g.add("Transpose", "x", perm=[0, 2, 3, 1]), perm=[0, 3, 1, 2])
    cases["Squeeze"] = lambda g: g.add("Squeeze", g.add("GlobalMaxPool", "x"), g.constant([2, 3], "int64"))
    cases["Unsqueeze"] = lambda g: g.add(
        "Unsqueeze", g.add("Flatten", g.add("GlobalMaxPool", "x")), g.constant([2, 3], "int64"))
    cases["Pad"] = lambda g: g.add("Pad", "x", g.constant([0, 0, 1, 2, 0, 0, 0, 1], "int64"))
    cases["Pad of channels"] = lambda g: g.add("Pad", "x", g.constant([0, 1, 0, 0, 0, 2, 0, 0], "int64"), g.constant(0.5))
    cases["Resize nearest"] = lambda g: g.add(
        "Resize", "x", "", g.constant([1, 1, 2, 3]), mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    cases["Resize linear"] = lambda g: g.add("Resize", "x", "", g.constant([1, 1, 2, 2]), mode="linear")
    cases["Resize to sizes"] = lambda g: g.add("Resize", "x", "", "", g.constant([2, 3, 11, 9], "int64"), mode="linear")
    cases["Upsample"] = lambda g: (setattr(g, "operators", 9), g.add("Upsample", "x", g.constant([1, 1, 2, 2]), mode="nearest"))[1]
    cases["Expand of a constant"] = expanded_token
    cases["shapes computed as torch does"] = computed_shape
    cases["HardSwish of version 13"] = lambda g: (setattr(g, "operators", 13), g.add(
        "Div", g.add("Mul", "x", g.add("Clip", g.add("Add", "x", g.constant(3)), g.constant(0), g.constant(6))), g.constant(6)))[1]
    cases["gelu of single functions"] = lambda g: g.add("Mul", g.add("Mul", "x", g.add("Add", g.add(
        "Erf", g.add("Div", "x", g.constant(1.4142135))), g.constant(1))), g.constant(0.5))
    cases["layer normalization of single functions"] = single_normalization
    cases["attention"] = attention
    return cases


def expanded_token(g: Graph):
    tokens = g.add("Transpose", g.add("Reshape", "x", g.constant([0, 3, 56], "int64")), perm=[0, 2, 1])
    batch = g.add("Gather", g.add("Shape", "x"), g.constant([0], "int64"))
    shape = g.add("Concat", batch, g.constant([1, 3], "int64"), axis=0)
    token = g.add("Expand", g.weights(1, 1, 3), shape)
    return g.add("Concat", token, tokens, axis=1)


def computed_shape(g: Graph):
    shape = g.add("Shape", "x")
    batch = g.add("Unsqueeze", g.add("Gather", shape, g.constant(0, "int64")), g.constant([0], "int64"))
    rows = g.add("Gather", shape, g.constant(2, "int64"))
    columns = g.add("Gather", shape, g.constant(3, "int64"))
    places = g.add("Unsqueeze", g.add("Mul", rows, columns), g.constant([0], "int64"))
    target = g.add("Concat", batch, g.constant([3], "int64"), places, axis=0)
    return g.add("Reshape", "x", target)


def single_normalization(g: Graph):
    mean = g.add("ReduceMean", "x", g.constant([-1], "int64"))
    distance = g.add("Sub", "x", mean)
    variance = g.add("ReduceMean", g.add("Pow", distance, g.constant(2)), g.constant([-1], "int64"))
    deviation = g.add("Sqrt", g.add("Add", variance, g.constant(1e-5)))
    return g.add("Add", g.add("Mul", g.add("Div", distance, deviation), g.weights(7)), g.weights(7))


def attention(g: Graph):
    tokens = g.add("Transpose", g.add("Reshape", "x", g.constant([0, 3, 56], "int64")), perm=[0, 2, 1])
    heads = []
    for axes in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
        product = g.add("Add", g.add("MatMul", tokens, g.weights(3, 8)), g.weights(8))
        heads.append(g.add("Transpose", g.add("Reshape", product, g.constant([0, 56, 2, 4], "int64")), perm=axes))
    query, key, value = heads
    scores = g.add("Softmax", g.add("Mul", g.add("MatMul", query, key), g.constant(0.5)), axis=-1)
    mixed = g.add("Transpose", g.add("MatMul", scores, value), perm=[0, 2, 1, 3])
    return g.add("Reshape", mixed, g.constant([0, 56, 8], "int64"))


def check_operators(keras, checks: common.Checks, folder: Path, only: str) -> None:
    for name, make in operators().items():
        if only not in name:
            continue
        path = folder / "operator.onnx"

        def check() -> None:
            graph = Graph(name)
            results = make(graph)
            image = graph.save(path, *(results if isinstance(results, list) else [results]))
            check_file(name, path, [image], keras, checks, folder)

        attempt(name, check, checks)


def attempt(name: str, check: Callable[[], None], checks: common.Checks) -> None:
    """One case that fails must not hide the others."""
    try:
        check()
    except (SystemExit, Exception) as error:
        checks.claim(f"{name}: {str(error)[-400:]}", False)


# Files that programs wrote


def check_graft(keras, checks: common.Checks, folder: Path, only: str) -> None:
    """Graft's own exports, whose images have their channels last."""
    import numpy as np

    random = np.random.RandomState(1)
    for base, size in (("pocket", 96), ("resnet18", 64), ("mobilenet-v2", 96), ("efficientnet-b0", 64), ("densenet121", 64),
                       ("inception-v3", 96), ("convnext-tiny", 64)):
        if only not in base:
            continue
        path = folder / "base.onnx"
        common.graft("export", base, "--weights", "none", "--input-size", size, "--output", path)
        image = random.uniform(0, 255, (2, size, size, 3)).astype("float32")
        attempt(base, lambda: check_file(f"Graft's {base}", path, [image], keras, checks, folder), checks)


def check_keras(keras, checks: common.Checks, folder: Path, only: str) -> None:
    """What `model.export(format="onnx")` writes, where tf2onnx is there to write it."""
    import numpy as np

    random = np.random.RandomState(2)
    for name in ("MobileNet", "ResNet50V2"):
        if only not in name:
            continue
        model = getattr(keras.applications, name)(weights=None, input_shape=(64, 64, 3), include_top=False, pooling="avg")
        path = folder / "keras.onnx"
        try:
            model.export(path, format="onnx", verbose=False)
        except ImportError as error:
            print(f"passed over: Keras's own export needs another package ({error})")
            return
        image = random.uniform(-1, 1, (2, 64, 64, 3)).astype("float32")
        attempt(name, lambda: check_file(f"Keras's {name}", path, [image], keras, checks, folder), checks)


def check_torch(keras, checks: common.Checks, folder: Path, only: str) -> None:
    """What torch.onnx writes of torchvision's networks, by both of its exporters."""
    try:
        import torch

        # The CPU edition of torch cannot load torchvision's own operators, of which no network here has any.
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    except ImportError:
        print("passed over: torch and torchvision are not installed")
        return
    torch.manual_seed(3)
    for name, size in (("squeezenet1_1", 64), ("resnet18", 64), ("mobilenet_v3_small", 64), ("efficientnet_b0", 64),
                       ("densenet121", 64), ("vgg11_bn", 64), ("regnet_y_400mf", 64), ("shufflenet_v2_x0_5", 64),
                       ("convnext_tiny", 64), ("googlenet", 64), ("mnasnet0_5", 64)):
        if only not in name:
            continue
        options = {"init_weights": True, "aux_logits": False} if name == "googlenet" else {}
        model = getattr(torchvision.models, name)(weights=None, num_classes=10, **options).eval()
        with torch.no_grad():
            for part in model.modules():
                if isinstance(part, torch.nn.BatchNorm2d):
                    part.running_mean.uniform_(-0.1, 0.1)
                    part.running_var.uniform_(0.5, 1.5)
        image = torch.rand(2, 3, size, size)
        for label, arguments in (("", {"dynamo": False, "dynamic_axes": {"x": {0: "batch"}}, "opset_version": 17}),
                                 (" by dynamo", {"dynamo": True, "opset_version": 18, "external_data": False,
                                                 "dynamic_shapes": [{0: torch.export.Dim("batch")}]})):
            path = folder / "torch.onnx"
            try:
                torch.onnx.export(model, (image,), path, input_names=["x"], **arguments)
            except Exception as error:
                print(f"passed over: torch's {name}{label}: {str(error)[:100]}")
                continue
            attempt(name + label, lambda: check_file(
                f"torch's {name}{label}", path, [image.numpy()], keras, checks, folder), checks)


CHECKS = {"operators": check_operators, "graft": check_graft, "keras": check_keras, "torch": check_torch}


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--only", choices=CHECKS, help="files of one kind")
    parser.add_argument("--one", default="", metavar="NAME", help="those whose names hold this")
    arguments = parser.parse_args()
    keras = common.import_keras()
    checks = common.Checks()
    with tempfile.TemporaryDirectory() as temporary:
        for name, check in CHECKS.items():
            if arguments.only in (None, name):
                check(keras, checks, Path(temporary), arguments.one)
    return checks.finish()


if __name__ == "__main__":
    raise SystemExit(main())
