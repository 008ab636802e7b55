"""Processes, timed from start to exit, with their peak memory."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass


class Failure(Exception):
    """A program that could not be run or failed, with its last words."""


@dataclass
class Run:
    """One finished process."""

    seconds: float
    peak_bytes: int
    events: list[dict]

    @property
    def epochs(self) -> list[dict]:
        return [event for event in self.events if event.get("event") == "epoch"]

    @property
    def answer(self) -> dict:
        """The last JSON object that was printed."""
        return self.events[-1] if self.events else {}


def measure(command: list[str], environment: dict[str, str] | None = None, limit: float = 1200) -> Run:
    """Runs a command; its standard output is read for JSON objects, one a line.

    The peak is the resident size that the kernel counted for the process and those it waited for.
    """
    print("$", shlex.join(command), file=sys.stderr, flush=True)
    with tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        try:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | (environment or {})
            )
        except OSError as error:
            raise Failure(str(error)) from error
        timer = threading.Timer(limit, process.kill)
        timer.start()
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            words = " ".join(errors.read().strip().splitlines()[-3:])[-400:]
            raise Failure(f"exit code {process.returncode} after {seconds:.0f} s: {words}")
    unit = 1 if sys.platform == "darwin" else 1024
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    print(f"  {seconds:.2f} s, {usage.ru_maxrss * unit / 1e9:.2f} GB", file=sys.stderr, flush=True)
    return Run(seconds, usage.ru_maxrss * unit, events)
