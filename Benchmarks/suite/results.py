"""The numbers behind the page, kept in a JSON file after every process, so that nothing measured is lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Callable

from .processes import Failure


class Results:
    """`sections` holds for each section its numbers; what failed stands among them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values = json.loads(path.read_text()) if path.exists() else {"sections": {}}

    @property
    def sections(self) -> dict[str, dict]:
        return self.values["sections"]

    def save(self) -> None:
        temporary = self.path.with_suffix(".part")
        temporary.write_text(json.dumps(self.values, indent=1) + "\n")
        os.replace(temporary, self.path)


class Record:
    """A section's numbers while they are taken."""

    def __init__(self, results: Results, values: dict) -> None:
        self.results, self.values = results, values

    def add(self, name: str, take: Callable[[], dict]) -> dict | None:
        """Takes one sample for a contestant and keeps it; a failure is kept in its place, and the rest goes on."""
        try:
            sample = take()
        except (Failure, OSError, ValueError, KeyError, IndexError) as error:
            print(f"  FAILED: {error}", flush=True)
            sample = {"failed": f"{type(error).__name__}: {error}" if not isinstance(error, Failure) else str(error)}
        self.values.setdefault("samples", {}).setdefault(name, []).append(sample)
        self.results.save()
        return None if "failed" in sample else sample

    def note(self, name: str, value) -> None:
        """Keeps something that is no sample."""
        self.values[name] = value
        self.results.save()


def samples(values: dict, name: str) -> list[dict]:
    """The contestant's samples that did not fail."""
    return [sample for sample in values.get("samples", {}).get(name, []) if "failed" not in sample]


def failure(values: dict, name: str) -> str | None:
    """Why the contestant failed, where it did."""
    return next((s["failed"] for s in values.get("samples", {}).get(name, []) if "failed" in s), None)


def missing(values: dict, name: str) -> str:
    """What stands in a contestant's row that has no numbers."""
    reason = failure(values, name)
    return f"failed: {reason}" if reason else "not measured"


def figures(values: dict, name: str, key: str) -> list[float]:
    """One figure of all the contestant's samples that did not fail."""
    return [sample[key] for sample in samples(values, name) if sample.get(key) is not None]
