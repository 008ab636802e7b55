#!/usr/bin/env python3
"""The tutorial's job in PyTorch: a bfloat16 trunk with folded normalization in channels-last order, features cached,
the head's forward, backward and update compiled. The trunk runs at once, or compiled with frozen parameters."""

from __future__ import annotations

import job

REPORT = job.Report()


def main() -> None:
    arguments = job.arguments(__doc__, trunk=["bfloat16-compiled", "bfloat16", "float32"])
    import numpy as np
    import torch

    import photos
    import torch_head
    import torch_inception

    REPORT.done("imports")
    torch.manual_seed(arguments.seed)
    trunk = torch_inception.trunk(arguments.weights, arguments.trunk)
    REPORT.done("load")
    trunk(np.zeros((job.BATCH, job.SIZE, job.SIZE, 3), np.float32))
    REPORT.done("compile")
    sets = []
    for part in ("train", "validation"):
        paths, labels = photos.listed(f"{arguments.images}/{part}")
        features = photos.features(paths, job.SIZE, job.BATCH, trunk)
        sets.append((torch.from_numpy(features), torch.from_numpy(labels)))
    REPORT.done("trunk")
    head = torch_head.Head()
    trainer = torch_head.Trainer(head, compiled=True)
    generator = torch.Generator().manual_seed(arguments.seed)
    for epoch in range(arguments.epochs):
        figures = trainer.epoch(*sets[0], generator)
        REPORT.epoch(epoch + 1, **figures, **trainer.validate(*sets[1]))
    REPORT.done("head")
    whole = {"trunk": torch_inception.base(arguments.weights).state_dict(), "head": head.state_dict()}
    torch.save(whole, arguments.output)
    REPORT.done("save")
    REPORT.end()


if __name__ == "__main__":
    main()
