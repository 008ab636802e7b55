#!/usr/bin/env python3
"""torchvision's v2 transforms on images that are kept decoded: prints images a second, and a second of processor time, of each pass, the first left out.

    torch_images.py augment FOLDER SIZE PASSES     each image by itself, as a data set's transform does it, on all cores

The affine transform with all four parts is one resampling; 8-bit tensors, bilinear, the recipe that Graft is asked for.
"""

from __future__ import annotations

import json
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

# See torch_inception.py: torchvision's wheel beside the CPU edition of PyTorch.
LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
for name in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, name):
        LIBRARY.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision.transforms import InterpolationMode, v2  # noqa: E402


def main() -> int:
    _, folder, size, passes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix in (".jpg", ".png", ".bmp"))
    images = [
        torch.from_numpy(np.asarray(Image.open(path).convert("RGB").resize((size, size))).copy()).permute(2, 0, 1)
        for path in files
    ]
    shear = math.degrees(math.atan(0.2))
    transform = v2.Compose([
        v2.RandomHorizontalFlip(),
        v2.RandomAffine(40, translate=(0.2, 0.2), scale=(0.8, 1.2), shear=(-shear, shear),
                        interpolation=InterpolationMode.BILINEAR),
        v2.ToDtype(torch.float32),
    ])
    cores = torch.get_num_threads()
    torch.set_num_threads(1)  # one image a thread, as a DataLoader's workers do it, without their copies
    rates, processor = [], []
    with ThreadPoolExecutor(cores) as pool:
        for _ in range(passes + 1):
            start, used = time.perf_counter(), time.process_time()
            for _ in pool.map(transform, images, chunksize=32):
                pass
            rates.append(len(images) / (time.perf_counter() - start))
            processor.append(len(images) / (time.process_time() - used))
    print(json.dumps({"images": len(images), "rates": rates[1:], "processor": processor[1:]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
