"""Somebody gets an organiser to upload what is no picture, or hides something in one.

A picture is re-encoded from its pixels, so nothing else of it stays; what is no picture of four
kinds, or too large to open safely, is refused before much memory is taken. A PDF is handed out as
it is, but as a PDF alone, with a policy under which nothing in it runs.
"""

import re
import resource
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings

from conference.models import Conference
from signup.models import Edition
from tests.factories import make_conference, make_gate, make_user
from tests.html import fields

pytestmark = pytest.mark.django_db

MARK = b"markofthebeast"
SCRIPT = b"<script>" + MARK + b"</script>"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def pages(settings: Settings, tmp_path: Path) -> Client:
    """An organiser at the settings."""
    settings.MEDIA_ROOT = tmp_path
    client = Client()
    client.force_login(make_user("organiser", may_configure=True))
    return client


# -- pictures -------------------------------------------------------------------------------------


def picture(kind: str = "PNG", mode: str = "RGB", **more: Any) -> bytes:
    out = BytesIO()
    Image.new("RGB", (40, 20), "red").convert(mode).save(out, kind, **more)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def bomb(side: int) -> bytes:
    """A PNG of one colour, `side` pixels wide and high, in a few kilobytes."""
    squeeze = zlib.compressobj()
    row = bytes(side // 8 + 1)
    data = b"".join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def with_gps() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = MARK.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (53.0, 47.0, 59.0)})
    return picture("JPEG", exif=exif, comment=MARK, icc_profile=MARK * 100)


def with_broken_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture("WEBP", exif=exif).replace(b"MM\0*", b"MM\0\xbb").replace(b"II*\0", b"II\xbb\0")


NO_PICTURES = {
    "x.png": b"",
    "x.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\nshowpage\n",
    "x.svg": b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>",
    "x.html": b"<!doctype html>" + SCRIPT,
    "x.php": b"<?php system($_GET[0]);",
    "x.pdf": b"%PDF-1.4\n" + SCRIPT,
    "x.bmp": picture("BMP"),
    "x.tiff": picture("TIFF"),
    "x.ico": picture("ICO"),
    "cut.png": picture()[:-40],
    "cut.jpg": picture("JPEG")[:300],
    "bomb.png": bomb(12_000),
    "text bomb.png": picture()[:33]
    + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000)))
    + picture()[33:],
    "gif called.html": picture("GIF"),
    "\u202egnp.exe": picture(),
    "x" * 300 + ".png": picture(),
    "broken.webp": with_broken_exif(),
    "wide.gif": b"GIF89a" + b"\xff" * 4 + picture("GIF")[10:],
}
PICTURES = {
    "photograph.jpg": with_gps(),
    "script behind.gif": picture("GIF") + SCRIPT,
    "script in a comment.gif": picture("GIF", comment=SCRIPT),
    "page behind.png": picture() + b"<!doctype html>" + SCRIPT,
    "archive behind.jpg": picture("JPEG") + b"PK\x03\x04" + MARK,
    "text inside.png": picture()[:33] + chunk(b"tEXt", b"Comment\0" + SCRIPT) + picture()[33:],
    "profile.png": picture(icc_profile=MARK * 100),
    "print.jpg": picture("JPEG", "CMYK"),
    "sixteen bits.png": picture("PNG", "I;16"),
    "see-through.png": picture("PNG", "RGBA"),
    "moving.gif": picture(
        "GIF", save_all=True, append_images=[Image.new("RGB", (40, 20), "blue")] * 50
    ),
    "moving.webp": picture(
        "WEBP", save_all=True, append_images=[Image.new("RGB", (40, 20), "blue")] * 50
    ),
    "../../../../tmp/evil.png": picture(),
    "..\\evil.png": picture(),
    "evil.php%00.png": picture(),
    'a"; filename="evil.html.png': picture(),
}


def uploaded(pages: Client, conference: Conference, name: str, content: bytes) -> HttpResponse:
    """The settings' form sent with this as the conference's picture."""
    address = f"/admin/conference/conference/{conference.pk}/change/"
    sent = fields(pages.get(address), "conference_form")
    file = SimpleUploadedFile("x", content, "image/png")
    file._name = name  # as a program sends it: a browser would leave the folders out
    return pages.post(address, sent | {"picture": file})


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_picture_is_refused_at_little_cost(pages: Client) -> None:
    conference = make_conference()
    make_gate(conference)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, content in NO_PICTURES.items():
        answer = uploaded(pages, conference, name, content)
        assert answer.status_code == 200, name
        assert list(answer.context["adminform"].form.errors) == ["picture"], name
    # In kilobytes. Opened, the first bomb alone would fill half a gigabyte.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most < 100_000
    conference.refresh_from_db()
    assert not conference.picture


def test_picture_keeps_its_pixels_alone(pages: Client, tmp_path: Path) -> None:
    conference = make_conference()
    make_gate(conference)
    for name, content in PICTURES.items():
        answer = uploaded(pages, conference, name, content)
        assert answer.status_code == 302, name
        conference.refresh_from_db()
        assert re.fullmatch(r"pictures/[0-9a-f]{32}\.webp", conference.picture.name), name
        served = Client().get(f"/media/{conference.picture.name}")
        stored = served.getvalue()
        assert MARK not in stored, name
        with Image.open(BytesIO(stored), formats=["WEBP"]) as image:
            assert (image.size, getattr(image, "n_frames", 1)) == ((40, 20), 1), name
            assert not image.info.keys() & {"exif", "icc_profile", "xmp", "comment"}, name
            assert len(stored) < 2000, name
        assert (served["Content-Type"], served["X-Content-Type-Options"]) == (
            "image/webp",
            "nosniff",
        )
        assert served["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    # Nothing was written but by names of our own.
    assert {path.parent for path in tmp_path.rglob("*.*")} == {tmp_path / "pictures"}


# -- the Bulletin's PDF ---------------------------------------------------------------------------

JAVASCRIPT = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>"
    b"/AA<</WC<</S/Launch/F(calc.exe)>>>>>>endobj\ntrailer<</Root 1 0 R>>\n"
)


def edition(
    pages: Client, name: str, content: bytes, kind: str = "application/pdf"
) -> HttpResponse:
    sent = {"number": 1, "title": "One", "published_on": "2026-01-01", "body": "Hello"}
    file = SimpleUploadedFile(name, content, kind or "application/pdf")
    return pages.post("/admin/signup/edition/add/", sent | {"pdf": file})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.pdf", b""),
        ("x.pdf", b"<!doctype html>" + SCRIPT),
        ("x.pdf", SCRIPT + b"%PDF-1.4"),
        ("x.pdf", b" %PDF-1.4"),
        ("x.html", b"%PDF-1.4"),
        ("x.pdf.html", b"%PDF-1.4"),
        ("x.svg", b"%PDF-1.4"),
        ("pdf", b"%PDF-1.4"),
    ],
)
def test_what_is_no_pdf_is_refused(pages: Client, name: str, content: bytes) -> None:
    answer = edition(pages, name, content)
    assert list(answer.context["adminform"].form.errors) == ["pdf"]
    assert not Edition.objects.exists()


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.4<!doctype html>" + SCRIPT, JAVASCRIPT, b"%PDF-1.4\n" + bytes(20_000_000)],
    ids=["page inside", "script inside", "20 MB"],
)
def test_pdf_is_handed_out_as_a_pdf_and_nothing_else(pages: Client, content: bytes) -> None:
    """What a PDF does in a reader's program we cannot know; in a browser it can do nothing here."""
    assert edition(pages, "../evil.html\0.pdf", content, "text/html").status_code == 302
    stored = Edition.objects.get().pdf.name
    assert re.fullmatch(r"bulletin/[0-9a-f]{32}\.pdf", stored)
    served = Client().get(f"/media/{stored}")
    assert {name: served[name] for name in HEADERS_OF_MEDIA} == HEADERS_OF_MEDIA
    assert served.getvalue() == content


HEADERS_OF_MEDIA = {
    "Content-Type": "application/pdf",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


# -- addresses of files ---------------------------------------------------------------------------


def test_media_hands_out_nothing_that_no_page_shows(pages: Client, settings: Settings) -> None:
    edition(pages, "x.pdf", b"%PDF-1.4")
    hidden = Edition.objects.create(number=2, title="Later", published_on="2999-01-01")
    hidden.pdf.save("later.pdf", SimpleUploadedFile("later.pdf", b"%PDF-1.4"))
    shown = Edition.objects.get(number=1).pdf.name
    (Path(settings.MEDIA_ROOT) / "left.txt").write_text("left lying")
    for path in (
        hidden.pdf.name,
        "left.txt",
        "../db.sqlite3",
        "%2e%2e/db.sqlite3",
        "..%2fdb.sqlite3",
        "/etc/passwd",
        "//etc/passwd",
        "bulletin/",
        f"bulletin/../{shown}",
        f"{shown}/",
        f"{shown}%00",
        shown.upper(),
        "%",
        "x" * 5000,
    ):
        assert Client().get(f"/media/{path}").status_code == 404, path
    assert Client().get(f"/media/{shown}").status_code == 200
