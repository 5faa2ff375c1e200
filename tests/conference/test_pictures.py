"""Uploaded pictures: re-encoded, or refused."""

import struct
import zlib
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from conference.pictures import NotAPicture, cleaned, new_name


def a_picture(size: tuple[int, int] = (40, 20), kind: str = "JPEG", **more: object) -> ContentFile:
    """A picture whose left half is red and whose right half is blue."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    out = BytesIO()
    image.save(out, kind, **more)
    return ContentFile(out.getvalue(), name="Holiday with Maya.jpg")


def opened(file: ContentFile) -> Image.Image:
    return Image.open(BytesIO(file.read()))


def test_picture_is_drawn_anew_as_webp() -> None:
    image = opened(cleaned(a_picture()))
    assert (image.format, image.size) == ("WEBP", (40, 20))
    red, _, blue = image.convert("RGB").getpixel((5, 10))
    assert (red > 200, blue < 80) == (True, True)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_other_kinds_are_read(kind: str) -> None:
    assert opened(cleaned(a_picture(kind=kind))).size == (40, 20)


@pytest.mark.parametrize("kind", ["EPS", "BMP", "TIFF", "PDF", "PPM"])
def test_kinds_that_people_do_not_upload_are_refused(kind: str) -> None:
    with pytest.raises(NotAPicture):
        cleaned(a_picture(kind=kind))


def test_wide_picture_is_made_smaller() -> None:
    assert opened(cleaned(a_picture((2400, 1200)))).size == (1200, 600)


def test_picture_is_turned_upright_and_tells_nothing_else() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "at Maya's home"
    image = opened(cleaned(a_picture(exif=exif)))
    assert (image.size, dict(image.getexif())) == ((20, 40), {})


def test_picture_with_a_broken_note_inside_is_refused() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = a_picture(kind="WEBP", exif=exif).read()
    with pytest.raises(NotAPicture):  # Pillow raises SyntaxError
        cleaned(
            ContentFile(
                whole.replace(b"MM\0*", b"MM\0\xbb").replace(b"II*\0", b"II\xbb\0"), name="x.webp"
            )
        )


def test_name_of_the_file_is_not_kept() -> None:
    name = new_name(None, "Holiday with Maya.jpg")
    assert (name[:9], name[-5:], len(name)) == ("pictures/", ".webp", 46)


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def _bomb(side: int) -> bytes:
    """A PNG of a few bytes that claims to be very large."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7",
        b"GIF89a",
        _bomb(7_000),
        _bomb(30_000),
        _bomb(100),
    ],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        cleaned(ContentFile(content, name="x.png"))


def test_picture_cut_short_is_refused_in_whatever_process() -> None:
    # It changes how Pillow reads pictures, for the whole process.
    import weasyprint  # noqa: F401, PLC0415 (imported for that effect)

    whole = a_picture((400, 400)).read()
    with pytest.raises(NotAPicture):
        cleaned(ContentFile(whole[: len(whole) // 2], name="x.jpg"))
