#!/usr/bin/env python3
"""Decoders of texts with random weights: what transformers computes, as fixtures for DecoderFileTests.

    python Tests/Transformers/decoders.py            writes Tests/GraftApplicationsTests/Fixtures/decoders
    python Tests/Transformers/decoders.py --check    computes again and compares with the committed fixtures

python is that of `Scripts/python-environment Tests/Transformers/requirements.txt .venv-transformers`.

GPT-2 with its output layer tied to the embedding and without, Llama with shared heads of keys and values, tied and without. A folder
holds `config.json` and `model.safetensors` as `save_pretrained` writes them, and `reference.safetensors`: ids, the hidden states after
the embeddings and each layer but the last, and the logits.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Keras"))

import common  # noqa: E402
from packages import import_transformers  # noqa: E402

FIXTURES = common.ROOT / "Tests/GraftApplicationsTests/Fixtures/decoders"
#: The same program on another processor: sums of at most a few dozen products in another order, through two layers.
TOLERANCE = 1e-5
LENGTH = 9


def networks():
    """Name to configuration and class."""
    t = import_transformers()

    gpt2 = {"vocab_size": 41, "n_embd": 12, "n_layer": 2, "n_head": 3, "n_positions": 16}
    llama = {"vocab_size": 41, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 6, "num_key_value_heads": 2,
             "intermediate_size": 20, "max_position_embeddings": 16}
    return {
        "gpt2": (t.GPT2Config(**gpt2), t.GPT2LMHeadModel),
        "gpt2-untied": (t.GPT2Config(**gpt2, n_inner=20, tie_word_embeddings=False), t.GPT2LMHeadModel),
        "llama": (t.LlamaConfig(**llama), t.LlamaForCausalLM),
        "llama-tied": (t.LlamaConfig(**llama, tie_word_embeddings=True), t.LlamaForCausalLM),
    }


def make(folder: Path) -> None:
    """Writes all folders."""
    import torch
    from safetensors.torch import save_file

    for seed, (name, (config, kind)) in enumerate(networks().items()):
        torch.manual_seed(seed)
        model = kind(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn(parameter.shape) * 0.3 + (1 if parameter.ndim == 1 and parameter.mean() > 0.5 else 0))
            ids = torch.randint(0, config.vocab_size, (3, LENGTH), generator=torch.Generator().manual_seed(100 + seed))
            output = model(ids, output_hidden_states=True)
        own = folder / name
        own.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(own)
        for path in own.iterdir():
            if path.name not in ("config.json", "model.safetensors"):
                path.unlink()
        # The last of them is normalized already.
        arrays = {f"hidden_{k}": value.contiguous() for k, value in enumerate(output.hidden_states[:-1])}
        save_file(
            arrays | {"norm": output.hidden_states[-1].contiguous(), "input_ids": ids.to(torch.int32), "logits": output.logits.contiguous()},
            own / "reference.safetensors")


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
