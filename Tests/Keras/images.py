#!/usr/bin/env python3
"""Draws one tiny picture for each format and peculiarity, with the pixels that a reader must deliver.

Writes Fixtures/pictures/* and Fixtures/pictures.json of the images' tests. Expected pixels are, in this order of
preference: what was drawn (lossless formats), what TensorFlow decodes (JPEG), what Pillow decodes. Where TensorFlow reads
the file too, the script asserts that it delivers the same, but for what Graft does otherwise by intent (orientation,
palettes of BMP, colour profiles of CMYK).
"""

from __future__ import annotations

import base64
import io
import json
import struct
import sys
import tempfile
from pathlib import Path

import common

FIXTURES = common.ROOT / "Tests/GraftImagesTests/Fixtures"

HEIGHT, WIDTH = 10, 13


def drawing():
    """A smooth picture with different corners, so that no two of the eight orientations look alike."""
    import numpy as np

    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    red = 255 * x // (WIDTH - 1)
    green = 255 * y // (HEIGHT - 1)
    blue = 255 * (x + 2 * y) // (WIDTH + 2 * HEIGHT - 3)
    return np.stack([red, green, 255 - blue], -1).astype(np.uint8)


def grey_drawing():
    return drawing()[..., 0] // 2 + drawing()[..., 1] // 2


class Collection:
    """The files and their expected pixels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cases: list[dict] = []

    def add(self, name: str, data: bytes, expected, tolerance: int = 0, like_tensorflow: bool = True) -> None:
        import numpy as np

        expected = np.asarray(expected, np.uint8)
        if like_tensorflow:
            decoded = tensorflow_pixels(data)
            difference = np.abs(decoded.astype(int) - expected).max() if decoded.shape == expected.shape else 256
            assert difference <= tolerance, f"{name}: TensorFlow differs by {difference}, shape {decoded.shape}"
        (self.folder / name).write_bytes(data)
        self.cases.append(
            {
                "file": name,
                "height": expected.shape[0],
                "width": expected.shape[1],
                "tolerance": tolerance,
                "pixels": base64.b64encode(expected.tobytes()).decode(),
            }
        )


def tensorflow_pixels(data: bytes):
    import tensorflow as tf

    return tf.io.decode_image(data, channels=3, expand_animations=False).numpy()


def saved(image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def repeated(grey):
    import numpy as np

    return np.repeat(np.asarray(grey)[..., None], 3, -1)


# PNG


def png_chunk(kind: bytes, data: bytes) -> bytes:
    import zlib

    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png16(pixels, colour_type: int) -> bytes:
    """16 bits a channel, which Pillow cannot write for colours."""
    import zlib

    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows, 9))
        + png_chunk(b"IEND", b"")
    )


def add_png(collection: Collection) -> None:
    import numpy as np
    from PIL import Image

    colours, grey = drawing(), grey_drawing()
    alpha = 255 - colours[..., :1] // 2
    alpha[0, 0] = 0
    collection.add("rgb.png", saved(Image.fromarray(colours), "PNG"), colours)
    collection.add("rgb-interlaced.png", interlaced_png(), colours[:8, :8])
    collection.add("rgb-alpha.png", saved(Image.fromarray(np.concatenate([colours, alpha], -1)), "PNG"), colours)
    collection.add("grey.png", saved(Image.fromarray(grey), "PNG"), repeated(grey))
    grey_alpha = Image.fromarray(np.stack([grey, alpha[..., 0]], -1), "LA")
    collection.add("grey-alpha.png", saved(grey_alpha, "PNG"), repeated(grey))
    bits = Image.fromarray(grey).convert("1", dither=Image.Dither.NONE)
    collection.add("one-bit.png", saved(bits, "PNG"), repeated(np.asarray(bits).astype(np.uint8) * 255))
    palette = Image.fromarray(colours).quantize(16)
    collection.add("palette.png", saved(palette, "PNG"), np.asarray(palette.convert("RGB")))
    clear = saved(palette, "PNG", transparency=3)
    collection.add("palette-transparent.png", clear, np.asarray(palette.convert("RGB")))
    wide = colours.astype(np.uint16) * 256 + 200
    collection.add("rgb-16-bit.png", png16(wide, 2), colours)
    collection.add("grey-16-bit.png", png16(grey.astype(np.uint16)[..., None] * 256 + 77, 0), repeated(grey))


def interlaced_png() -> bytes:
    """Adam7 by hand: an 8 × 8 corner in seven passes."""
    import zlib

    pixels = drawing()[:8, :8]
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b"".join(
        b"\0" + pixels[y, left::dx].tobytes() for top, left, dy, dx in passes for y in range(top, 8, dy)
    )
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 1)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows, 9))
        + png_chunk(b"IEND", b"")
    )


# BMP


def bmp(width: int, height: int, bits: int, rows: bytes, compression: int = 0, extra: bytes = b"", colours: int = 0):
    """A bitmap with a 40-byte header; `extra` is its palette or masks."""
    offset = 54 + len(extra)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 2835, 2835, colours, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + header + extra + rows


def padded(rows) -> bytes:
    return b"".join(row + b"\0" * (-len(row) % 4) for row in rows)


def add_bmp(collection: Collection) -> None:
    import numpy as np
    from PIL import Image

    colours, grey = drawing(), grey_drawing()
    bgr = colours[..., ::-1]
    collection.add("rgb.bmp", saved(Image.fromarray(colours), "BMP"), colours)
    top_down = bmp(WIDTH, -HEIGHT, 24, padded(row.tobytes() for row in bgr))
    collection.add("top-down.bmp", top_down, colours)
    bgrx = np.concatenate([bgr, np.full((HEIGHT, WIDTH, 1), 9, np.uint8)], -1)
    collection.add("32-bit.bmp", bmp(WIDTH, HEIGHT, 32, bgrx[::-1].tobytes()), colours)

    palette = Image.fromarray(colours).quantize(16)
    indices, lookup = np.asarray(palette), np.array(palette.getpalette()[:48], np.uint8).reshape(-1, 3)
    table = b"".join(bytes([b, g, r, 0]) for r, g, b in lookup)
    expected = lookup[indices]
    collection.add("palette.bmp", saved(palette, "BMP"), expected, like_tensorflow=False)
    nibbles = np.pad(indices, ((0, 0), (0, WIDTH % 2)))[::-1]
    packed = padded(bytes(row[0::2] << 4 | row[1::2]) for row in nibbles)
    collection.add("4-bit.bmp", bmp(WIDTH, HEIGHT, 4, packed, 0, table, 16), expected, like_tensorflow=False)
    runs = run_lengths(indices[::-1])
    collection.add("run-length-8.bmp", bmp(WIDTH, HEIGHT, 8, runs, 1, table, 16), expected, like_tensorflow=False)
    runs = b"".join(
        bytes([WIDTH if len(set(row)) == 1 else 0, *rle4_row(row)]) for row in indices[::-1]
    ) + b"\0\1"
    collection.add("run-length-4.bmp", bmp(WIDTH, HEIGHT, 4, runs, 2, table, 16), expected, like_tensorflow=False)

    bits = Image.fromarray(grey).convert("1", dither=Image.Dither.NONE)
    black_white = repeated(np.asarray(bits).astype(np.uint8) * 255)
    collection.add("1-bit.bmp", saved(bits, "BMP"), black_white, like_tensorflow=False)

    five = colours.astype(int) >> 3
    words = (five[..., 0] << 10 | five[..., 1] << 5 | five[..., 2]).astype("<u2")[::-1]
    scaled = (five * 255 + 15) // 31
    rows = padded(row.tobytes() for row in words)
    collection.add("16-bit.bmp", bmp(WIDTH, HEIGHT, 16, rows), scaled, like_tensorflow=False)
    red, green, blue = five[..., 0], colours[..., 1].astype(int) >> 2, five[..., 2]
    words = (red << 11 | green << 5 | blue).astype("<u2")[::-1]
    scaled = np.stack([(red * 255 + 15) // 31, (green * 255 + 31) // 63, (blue * 255 + 15) // 31], -1)
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    rows = padded(row.tobytes() for row in words)
    collection.add("16-bit-masks.bmp", bmp(WIDTH, HEIGHT, 16, rows, 3, masks), scaled, like_tensorflow=False)

    core = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24)
    rows = padded(row.tobytes() for row in bgr[::-1])
    old = b"BM" + struct.pack("<IHHI", 26 + len(rows), 0, 0, 26) + core + rows
    collection.add("core-header.bmp", old, colours, like_tensorflow=False)


def run_lengths(rows) -> bytes:
    """8-bit run lengths: runs for even rows, stored stretches for odd ones, a jump over the last row's first pixels."""
    out = b""
    for number, row in enumerate(rows):
        row = [int(value) for value in row]
        if number % 2:
            out += bytes([0, len(row), *row]) + b"\0" * (len(row) % 2)
        else:
            start = 0
            while start < len(row):
                end = start
                while end < len(row) and row[end] == row[start]:
                    end += 1
                out += bytes([end - start, row[start]])
                start = end
        out += b"\0\0"
    return out + b"\0\1"


def rle4_row(row) -> list[int]:
    """The rest of a stored stretch (or of one run) in 4-bit run lengths, with the end of the row."""
    values = [int(value) for value in row]
    if len(set(values)) == 1:
        return [values[0] << 4 | values[0], 0, 0]
    pairs = values + [0] * (len(values) % 2)
    packed = [a << 4 | b for a, b in zip(pairs[0::2], pairs[1::2])]
    return [len(values), *packed, *([0] * (len(packed) % 2)), 0, 0]


# GIF, WebP, TIFF


def add_others(collection: Collection) -> None:
    import numpy as np
    from PIL import Image

    colours, grey = drawing(), grey_drawing()
    first = Image.fromarray(colours).quantize(32)
    pixels = np.asarray(first.convert("RGB"))
    collection.add("still.gif", saved(first, "GIF"), pixels)
    second = Image.fromarray(255 - colours).quantize(32)
    animation = saved(first, "GIF", save_all=True, append_images=[second], duration=100, loop=0)
    collection.add("animation.gif", animation, pixels)

    image = Image.fromarray(colours)
    collection.add("lossless.webp", saved(image, "WEBP", lossless=True), colours, like_tensorflow=False)
    lossy = saved(image, "WEBP", quality=80)
    decoded = np.asarray(Image.open(io.BytesIO(lossy)).convert("RGB"))
    collection.add("lossy.webp", lossy, decoded, tolerance=2, like_tensorflow=False)
    alpha = np.full((HEIGHT, WIDTH, 1), 128, np.uint8)
    clear = saved(Image.fromarray(np.concatenate([colours, alpha], -1)), "WEBP", lossless=True, exact=True)
    collection.add("alpha.webp", clear, colours, like_tensorflow=False)

    # Turned a quarter: Pillow has the block begin after "Exif\0\0" in PNG and WebP, as their specifications do.
    turned = {"PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}}
    for kind, options in turned.items():
        marks = Image.Exif()
        marks[0x0112] = 6
        data = saved(image, kind, exif=marks, **options)
        collection.add(f"orientation-6.{kind.lower()}", data, np.rot90(colours, -1), like_tensorflow=False)

    collection.add("rgb.tiff", saved(image, "TIFF"), colours, like_tensorflow=False)
    collection.add("grey.tiff", saved(Image.fromarray(grey), "TIFF"), repeated(grey), like_tensorflow=False)


# JPEG


def exif(orientation: int, big_endian: bool) -> bytes:
    """The smallest EXIF block with an orientation."""
    order = ">" if big_endian else "<"
    head = b"MM" if big_endian else b"II"
    return b"Exif\0\0" + head + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def add_jpeg(collection: Collection) -> None:
    import numpy as np
    from PIL import Image, ImageOps

    image = Image.fromarray(drawing())
    variants = {
        "420.jpg": saved(image, "JPEG", quality=90, subsampling="4:2:0"),
        "422.jpg": saved(image, "JPEG", quality=90, subsampling="4:2:2"),
        "444.jpg": saved(image, "JPEG", quality=90, subsampling="4:4:4"),
        "progressive.jpg": saved(image, "JPEG", quality=75, progressive=True),
        "grey.jpg": saved(Image.fromarray(grey_drawing()), "JPEG", quality=90),
        "rgb-encoded.jpg": saved(image, "JPEG", quality=90, keep_rgb=True),
        "restarts.jpg": saved(image, "JPEG", quality=90, restart_marker_blocks=1),
    }
    for name, data in variants.items():
        collection.add(name, data, tensorflow_pixels(data))

    plain = saved(image, "JPEG", quality=90, subsampling="4:4:4")
    upright = Image.fromarray(tensorflow_pixels(plain))
    for orientation in range(1, 9):
        data = saved(image, "JPEG", quality=90, subsampling="4:4:4", exif=exif(orientation, orientation % 2 == 0))
        turned = upright.copy()
        turned.getexif()[0x0112] = orientation
        expected = np.asarray(ImageOps.exif_transpose(turned))
        collection.add(f"orientation-{orientation}.jpg", data, expected, like_tensorflow=orientation == 1)

    cmyk = Image.fromarray(np.concatenate([255 - drawing(), grey_drawing()[..., None] // 3], -1), "CMYK")
    data = saved(cmyk, "JPEG", quality=95)
    collection.add("cmyk.jpg", data, tensorflow_pixels(data))
    profile = cmyk_profile()
    data = saved(cmyk, "JPEG", quality=95, icc_profile=profile)
    collection.add("cmyk-profile.jpg", data, through_profile(data, profile), tolerance=3, like_tensorflow=False)


def cmyk_profile() -> bytes:
    """A colour profile (ICC.1:2001) small enough to commit: a table of 2⁴ corners from CMYK to Lab.

    The corners are not those of naive inks, so that a reader that ignores the profile gives other colours.
    """
    def corner(c: int, m: int, y: int, k: int) -> bytes:
        lightness = 255 * (1 - 0.25 * c) * (1 - 0.35 * m) * (1 - 0.1 * y) * (1 - 0.9 * k)
        a = 128 + (70 * m - 45 * c) * (1 - k)
        b = 128 + (80 * y - 45 * c - 10 * m) * (1 - k)
        return bytes(max(0, min(255, round(value))) for value in (lightness, a, b))

    corners = [corner(i >> 3 & 1, i >> 2 & 1, i >> 1 & 1, i & 1) for i in range(16)]
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    curve = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + curve * 4 + b"".join(corners) + curve * 3
    text = b"Graft test inks"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + b"\0" * 78
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    licence = b"text\0\0\0\0Public domain\0"
    tags, body = [], b""
    first = 128 + 4 + 4 * 12
    for name, data in ((b"desc", description), (b"wtpt", white), (b"cprt", licence), (b"A2B0", table)):
        tags.append(name + struct.pack(">II", first + len(body), len(data)))
        body += data + b"\0" * (-len(data) % 4)
    size = first + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    header += b"\0" * (128 - len(header))
    return header + struct.pack(">I", len(tags)) + b"".join(tags) + body


def through_profile(data: bytes, profile: bytes):
    import numpy as np
    from PIL import Image, ImageCms

    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    image = Image.open(io.BytesIO(data))
    # The profile's one table, without the black point compensation that the perceptual intent brings in Pillow.
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    return np.asarray(ImageCms.profileToProfile(image, source, target, renderingIntent=intent, outputMode="RGB"))


def draw(folder: Path) -> list[dict]:
    """Writes the pictures; the expected pixels of each."""
    folder.mkdir(parents=True, exist_ok=True)
    collection = Collection(folder)
    for add in (add_png, add_bmp, add_others, add_jpeg):
        add(collection)
    return collection.cases


def check(folder: Path) -> int:
    """Draws all again elsewhere and compares with what is committed."""
    checks = common.Checks()
    committed = json.loads((FIXTURES / "pictures.json").read_text())["cases"]
    drawn = draw(folder)
    names = [case["file"] for case in drawn]
    checks.claim("the same pictures", names == [case["file"] for case in committed], f"{len(drawn)}")
    for case, expected in zip(drawn, committed):
        name = case["file"]
        same = (folder / name).read_bytes() == (FIXTURES / "pictures" / name).read_bytes()
        checks.claim(f"{name}: file and expected pixels", same and case == expected)
    return checks.finish()


def main() -> int:
    arguments = common.parser(__doc__, check=True).parse_args()
    if arguments.check:
        with tempfile.TemporaryDirectory() as folder:
            return check(Path(folder))
    cases = draw(FIXTURES / "pictures")
    common.write_json(FIXTURES / "pictures.json", {"versions": common.pinned_versions(), "cases": cases})
    return 0


if __name__ == "__main__":
    sys.exit(main())
