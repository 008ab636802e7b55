"""A module each: `TITLE`, `run(bench, record)` takes the numbers, `page(values)` says them as Markdown."""

from . import fine_tuning, head, job, precision, predict, scaling, trunk

ALL = {
    "job": job, "trunk": trunk, "head": head, "fine-tuning": fine_tuning, "precision": precision, "predict": predict,
    "scaling": scaling,
}
