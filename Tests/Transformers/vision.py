#!/usr/bin/env python3
"""Vision transformers with random weights: what transformers, timm and torchvision compute, as fixtures for VisionTransformerTests.

    python Tests/Transformers/vision.py            writes Tests/GraftApplicationsTests/Fixtures/vision
    python Tests/Transformers/vision.py --check    computes again and compares with the committed fixtures

python is that of `Scripts/python-environment Tests/Transformers/requirements.txt .venv-transformers`.

Each network has the structure of its large brothers with patches of 4 × 4, a width of 12, three heads and two blocks. Positions are
learned for images of 24 × 24; images here are of 24 × 24, and of 16 × 28 where the name ends in `-resized`. A folder holds
`model.safetensors` with the names that the package publishes weights under, and `reference.safetensors`: images (batch, rows,
columns, channels), the tokens after each block, the token of the whole image after the last normalization, and the classes.

transformers 5 names modules otherwise while it runs; `save_pretrained` writes the names of the published files.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Keras"))

import common  # noqa: E402
from packages import import_transformers  # noqa: E402

FIXTURES = common.ROOT / "Tests/GraftApplicationsTests/Fixtures/vision"
#: The same program on another processor: sums of at most a few dozen products in another order, through two blocks.
TOLERANCE = 1e-5
CLASSES = 5


def vit():
    t = import_transformers()

    config = t.ViTConfig(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=48, image_size=24,
                         patch_size=4, layer_norm_eps=1e-6, num_labels=CLASSES)
    return t.ViTForImageClassification(config)


def dinov2():
    t = import_transformers()

    return t.Dinov2Model(t.Dinov2Config(
        hidden_size=12, num_hidden_layers=2, num_attention_heads=3, mlp_ratio=4, image_size=24, patch_size=4))


def timm_vit(**options):
    import_transformers()
    import timm

    return timm.models.vision_transformer.VisionTransformer(
        img_size=24, patch_size=4, embed_dim=12, depth=2, num_heads=3, num_classes=CLASSES, dynamic_img_size=True, **options)


def torchvision_vit():
    import_transformers()
    from torchvision.models.vision_transformer import VisionTransformer

    return VisionTransformer(24, 4, 2, 3, 12, 48, num_classes=CLASSES)


#: Name to what makes the network.
NETWORKS = {
    "vit": vit, "vit-resized": vit, "dinov2": dinov2, "dinov2-resized": dinov2, "timm": timm_vit, "timm-resized": timm_vit,
    "timm-dinov2": lambda: timm_vit(init_values=1e-5), "torchvision": torchvision_vit,
}


def run(name: str, model, images) -> dict:
    """What the network computes; images are (batch, channels, rows, columns)."""
    import torch

    kind = name.removesuffix("-resized")
    tokens: list = []
    if kind in ("vit", "dinov2"):
        body = model.vit if kind == "vit" else model
        options = {"interpolate_pos_encoding": True} if kind == "vit" and name.endswith("-resized") else {}
        output = body(images, output_hidden_states=True, **options)
        tokens = list(output.hidden_states[1:])
        arrays = {"cls": output.last_hidden_state[:, 0]}
        if kind == "vit":
            arrays["classes"] = model(images, **options).logits
    else:
        blocks = model.encoder.layers if kind == "torchvision" else model.blocks
        for block in blocks:
            block.register_forward_hook(lambda module, inputs, output: tokens.append(output))
        norm = model.encoder.ln if kind == "torchvision" else model.norm
        norm.register_forward_hook(lambda module, inputs, output: arrays.update(cls=output[:, 0]))
        arrays = {}
        arrays["classes"] = model(images)
    arrays |= {f"block{k}": value for k, value in enumerate(tokens, 1)}
    return {key: value.to(torch.float32).contiguous() for key, value in arrays.items()}


def make(folder: Path) -> None:
    """Writes all folders."""
    import torch
    from safetensors.torch import save_file

    for seed, (name, build) in enumerate(NETWORKS.items()):
        torch.manual_seed(seed)
        model = build().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn(parameter.shape) * 0.3 + (1 if parameter.ndim == 1 and parameter.mean() > 0.5 else 0))
            size = (16, 28) if name.endswith("-resized") else (24, 24)
            images = torch.randn((2, 3, *size))
            arrays = run(name, model, images)
        own = folder / name
        own.mkdir(parents=True, exist_ok=True)
        if hasattr(model, "save_pretrained"):
            model.save_pretrained(own)
            for path in own.iterdir():
                if path.name != "model.safetensors":
                    path.unlink()
        else:
            save_file({key: value.contiguous() for key, value in model.state_dict().items()}, own / "model.safetensors")
        arrays["images"] = images.permute(0, 2, 3, 1).contiguous()
        save_file(arrays, own / "reference.safetensors")


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    if not arguments.check:
        make(FIXTURES)
        return 0
    from safetensors.numpy import load_file

    checks = common.Checks()
    with tempfile.TemporaryDirectory() as temporary:
        make(Path(temporary))
        for own in sorted(Path(temporary).iterdir()):
            ours, theirs = load_file(own / "reference.safetensors"), load_file(FIXTURES / own.name / "reference.safetensors")
            if checks.claim(f"{own.name}: arrays", sorted(ours) == sorted(theirs), ", ".join(sorted(ours))):
                for name in ours:
                    checks.compare(f"{own.name}: {name}", ours[name], theirs[name], TOLERANCE)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
