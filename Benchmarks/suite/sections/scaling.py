"""How time and memory follow threads, images, input size and batch: tables, and one picture of them."""

from __future__ import annotations

import os
import shutil
import statistics

from .. import chart
from ..bench import Bench
from ..results import Record, failure, figures, samples
from ..tables import median, number, ratio, spread, table

TITLE = "Scaling"
PRECISIONS = ("float32", "bfloat16")
TIMES, SIZES, BATCHES = (1, 4, 16), (75, 100, 150, 200, 224, 299, 400, 512), (1, 2, 4, 8, 16, 20, 32, 64, 128)


def run(bench: Bench, record: Record) -> None:
    for count in TIMES[:2] if bench.quick else TIMES:
        for _ in range(bench.repeats(1 if count == 16 else 3)):
            record.add(f"images {count}", lambda: on_copies(bench, count))
    for precision in PRECISIONS:
        for threads in thread_counts():
            record.add(f"threads {threads} {precision}", lambda: trunk(bench, precision, threads=threads))
        for size in SIZES[::3] if bench.quick else SIZES:
            record.add(f"size {size} {precision}", lambda: trunk(bench, precision, size=size))
        for batch in BATCHES[::4] if bench.quick else BATCHES:
            record.add(f"batch {batch} {precision}", lambda: trunk(bench, precision, batch=batch))


def thread_counts() -> list[int]:
    """1, 2, 4, … and all cores."""
    cores = os.cpu_count() or 1
    return sorted({1 << power for power in range(cores.bit_length()) if 1 << power <= cores} | {cores})


def trunk(bench: Bench, precision: str, size: int = 150, batch: int = 20, threads: int | None = None) -> dict:
    options = ["--threads", str(threads)] if threads else []
    run = bench.part(
        "trunk", "--size", str(size), "--batch-size", str(batch), "--precision", precision,
        "--seconds", str(bench.seconds / 2), *options,
    )
    return {"rate": run.answer["images"] / statistics.median(run.answer["seconds"]), "peak": run.peak_bytes}


def on_copies(bench: Bench, count: int) -> dict:
    """One epoch on `count` copies of every photo, from an empty cache. Without checkpoints: one is written after a minute,
    which the shorter runs do not reach, and the values that it copies do not depend on the photos."""
    folder = bench.scratch / "copies"
    for source in sorted(path for path in bench.images.rglob("*") if path.is_file()):
        relative = source.relative_to(bench.images)
        if len(relative.parts) < 3:
            continue
        (folder / relative).parent.mkdir(parents=True, exist_ok=True)
        content = source.read_bytes()
        for copy in range(count):
            # What follows a JPEG's end marker is no part of the picture, but of the file: no two copies are equal.
            (folder / relative).with_stem(f"{source.stem}-{copy}").write_bytes(content + bytes([copy]) * copy)
    try:
        run = bench.train(
            bench.scratch / "copies.keras", images=folder, epochs=1, options=("--checkpoint-every", "stop")
        )
    finally:
        shutil.rmtree(folder)
    return {"seconds": run.seconds, "peak": run.peak_bytes, "photos": count * (bench.count("train") + bench.count("validation"))}


# The page


def page(values: dict) -> list[str]:
    return [
        "![Time and memory by number of photos; images a second by threads, input size and batch](scaling.svg)",
        "Copies of every photo, each with bytes of its own, so that nothing is found in the cache; one epoch with "
        "`--precision auto`, whole processes, without checkpoints (the first comes after a minute, and copies weights and "
        "optimizer state while it is written). Time a photo should stay, memory should not grow:",
        table(["photos", "time", "time a photo", "peak memory"], image_rows(values)),
        "\n".join(growth(values)),
        "The trunk alone, random pixels in memory, images a second:",
        *(trunk_table(values, kind, unit) for kind, unit in (("threads", ""), ("size", " pixels"), ("batch", ""))),
        *problems(values),
    ]


def image_rows(values: dict) -> list[list[str]]:
    rows = []
    for count in TIMES:
        name = f"images {count}"
        seconds, photos = figures(values, name, "seconds"), median(figures(values, name, "photos"))
        if photos:
            rows.append([
                f"×{count}: {photos:,.0f}", spread(seconds, ".1f", "s"),
                number(median([1e3 * value / photos for value in seconds]), ".2f", "ms"),
                spread([peak / 1e9 for peak in figures(values, name, "peak")], ".2f", "GB"),
            ])
    return rows


def growth(values: dict) -> list[str]:
    """What grows from the fewest to the most photos."""
    ends = [f"images {TIMES[0]}", f"images {TIMES[-1]}"]
    first, last = (median(figures(values, name, "peak")) for name in ends)
    times = [ratio(median(figures(values, name, "seconds")), median(figures(values, name, "photos"))) for name in ends]
    return [
        f"- ×{TIMES[-1]} beside ×{TIMES[0]}: peak memory **{number(ratio(last, first), '.2f')}** times, time a photo "
        f"**{number(ratio(times[1], times[0]), '.2f')}** times."
    ]


def points(values: dict, kind: str, precision: str) -> list[tuple[float, float]]:
    """Images a second by threads, size or batch."""
    found = []
    for name in values.get("samples", {}):
        words = name.split()
        if words[0] == kind and words[-1] == precision and samples(values, name):
            found.append((float(words[1]), median(figures(values, name, "rate"))))
    return sorted(found)


def trunk_table(values: dict, kind: str, unit: str) -> str:
    columns = {precision: dict(points(values, kind, precision)) for precision in PRECISIONS}
    keys = sorted({x for column in columns.values() for x in column})
    rows = [[f"{x:.0f}{unit}"] + [number(columns[p].get(x), ".1f") for p in PRECISIONS] for x in keys]
    return table([kind, *PRECISIONS], rows)


def problems(values: dict) -> list[str]:
    lines = [f"- {name} failed: {failure(values, name)}" for name in values.get("samples", {}) if failure(values, name)]
    return ["\n".join(lines)] if lines else []


def picture(values: dict) -> str:
    def images(key: str, scale: float) -> list[tuple[float, float]]:
        pairs = ((median(figures(values, f"images {n}", "photos")), median(figures(values, f"images {n}", key))) for n in TIMES)
        return [(x, y * scale) for x, y in pairs if x and y]

    def both(kind: str) -> list[chart.Series]:
        return [chart.Series(precision, points(values, kind, precision)) for precision in PRECISIONS]

    pixels = [
        chart.Series(s.name, [(x, rate * x * x / 1e6) for x, rate in s.points]) for s in both("size")
    ]
    return chart.grid([
        chart.Panel("Whole job, one epoch: seconds", "photos", [chart.Series("auto", images("seconds", 1))]),
        chart.Panel("Whole job, one epoch: peak, GB", "photos", [chart.Series("auto", images("peak", 1e-9))]),
        chart.Panel("Trunk: images/s by batch", "images in a batch", both("batch"), logarithmic=True),
        chart.Panel("Trunk: million pixels/s by input size", "height and width in pixels", pixels),
    ])
