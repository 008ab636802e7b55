#!/usr/bin/env python3
"""Fine-tuning InceptionV3 from `mixed5` in PyTorch: the time of a step, and the losses.

    torch_fine_tuning.py whole|kept FOLDER --weights FILE [--compiled] [--precision bfloat16]

The network is torchvision's, in the layout that is fastest on a processor (channels last), with the numbers of Keras's
file and of the head that keras_fine_tuning.py prepared. `whole` steps begin at pixels, `kept` ones at what the frozen
part put out before. In bfloat16 the frozen part has its weights in it, and what trains runs under `torch.autocast` with
weights and optimizer state in float32. Run by fine_tuning_step.py as a process of its own; prints one JSON object: `seconds` and `losses`
of each step.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch_inception

RATE = 1e-5
#: mixed6 and mixed7, by torchvision's names, are the last two of the stages.
TRAINED_STAGES = 2


class Head(torch.nn.Module):
    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.hidden, self.output = (self.linear(arrays, name) for name in ("hidden", "output"))

    @staticmethod
    def linear(arrays: dict[str, np.ndarray], name: str) -> torch.nn.Linear:
        kernel, bias = arrays[f"{name}.kernel"], arrays[f"{name}.bias"]
        layer = torch.nn.Linear(*kernel.shape)
        layer.weight.data = torch.from_numpy(np.ascontiguousarray(kernel.T))
        layer.bias.data = torch.from_numpy(bias)
        return layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # Keras flattens rows, columns, channels.
        return self.output(torch.relu(self.hidden(x.permute(0, 2, 3, 1).flatten(1)))).squeeze(1)


def networks(folder: Path, weights: str) -> tuple[torch.nn.Module, torch.nn.Module]:
    """The frozen part, with its normalization folded as it may be there, and the part that trains."""
    base = torch_inception.base(weights)
    frozen, trained = base[:-TRAINED_STAGES], base[-TRAINED_STAGES:]
    torch_inception.fold(frozen)
    frozen.requires_grad_(False)
    for module in trained.modules():
        # InceptionV3 has offsets but no scales.
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.requires_grad_(False)
    head = Head(dict(np.load(folder / "head.npz")))
    live = torch.nn.Sequential(trained, head).eval()
    return frozen.eval().to(memory_format=torch.channels_last), live.to(memory_format=torch.channels_last)


def make_step(frozen, live, compiled: bool, narrow: bool):
    """A function of a batch that trains; what is compiled is forward, backward and the optimizer's step of what trains.
    The frozen part is faster as it is."""
    parameters = [p for p in live.parameters() if p.requires_grad]
    optimizer = torch.optim.RMSprop(parameters, lr=RATE, alpha=0.9, eps=1e-7, foreach=True)
    criterion = torch.nn.BCEWithLogitsLoss()

    def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=narrow):
            logits = live(x)
        return criterion(logits.float(), y)

    forward = torch.compile(loss_of) if compiled else loss_of
    update = torch.compile(optimizer.step) if compiled else optimizer.step

    def step(x: torch.Tensor, y: torch.Tensor) -> float:
        if frozen is not None:
            with torch.no_grad():
                x = frozen(x)
        optimizer.zero_grad(set_to_none=True)
        loss = forward(x, y)
        loss.backward()
        update()
        return float(loss.detach())

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["whole", "kept"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--compiled", action="store_true", help="by torch.compile")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()
    pixels = np.load(arguments.folder / "inputs.npy", mmap_mode="r")[: arguments.steps]
    targets = torch.from_numpy(np.load(arguments.folder / "targets.npy"))
    frozen, live = networks(arguments.folder, arguments.weights)
    narrow = arguments.precision == "bfloat16"
    kind = torch.bfloat16 if narrow else torch.float32
    frozen = frozen.to(kind)

    def batch(x: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(x)).permute(0, 3, 1, 2).to(kind)

    inputs = [batch(x) for x in pixels]
    if arguments.what == "kept":
        with torch.no_grad():
            inputs = [frozen(x) for x in inputs]
        frozen = None
    step = make_step(frozen, live, arguments.compiled, narrow)
    seconds, losses = [], []
    for x, y in zip(inputs, targets):
        started = time.perf_counter()
        losses.append(step(x, y))
        seconds.append(time.perf_counter() - started)
    print(json.dumps({"seconds": seconds, "losses": losses}), flush=True)


if __name__ == "__main__":
    main()
