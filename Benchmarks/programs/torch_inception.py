"""torchvision's InceptionV3 to `mixed7` with the weights of Keras's file: batch normalization folded, channels last."""

from __future__ import annotations

import re
from types import SimpleNamespace

import h5py
import numpy as np
import torch

# torchvision's wheel on PyPI is built for the CUDA edition of PyTorch: beside the CPU edition its extension does not
# load, and the import asks for two of its operators. Nothing here uses them.
LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
for name in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, name):
        LIBRARY.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision.models import inception  # noqa: E402


def average_pool(x, kernel_size, stride, padding):
    """As Keras pools: the padding counts for nothing."""
    return torch.nn.functional.avg_pool2d(x, kernel_size, stride, padding, count_include_pad=False)


inception.F = SimpleNamespace(
    avg_pool2d=average_pool, max_pool2d=torch.nn.functional.max_pool2d, relu=torch.nn.functional.relu
)

STAGES = (
    "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 maxpool1 Conv2d_3b_1x1 Conv2d_4a_3x3 maxpool2 "
    "Mixed_5b Mixed_5c Mixed_5d Mixed_6a Mixed_6b Mixed_6c Mixed_6d Mixed_6e"
).split()


def keras_layers(path: str, kind: str) -> list[list[np.ndarray]]:
    """The arrays of all layers of a kind (`conv2d`, `batch_normalization`) in the order in which they were made."""
    with h5py.File(path) as file:
        names = [name for name in file if re.fullmatch(rf"{kind}(_\d+)?", name)]
        names.sort(key=lambda name: int(name.removeprefix(kind).lstrip("_") or 0))
        return [[file[name][key.decode()][()] for key in file[name].attrs["weight_names"]] for name in names]


def load(network: torch.nn.Module, path: str) -> None:
    """Gives each convolution Keras's kernel, and each normalization Keras's statistics."""
    blocks = [module for module in network.modules() if isinstance(module, inception.BasicConv2d)]
    kernels, statistics = keras_layers(path, "conv2d"), keras_layers(path, "batch_normalization")
    for block, (kernel,), (beta, mean, variance) in zip(blocks, kernels, statistics):
        values = {
            "conv.weight": np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)),
            "bn.weight": np.ones_like(beta), "bn.bias": beta, "bn.running_mean": mean, "bn.running_var": variance,
        }
        block.load_state_dict({name: torch.from_numpy(value) for name, value in values.items()}, strict=False)


def fold(network: torch.nn.Module) -> None:
    """Batch normalization goes into the kernel before it."""
    for block in network.modules():
        if isinstance(block, inception.BasicConv2d):
            block.conv = torch.nn.utils.fusion.fuse_conv_bn_eval(block.conv, block.bn)
            block.bn = torch.nn.Identity()


def base(weights: str) -> torch.nn.Sequential:
    """InceptionV3 to `mixed7` for pixels of -1…1, NCHW in the channels-last layout; in evaluation mode."""
    whole = inception.inception_v3(weights=None, aux_logits=False, init_weights=False)
    network = torch.nn.Sequential(*(getattr(whole, stage) for stage in STAGES)).eval()
    load(network, weights)
    return network


class Trunk(torch.nn.Module):
    """Pixels of 0…255, (images, height, width, 3), to Keras's flat features."""

    def __init__(self, weights: str, folded: bool = True) -> None:
        super().__init__()
        self.network = base(weights)
        if folded:
            fold(self.network)
        self.network.to(memory_format=torch.channels_last)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        x = (pixels / 127.5 - 1).permute(0, 3, 1, 2).to(next(self.parameters()).dtype)
        return self.network(x).permute(0, 2, 3, 1).flatten(1)


def trunk(weights: str, mode: str, threads: int | None = None):
    """A function from pixels to features without gradients.

    mode: `float32`, `bfloat16` (kernels and activations) as PyTorch runs it at once, or `-compiled` behind either: by
    torch.compile with frozen parameters, which folds and packs them once.
    """
    if threads:
        torch.set_num_threads(threads)
    precision, _, compiled = mode.partition("-")
    module = Trunk(weights).requires_grad_(False)
    if precision == "bfloat16":
        module.network.bfloat16()
    if compiled:
        import torch._inductor.config as inductor

        inductor.freezing = True
        module = torch.compile(module)

    @torch.no_grad()
    def run(pixels: np.ndarray) -> torch.Tensor:
        return module(torch.from_numpy(pixels)).float()

    return run
