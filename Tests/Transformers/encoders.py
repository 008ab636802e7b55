#!/usr/bin/env python3
"""Encoders of texts with random weights: what transformers computes, as fixtures for EncoderTests.

    python Tests/Transformers/encoders.py            writes Tests/GraftApplicationsTests/Fixtures/encoders
    python Tests/Transformers/encoders.py --check    computes again and compares with the committed fixtures

python is that of `Scripts/python-environment Tests/Transformers/requirements.txt .venv-transformers`.

Each network has the structure of its large brothers and small sizes, all different. A folder holds `config.json` and
`model.safetensors` as `save_pretrained` writes them (one in bfloat16, one as a model for another task, whose names begin with
`bert.`), and `reference.safetensors`: ids, masks, types, the hidden states after the embeddings and each layer, and the pooler's
output. Texts have different lengths; what is computed at padding is nothing that anybody reads, and is written as 0.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Keras"))

import common  # noqa: E402
from packages import import_transformers  # noqa: E402

FIXTURES = common.ROOT / "Tests/GraftApplicationsTests/Fixtures/encoders"
#: The same program on another processor: sums of at most a few dozen products in another order, through two layers.
TOLERANCE = 1e-5
LENGTH = 9
LENGTHS = [9, 6, 2]


def networks():
    """Name to configuration, class, type of numbers."""
    t = import_transformers()

    sizes = {"vocab_size": 41, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 20,
             "max_position_embeddings": 16}
    distilled = {"vocab_size": 41, "dim": 12, "n_layers": 2, "n_heads": 3, "hidden_dim": 20, "max_position_embeddings": 16}
    return {
        "bert": (t.BertConfig(**sizes), t.BertModel, "float32"),
        "bert-classifier": (t.BertConfig(**sizes, hidden_act="gelu_new"), t.BertForSequenceClassification, "float32"),
        "bert-bfloat16": (t.BertConfig(**sizes, hidden_act="relu"), t.BertModel, "bfloat16"),
        "distilbert": (t.DistilBertConfig(**distilled), t.DistilBertModel, "float32"),
        "roberta": (t.RobertaConfig(**sizes, type_vocab_size=1, pad_token_id=1), t.RobertaModel, "float32"),
    }


def make(folder: Path) -> None:
    """Writes all folders."""
    import torch
    from safetensors.torch import save_file

    for seed, (name, (config, kind, dtype)) in enumerate(networks().items()):
        torch.manual_seed(seed)
        model = kind(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                # Normalizations and biases too, in the order of size that trained ones have.
                parameter.copy_(torch.randn(parameter.shape) * 0.3 + (1 if parameter.ndim == 1 and parameter.mean() > 0.5 else 0))
        model = model.to(getattr(torch, dtype))
        own = folder / name
        own.mkdir(parents=True)
        model.save_pretrained(own)
        for path in own.iterdir():
            if path.name not in ("config.json", "model.safetensors"):
                path.unlink()
        save_file(reference(model.float(), config, seed), own / "reference.safetensors")


def reference(model, config, seed: int) -> dict:
    import torch

    generator = torch.Generator().manual_seed(100 + seed)
    padding = config.pad_token_id
    ids = torch.randint(2, config.vocab_size, (len(LENGTHS), LENGTH), generator=generator)
    mask = torch.tensor([[int(i < n) for i in range(LENGTH)] for n in LENGTHS])
    ids = torch.where(mask == 1, ids, padding)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if getattr(config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = torch.tensor([[int(3 < i < n) for i in range(LENGTH)] for n in LENGTHS])
    encoder = getattr(model, "bert", model)
    with torch.no_grad():
        output = encoder(**inputs, output_hidden_states=True)
    arrays = {name: value.to(torch.int32) for name, value in inputs.items()}
    for k, hidden in enumerate(output.hidden_states):
        arrays[f"hidden_{k}"] = (hidden * mask[..., None]).contiguous()
    if getattr(output, "pooler_output", None) is not None:
        arrays["pooler"] = output.pooler_output.contiguous()
    return arrays


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
            committed = FIXTURES / own.name
            same = json.loads((own / "config.json").read_text()) == json.loads((committed / "config.json").read_text())
            checks.claim(f"{own.name}: config.json", same)
            ours, theirs = load_file(own / "reference.safetensors"), load_file(committed / "reference.safetensors")
            if checks.claim(f"{own.name}: arrays", sorted(ours) == sorted(theirs), ", ".join(sorted(ours))):
                for name in ours:
                    checks.compare(f"{own.name}: {name}", ours[name], theirs[name], TOLERANCE)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
