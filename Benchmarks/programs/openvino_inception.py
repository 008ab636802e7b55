"""Keras's InceptionV3 in OpenVINO."""

from __future__ import annotations

import numpy as np
import openvino


def converted(base, batch: int):
    """Keras's network from pixels of 0…255 to flat features, as an OpenVINO model for one batch size."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    shape = (batch, *base.input_shape[1:])

    @tf.function
    def network(pixels):
        return tf.reshape(base(pixels / 127.5 - 1.0, training=False), (batch, -1))

    frozen = convert_variables_to_constants_v2(network.get_concrete_function(tf.TensorSpec(shape, tf.float32)))
    model = openvino.convert_model(frozen.graph.as_graph_def())
    model.reshape(shape)
    return model


def trunk(base, precision: str, batch: int, threads: int | None = None):
    """A function from pixels (batch, height, width, 3) to features; its answer is valid until the next call."""
    hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
    settings = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
    if threads:
        settings["INFERENCE_NUM_THREADS"] = threads
    request = openvino.Core().compile_model(converted(base, batch), "CPU", settings).create_infer_request()

    def run(pixels: np.ndarray) -> np.ndarray:
        request.infer([pixels], share_inputs=True, share_outputs=True)
        return request.get_output_tensor().data

    return run
