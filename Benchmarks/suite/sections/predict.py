"""One prediction, from the start of a process to its end."""

from __future__ import annotations

from ..bench import Bench
from ..processes import Run
from ..results import Record, figures, missing, samples
from ..tables import median, number, ratio, spread, table, verdict

TITLE = "One prediction"
GRAFT, KERAS = "`graft predict`", "Keras, the same file"


def run(bench: Bench, record: Record) -> None:
    model = str(bench.model())
    photo = str(next(iter(sorted((bench.images / "validation").rglob("*.jpg")))))
    for turn in range(bench.repeats(10)):
        record.add(GRAFT, lambda: sample(ours(bench, model, photo)))
        if turn % 4 == 0:
            record.add(KERAS, lambda: sample(bench.program("keras_predict.py", model, photo)))


def ours(bench: Bench, model: str, photo: str) -> Run:
    from ..processes import measure

    return measure([bench.graft, "predict", model, photo, "--json"])


def sample(run: Run) -> dict:
    answer = run.answer
    probability = answer.get("probability")
    if probability is None:
        # The last class's, which is what the network's one output says.
        probability = list(answer.get("probabilities", {}).values())[-1:] or None
        probability = probability[0] if probability else None
    return {"seconds": run.seconds, "peak": run.peak_bytes, "probability": probability}


def page(values: dict) -> list[str]:
    rows = []
    for name in (GRAFT, KERAS):
        if not samples(values, name):
            rows.append([name, "0", missing(values, name), "", ""])
            continue
        rows.append([
            name, str(len(samples(values, name))), spread(figures(values, name, "seconds"), ".2f", "s"),
            number(median([peak / 1e9 for peak in figures(values, name, "peak")]), ".2f", "GB"),
            number(median(figures(values, name, "probability")), ".6f"),
        ])
    ours, theirs = (median(figures(values, name, "seconds")) for name in (GRAFT, KERAS))
    return [
        "A new process that loads the saved model of the tutorial's job and predicts one photo.",
        table(["", "n", "time", "peak memory", "probability"], rows),
        "\n".join([
            verdict("seconds from start to answer", ours, 0.4, at_most=True),
            verdict("times faster than Keras", ratio(theirs, ours), 10),
        ]),
    ]
