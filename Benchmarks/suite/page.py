"""The page: what the machine is, then each section that has numbers."""

from __future__ import annotations

from pathlib import Path

from .sections import ALL, scaling


def page(values: dict, folder: Path) -> str:
    """The page as Markdown; its picture is written into the folder."""
    parts = [
        "# Results",
        "Written by `Benchmarks/benchmark.py` from Benchmarks/results.json; `make benchmark` repeats it, "
        "`make benchmark SECTIONS=\"trunk head\"` a part of it. [Measuring](../Documentation/Measuring.md) says how the "
        "numbers are taken. Graft's figures stand beside its rivals' of the same run on the same machine; every line "
        "that begins with a figure in bold holds it against what was asked for.",
    ]
    for name, section in ALL.items():
        taken = values["sections"].get(name)
        if taken and section is scaling:
            (folder / "scaling.svg").write_text(scaling.picture(taken))
        if taken:
            parts += [f"## {section.TITLE}", *safely(section, taken), footer(taken)]
    return "\n\n".join(parts) + "\n"


def safely(section, taken: dict) -> list[str]:
    """What the section says; where a part of its numbers is missing, that."""
    try:
        return section.page(taken)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        if "failed" in taken:
            return [f"Failed: {taken['failed']}."]
        return [f"The section was interrupted before it had its numbers ({type(error).__name__}: {error})."]


def footer(taken: dict) -> str:
    """When, on what and with what: sections may come from different runs."""
    end = "" if taken.get("complete") else " **Interrupted: not all runs were done.**"
    quick = " Taken with `--quick`: one short run each." if taken.get("quick") else ""
    about = taken["about"]
    return (
        f"<sub>{about['date']}, {taken.get('minutes', 0):.0f} minutes. {about['graft']}. {about['python']}. "
        f"{about['machine']}; {about['load']:.1f} processes wanted a core before.{quick}{end}</sub>"
    )
