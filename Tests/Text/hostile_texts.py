"""Texts that are hard on tokenizers, the same each time: many scripts, emoji, controls, broken UTF-8, look-alikes."""

import random
import unicodedata

SENTENCES = [
    "I am still waiting on my card?", "The quick brown fox jumps over the lazy dog.", "It's what we've said: they'll go, I'd stay.",
    "Größe, naïve façade, Ångström, İstanbul, ﬁne ligature, ǅ", "Привет, как дела?", "Καλημέρα κόσμε, ΟΔΥΣΣΕΥΣ", "مرحبا بالعالم ١٢٣",
    "שָׁלוֹם עולם", "नमस्ते दुनिया १२३", "สวัสดีชาวโลก", "안녕하세요 세계", "こんにちは世界。カタカナ", "你好，世界！", "𠀀𪚥 rare 豈",
    "Tiếng Việt đẹp lắm", "ᏣᎳᎩ ꮳꮃꭹ", "👩‍👩‍👧‍👦 👍🏽 🇺🇳 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ☺️", "price: $12,345.67 (−5%) №5 ½ ² Ⅷ ①", "https://example.org/a?b=c&d=%20#e",
    "def f(x):\n\treturn x**2  # square\r\n", "don't can't it's I'M they'RE ''s 's't", "…—–‘quoted’ “quoted” «quoted»",
]
SPECIALS = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "[mask]", "<|endoftext|>", "<s>", "</s>", "<mask>", "<extra>", "##ing", "▁", "Ġ", "<0x41>"]
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2028", "\u0085", "\u001c", "\ufeff", "\u180e"]
BLOCKS = [
    (0x00, 0x20), (0x20, 0x7F), (0x7F, 0xA1), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x780), (0x900, 0xE00),
    (0xE00, 0x1000), (0x1100, 0x1200), (0x1AB0, 0x1B00), (0x1D00, 0x2000), (0x2000, 0x2070), (0x2070, 0x2C00), (0x3000, 0x3400),
    (0x3400, 0xA000), (0xA640, 0xAC00), (0xAC00, 0xD7B0), (0xE000, 0xE100), (0xF900, 0xFB50), (0xFB50, 0x10000),
    (0x10000, 0x11000), (0x11000, 0x12000), (0x16000, 0x17000), (0x1D100, 0x1D800), (0x1E000, 0x1F000), (0x1F000, 0x1FB00),
    (0x20000, 0x30000), (0x2F800, 0x2FA20), (0xE0000, 0xE0200), (0x0, 0x110000),
]


def scalar(rng):
    low, high = rng.choice(BLOCKS)
    while True:
        value = rng.randrange(low, high)
        if not 0xD800 <= value < 0xE000:
            return chr(value)


def piece(rng):
    kind = rng.randrange(12)
    if kind <= 2:
        return rng.choice(SENTENCES)
    if kind == 3:
        return "".join(scalar(rng) for _ in range(rng.randrange(1, 12)))
    if kind == 4:  # One block: words of one script.
        low, high = rng.choice(BLOCKS[:-1])
        return "".join(chr(v) for v in (rng.randrange(low, high) for _ in range(rng.randrange(1, 20))) if not 0xD800 <= v < 0xE000)
    if kind == 5:
        return rng.choice(SPACES) * rng.randrange(1, 4)
    if kind == 6:
        return rng.choice(SPACES[:4] + [""]) + rng.choice(SPECIALS) + rng.choice(SPACES[:4] + [""])
    if kind == 7:  # Random bytes, and text cut in the middle of a character.
        data = rng.choice(SENTENCES).encode()
        cut = rng.randrange(len(data))
        data = data[:cut] + bytes(rng.randrange(256) for _ in range(rng.randrange(4))) + data[cut + rng.randrange(3) :]
        return data.decode("utf-8", "replace")
    if kind == 8:  # Equal under normalization, unequal in characters.
        return unicodedata.normalize(rng.choice(["NFC", "NFD", "NFKC", "NFKD"]), rng.choice(SENTENCES))
    if kind == 9:  # Marks in any order.
        return rng.choice("aeioucnAEIOU ") + "".join(chr(rng.randrange(0x300, 0x370)) for _ in range(rng.randrange(1, 5)))
    if kind == 10:
        return rng.choice(["a", "é", "字", "ab", "x1", "🙂"]) * rng.randrange(1, 130)
    words = rng.choice(SENTENCES).split()
    rng.shuffle(words)
    text = " ".join(words)
    return rng.choice([text.upper(), text.lower(), text.title(), text.swapcase()])


def texts(count, seed=0):
    """`count` texts; the first are what breaks programs: nothing, one space, one of each special token."""
    rng = random.Random(seed)
    fixed = ["", " ", "\n", "\x00", "\ufffd", "a" * 100, "a" * 101, "e\u0301" * 60, *SENTENCES, *SPECIALS, *SPACES]
    out = fixed[:count]
    while len(out) < count:
        out.append("".join(piece(rng) + rng.choice(["", " "]) for _ in range(rng.randrange(1, 6))))
    return out
