#!/usr/bin/env python3
"""The page of `graft report` as a browser and a screen reader take it: valid HTML that loads nothing.

    Tests/Pages/report.py            needs the release build (or GRAFT) and html5lib

Draws leaves, trains on them, and makes a report with every section, new images among them. html5lib must find no error by the rules of
the HTML standard; beyond those: a language, one first heading and none that skips a level, names that are there once, an alternative for
each image, a scope for each heading of a table, nothing that is loaded from elsewhere, and no script.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import html5lib

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Keras"))
import common  # noqa: E402

PREFIX = "{http://www.w3.org/1999/xhtml}"


def faults(page: str) -> list[str]:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"))
    document = parser.parse(page)
    found = [f"line {place[0]}: {name} {details}" for place, name, details in parser.errors]
    elements = [element for element in document.iter() if isinstance(element.tag, str)]
    names = [element.tag.removeprefix(PREFIX) for element in elements]
    levels = [int(name[1]) for name in names if len(name) == 2 and name[0] == "h" and name[1].isdigit()]
    known = [element.get("id") for element in elements if element.get("id")]
    if not document.get("lang"):
        found.append("the page has no language")
    if levels.count(1) != 1 or levels[0] != 1:
        found.append(f"first headings: {levels.count(1)}")
    found += [f"a heading of level {after} follows one of level {before}" for before, after in zip(levels, levels[1:]) if after > before + 1]
    found += [f"the name {name} is there twice" for name in sorted({name for name in known if known.count(name) > 1})]
    for element, name in zip(elements, names):
        if name == "img" and not element.get("alt"):
            found.append("an image has no alternative")
        if name == "th" and not element.get("scope"):
            found.append("a heading of a table has no scope")
        if name in ("script", "link", "iframe"):
            found.append(f"the page has a {name}")
        if element.get("aria-labelledby") not in (None, *known):
            found.append(f"nothing is called {element.get('aria-labelledby')}")
        for attribute in ("src", "href"):
            if not (element.get(attribute) or "data:").startswith(("data:", "#")):
                found.append(f"the page loads {element.get(attribute)}")
    return found


def main() -> int:
    checks = common.Checks()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        common.graft("sample", "leaves", "--output", folder / "leaves", "--train", 12, "--validation", 8)
        common.graft("sample", "leaves", "--output", folder / "new", "--train", 8, "--validation", 0, "--seed", 5)
        common.graft("train", folder / "leaves", "--output", folder / "leaves.keras")
        common.graft("report", folder / "leaves.keras", folder / "leaves", "--compare", folder / "new", "--output", folder / "report.html")
        page = (folder / "report.html").read_text()
    found = faults(page)
    for fault in found[:20]:
        print(fault)
    checks.claim("the page of a report is valid and stands alone", not found)
    # The check itself: what it must find.
    spoiled = page.replace(' alt="', ' title="', 1).replace("<h2", "<h4", 1).replace("</main>", '<script src="x.js"></script></main>', 1)
    checks.claim("a spoiled page is found", len(faults(spoiled)) >= 3)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
