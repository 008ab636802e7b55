"""Writes Sources/GraftText/Unicode/UnicodeTables+*.swift: what the `tokenizers` package takes each character for.

The package's parts have tables of several versions of Unicode inside; Swift's standard library has one of its own, another with
each release. So that ids are equal whatever the toolchain, the package itself is asked about every character.

    python Tests/Text/unicode_tables.py            writes the files
    python Tests/Text/unicode_tables.py --check    fails where they are not what would be written
"""

import argparse
import base64
import pathlib
import sys
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

FOLDER = pathlib.Path(__file__).parents[2] / "Sources/GraftText/Unicode"
# Which tables stand in which file: none becomes too long to read.
FILES = {
    "Decompositions": ["canonical", "combiningClasses", "compositions"],
    "Compatibility": ["compatible"],
}
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value):
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def ranges(members):
    """Where membership changes, as distances: of the first member, of the first that is none, and so on."""
    out, inside, last = b"", False, 0
    for c in range(0x110001):
        if (c in members) != inside:
            inside = not inside
            out += varint(c - last)
            last = c
    return out


def mappings(table):
    """For each character: its distance from the last, how many it becomes, and each of those as a distance from it."""
    out, last = b"", 0
    for c, targets in sorted(table.items()):
        out += varint(c - last) + varint(len(targets))
        for target in targets:
            out += signed(target - c)
        last = c
    return out


def matched(pattern):
    replace = normalizers.Replace(Regex(pattern), "")
    return {c for c in SCALARS if replace.normalize_str(chr(c)) == ""}


def removed(normalizer, mapped=""):
    return {c for c in SCALARS if normalizer.normalize_str("a" + chr(c) + "b") == "a" + mapped + "b"}


def tables():
    clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    accents = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    hangul = range(0xAC00, 0xD7A4)  # Their decomposition is arithmetic.

    def decompositions(normalizer):
        return {
            c: [ord(x) for x in normalizer.normalize_str(chr(c))]
            for c in SCALARS
            if c not in hangul and normalizer.normalize_str(chr(c)) != chr(c)
        }

    canonical = decompositions(normalizers.NFD())
    compatible = {c: t for c, t in decompositions(normalizers.NFKD()).items() if canonical.get(c) != t}
    lower = normalizers.Lowercase()
    lowercase = {c: [ord(x) for x in lower.normalize_str(chr(c))] for c in SCALARS if lower.normalize_str(chr(c)) != chr(c)}

    nfd, nfc = normalizers.NFD(), normalizers.NFC()
    classes = {}
    for c in SCALARS:
        ccc = unicodedata.combining(chr(c))
        if ccc and c not in canonical:
            # Known to the package only where it sorts it.
            other = chr(c) + "\u0334" if ccc > 1 else "\u0300" + chr(c)
            if nfd.normalize_str(other) != other:
                classes[c] = [c + ccc]
    pairs = {}
    for c in SCALARS:
        parts = unicodedata.decomposition(chr(c)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            first, second = (int(x, 16) for x in parts)
            if nfc.normalize_str(chr(first) + chr(second)) == chr(c):
                pairs[c] = [first, second]

    def pieces(pre_tokenizer, count):
        return {c for c in SCALARS if len(pre_tokenizer.pre_tokenize_str("a" + chr(c) + "b")) == count}

    word = pre_tokenizers.Whitespace()
    return {
        "removedByBERT": ranges(removed(clean)),
        "spacesOfBERT": ranges(removed(clean, " ") - {0x20} | {0x20}),
        "punctuation": ranges(pieces(pre_tokenizers.BertPreTokenizer(), 3)),
        "whitespace": ranges(pieces(pre_tokenizers.WhitespaceSplit(), 2)),
        "nonspacingMarks": ranges({c for c in removed(accents) if c not in canonical}),
        "marks": ranges(removed(normalizers.StripAccents())),
        "letters": ranges(matched(r"\p{L}")),
        "numbers": ranges(matched(r"\p{N}")),
        "spaces": ranges(matched(r"\s")),
        "numerals": ranges(pieces(pre_tokenizers.Digits(individual_digits=True), 3)),
        "wordCharacters": ranges(pieces(word, 1)),
        "lowercase": mappings(lowercase),
        "canonical": mappings(canonical),
        "compatible": mappings(compatible),
        "combiningClasses": mappings(classes),
        "compositions": mappings(pairs),
    }


def swift(tables):
    lines = [
        "// Written by Tests/Text/unicode_tables.py from the tokenizers package; see there for what each table holds.",
        "",
        "extension UnicodeTables {",
    ]
    for name, data in tables.items():
        text = base64.b64encode(data).decode()
        lines.append(f'    static let {name}Data: StaticString = """')
        chunks = [text[i : i + 110] for i in range(0, len(text), 110)]
        lines += [f"        {chunk}\\" for chunk in chunks[:-1]] + [f"        {chunks[-1]}", '        """']
    return "\n".join(lines + ["}", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args()
    rest = tables()
    files = {name: {key: rest.pop(key) for key in keys} for name, keys in FILES.items()}
    files["Classes"] = rest
    for name, content in files.items():
        path = FOLDER / f"UnicodeTables+{name}.swift"
        text = swift(content)
        if not options.check:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif path.read_text() != text:
            sys.exit(f"{path} is not what this script writes: run it without --check")
        print(f"{path.name}: {len(text)} bytes")


main()
