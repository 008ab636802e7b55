"""What the numbers were taken on and with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("keras", "tensorflow-cpu", "torch", "torchvision", "openvino", "numpy")
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def output_of(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def processor() -> str:
    name, flags = platform.processor() or platform.machine(), []
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
        words = set(next(line for line in lines if line.startswith("flags")).split())
        flags = [flag for flag in FLAGS if flag in words]
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores" + (f" ({', '.join(flags)})" if flags else "")


def version(package: str) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{package} missing"


def commit() -> str:
    """The commit that is measured, and whether something else than the benchmark's own results was changed in it."""
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no", "--", "Sources", "Package.swift")
    return output_of("git", "rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")


def description() -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "machine": f"{processor()}, {memory / 2**30:.0f} GiB; {platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "graft": f"Graft {commit()}, {output_of('swift', '--version').splitlines()[0]}",
        "python": f"Python {platform.python_version()}, {', '.join(version(package) for package in PACKAGES)}",
    }


def load() -> float:
    """How many processes wanted a core in the last minute."""
    return os.getloadavg()[0]
