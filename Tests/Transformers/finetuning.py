#!/usr/bin/env python3
"""Thirty steps of MiniLM with a head by transformers and PyTorch's AdamW, as a fixture for MiniLMFineTuningTests.

    python Tests/Transformers/finetuning.py            writes Tests/GraftTrainingTests/Fixtures/minilm.json
    python Tests/Transformers/finetuning.py --check    computes again and compares with the committed fixture

python is that of `Scripts/python-environment Tests/Transformers/requirements.txt .venv-transformers`. Needs `../shared/text/minilm`, or the
folder that GRAFT_SHARED names.

The twenty sentences of its reference.json in batches of ten, in order, sentence k of class k mod 3. The head is a dense layer on the
mean over a text's tokens, with weights ((37 i) mod 101 - 50) / 500. Everything trains but the pooler, which nothing reads; nothing is
dropped. Once all layers train, and once those after layer 4.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Keras"))

import common  # noqa: E402
from packages import import_transformers  # noqa: E402

FIXTURE = common.ROOT / "Tests/GraftTrainingTests/Fixtures/minilm.json"
#: The same program on another processor, through thirty steps.
TOLERANCE = 1e-4
STEPS, BATCH, CLASSES = 30, 10, 3


def losses(folder: Path, first: int) -> list[float]:
    """The loss of each step; layers from this number on train, counted from 1, or all from 0."""
    import torch
    transformers = import_transformers()
    from safetensors.torch import load_file

    model = transformers.BertModel(transformers.BertConfig.from_pretrained(folder), add_pooling_layer=False).float().eval()
    weights = {name: value.float() for name, value in load_file(folder / "model.float16.safetensors").items()
               if not name.startswith("pooler")}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and all("position_ids" in name or "token_type_ids" in name for name in missing), (missing, unexpected)
    if first:
        for part in [model.embeddings, *model.encoder.layer[: first - 1]]:
            part.requires_grad_(False)
    width = model.config.hidden_size
    head = torch.nn.Linear(width, CLASSES)
    numbers = (37 * torch.arange(width * CLASSES)) % 101 - 50
    with torch.no_grad():
        head.weight.copy_((numbers / 500).reshape(width, CLASSES).T)
        head.bias.zero_()

    texts = json.loads((folder / "reference.json").read_text())["input_ids"]
    length = max(map(len, texts))
    ids = torch.tensor([text + [0] * (length - len(text)) for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (length - len(text)) for text in texts])
    labels = torch.arange(len(texts)) % CLASSES
    parameters = [p for p in [*model.parameters(), *head.parameters()] if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=5e-5, weight_decay=0.01, eps=1e-8)
    result = []
    for step in range(STEPS):
        rows = [(BATCH * step + k) % len(texts) for k in range(BATCH)]
        hidden = model(ids[rows], attention_mask=mask[rows]).last_hidden_state
        flags = mask[rows][..., None].float()
        mean = (hidden * flags).sum(1) / flags.sum(1)
        loss = torch.nn.functional.cross_entropy(head(mean), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        result.append(float(loss))
    return result


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    shared = common.shared()
    folder = shared and shared / "text/minilm"
    if not folder or not folder.is_dir():
        print("skipped: there is no ../shared/text/minilm")
        return 0
    computed = {"all": losses(folder, 0), "fromLayer5": losses(folder, 5)}
    if not arguments.check:
        common.write_json(FIXTURE, computed)
        print({name: (values[0], values[-1]) for name, values in computed.items()})
        return 0
    checks = common.Checks()
    committed = json.loads(FIXTURE.read_text())
    for name, values in computed.items():
        checks.compare(name, values, committed[name], TOLERANCE)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
