#!/usr/bin/env python3
"""Graft and its rivals at the same work, in turn, on this machine: writes RESULTS.md, results.json and scaling.svg.

    make benchmark                          everything, about an hour on two cores
    make benchmark SECTIONS="trunk head"    these sections; the others keep their numbers
    make benchmark OPTIONS=--quick          one short run each, to try the benchmark itself
    make benchmark OPTIONS="--runs 1"       everything in full, but once: for an hour that is short
    make benchmark OPTIONS=--resume         what this commit has no complete numbers of
    make benchmark OPTIONS=--page           the page again, from results.json

Needs the release build of `graft` and `GraftMeasure`, and the rivals' Python; `make benchmark` sees to both. A rival
that fails is reported and the rest goes on; numbers are kept after every process.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

from suite import machine
from suite.bench import BENCHMARKS, ROOT, Bench
from suite.page import page
from suite.processes import Failure
from suite.results import Record, Results
from suite.sections import ALL

SHARED = Path(os.environ.get("GRAFT_SHARED", ROOT.parent / "shared"))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", nargs="*", default=[], choices=list(ALL), metavar="SECTION", help=", ".join(ALL))
    parser.add_argument("--images", type=Path, default=SHARED / "images/cats-and-dogs", help="train/ and validation/")
    parser.add_argument("--weights", type=Path, default=SHARED / "weights/inception_v3-2015-12-05-notop.h5")
    parser.add_argument("--quick", action="store_true", help="one short run of everything")
    parser.add_argument("--runs", type=int, metavar="N", help="no contestant more often than N times")
    parser.add_argument("--resume", action="store_true", help="leave out sections that are complete for this commit")
    parser.add_argument("--page", action="store_true", help="write the page from the numbers that are there")
    parser.add_argument("--check", action="store_true", help="fail where the page is not that of the numbers")
    parser.add_argument("--output", type=Path, default=BENCHMARKS, help="the folder for RESULTS.md and results.json")
    arguments = parser.parse_args()
    if not arguments.page and not arguments.check:
        for path in (arguments.images, arguments.weights):
            if not path.exists():
                parser.error(f"{path} is not there: name photos and weights with --images and --weights")
    return arguments


def measure(name: str, bench: Bench, results: Results) -> None:
    """Takes a section's numbers; those of an earlier run make way at once, so that no two runs are mixed."""
    about = machine.description() | {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "load": machine.load(),
    }
    values = {"about": about, "commit": machine.commit(), "quick": bench.quick, "complete": False}
    results.sections[name] = values
    results.save()
    started = time.monotonic()
    print(f"=== {name}", file=sys.stderr, flush=True)
    try:
        ALL[name].run(bench, Record(results, values))
        values["complete"] = True
    except (Failure, ImportError, OSError) as failure:
        values["failed"] = str(failure)
        print(f"  {name} FAILED: {failure}", file=sys.stderr, flush=True)
    finally:
        values["minutes"] = (time.monotonic() - started) / 60
        results.save()
        write_page(results, bench.output)


def write_page(results: Results, folder: Path) -> None:
    (folder / "RESULTS.md").write_text(page(results.values, folder))


def check(results: Results, folder: Path) -> str | None:
    """What is wrong where the page does not follow from the numbers."""
    with tempfile.TemporaryDirectory() as scratch:
        write_page(results, Path(scratch))
        for path in sorted(Path(scratch).iterdir()):
            if not (folder / path.name).exists() or (folder / path.name).read_text() != path.read_text():
                return f"{path.name} is not what results.json gives; write it again with `make benchmark OPTIONS=--page`"
    print("benchmark.py: the page is that of the numbers")
    return None


def main() -> None:
    arguments = parse()
    results = Results(arguments.output / "results.json")
    if arguments.check:
        sys.exit(check(results, arguments.output))
    wanted = [] if arguments.page else arguments.sections or list(ALL)
    if arguments.resume:
        current = machine.commit()
        done = {
            name for name, taken in results.sections.items()
            if taken.get("complete") and taken["commit"] == current and taken["quick"] <= arguments.quick
        }
        wanted = [name for name in wanted if name not in done]
    # Whoever ends the program finds its numbers on the page.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        # Not /tmp, which is memory on many machines.
        with tempfile.TemporaryDirectory(dir="/var/tmp" if Path("/var/tmp").is_dir() else None) as scratch:
            bench = Bench(arguments, Path(scratch))
            for name in wanted:
                measure(name, bench, results)
    finally:
        write_page(results, arguments.output)


if __name__ == "__main__":
    main()
