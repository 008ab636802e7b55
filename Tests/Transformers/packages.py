"""Imports transformers where torchvision's operators cannot be loaded, which it looks for and does not need here."""

from __future__ import annotations

import sys
from pathlib import Path


def import_transformers():
    """transformers, with torchvision's operators declared where they are not there."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Torchvision"))
    from automatic_augmentation import import_torchvision

    import_torchvision()
    import transformers

    return transformers
