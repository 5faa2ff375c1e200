"""Uploaded pictures, re-encoded so that no metadata is kept."""

import uuid
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile, File
from PIL import Image, ImageFile, ImageOps

WIDEST = 1200  # pixels; pages show at most 600, on screens of double density
MOST_PIXELS = 40_000_000
# What cameras and programs give people. Others would be handed to programs such as Ghostscript.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class NotAPicture(ValueError):
    """The file is not a picture that Pillow can read, or is too large."""


def new_name(_instance: Any, _filename: str) -> str:
    """A random name for the stored file; the uploader's name for it is not kept."""
    return f"pictures/{uuid.uuid4().hex}.webp"


def cleaned(file: File) -> ContentFile:
    """The same picture as WebP, upright, at most WIDEST pixels wide and without metadata.

    Raises NotAPicture for anything but FORMATS, and for what is too large to open safely.
    """
    # WeasyPrint allows truncated pictures for the whole process.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise NotAPicture(f"{image.width} x {image.height} pixels")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:
        # Whatever a broken file does to its reader: SyntaxError, struct.error, MemoryError, …
        raise NotAPicture(str(error)) from error
    if upright.width > WIDEST:
        upright = upright.resize((WIDEST, round(upright.height * WIDEST / upright.width)))
    out = BytesIO()
    upright.save(out, "WEBP", quality=72, method=6)
    return ContentFile(out.getvalue(), name="picture.webp")
