"""The sample conference's picture, drawn by code: people in a circle, talking with each other."""

import math
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1200, 675  # pixels, 16:9, as the pages show it
MOST_BYTES = 25_000
_SHARPER = 2  # drawn larger and scaled down, for smooth edges

_PAPER = "#FBF8F3"
_FLOOR = "#F3E7D3"
_RUG = "#F2B84B"
_TEAL = "#0B5D56"
# Clothes and skin of each person, clockwise from the back.
_PEOPLE = (
    ("#0B5D56", "#C58F68"),
    ("#C96F4A", "#7A4B33"),
    ("#7FA99B", "#E2B48E"),
    ("#1F2A2E", "#A56B47"),
    ("#D9A441", "#5B3826"),
    ("#8C5A6B", "#E9C4A3"),
    ("#2F7F78", "#8A5A3C"),
    ("#B5523B", "#D6A27A"),
    ("#5E7F4F", "#6B432D"),
)
_HAIR = ("#B9A79A", "#2B2320", "#6B4A35", "#3A2A22", "#1F1A18", "#A5643A", "#4A3A33")


def draw() -> bytes:
    """The picture as WebP, WIDTH by HEIGHT, at most MOST_BYTES long, always the same."""
    image = Image.new("RGB", (WIDTH * _SHARPER, HEIGHT * _SHARPER), _PAPER)
    _room(image)
    pen = ImageDraw.Draw(image)
    for index in _back_to_front():
        _person(pen, index)
    small = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    for quality in (82, 74, 66, 58, 50):
        out = BytesIO()
        small.save(out, "WEBP", quality=quality, method=6)
        if out.tell() <= MOST_BYTES:
            break
    return out.getvalue()


def _room(image: Image.Image) -> None:
    """A warm wall with soft light, the floor, and a round rug where the voices meet."""
    width, height = image.size
    light = Image.new("RGB", image.size, _PAPER)
    pen = ImageDraw.Draw(light)
    pen.rectangle((0, height * 0.4, width, height), fill=_FLOOR)
    pen.ellipse(_box(width * 0.16, height * 0.1, height * 0.62), fill="#FBE6BC")
    pen.ellipse(_box(width * 0.86, height * 0.2, height * 0.5), fill="#DDEBE4")
    image.paste(light.filter(ImageFilter.GaussianBlur(width // 28)))
    pen = ImageDraw.Draw(image)
    middle = (width / 2, height * 0.66)
    for share, colour in ((1.0, "#EBC98B"), (0.93, "#F6DCA6"), (0.66, "#F9E7C3")):
        across, deep = width * 0.3 * share, height * 0.2 * share
        box = (middle[0] - across, middle[1] - deep, middle[0] + across, middle[1] + deep)
        pen.ellipse(box, fill=colour)
    _voices(pen, middle, width)


def _voices(pen: ImageDraw.ImageDraw, middle: tuple[float, float], width: float) -> None:
    """Rings on the rug that overlap, as voices do."""
    colours = (_TEAL, "#C96F4A", "#8C5A6B", _RUG, "#2F7F78")
    for index, colour in enumerate(colours):
        angle = 2 * math.pi * index / len(colours)
        x = middle[0] + width * 0.055 * math.cos(angle)
        y = middle[1] + width * 0.02 * math.sin(angle)
        across, deep = width * 0.075, width * 0.028
        pen.ellipse(
            (x - across, y - deep, x + across, y + deep), outline=colour, width=round(width / 300)
        )


def _seat(index: int) -> tuple[float, float]:
    """Where person `index` sits, in drawn pixels."""
    angle = 2 * math.pi * index / len(_PEOPLE) - math.pi / 2
    x = WIDTH * _SHARPER * (0.5 + 0.36 * math.cos(angle))
    y = HEIGHT * _SHARPER * (0.66 + 0.235 * math.sin(angle))
    return x, y


def _back_to_front() -> list[int]:
    return sorted(range(len(_PEOPLE)), key=lambda index: _seat(index)[1])


def _person(pen: ImageDraw.ImageDraw, index: int) -> None:
    """One person on a low seat, larger the nearer they are."""
    clothes, skin = _PEOPLE[index]
    x, y = _seat(index)
    nearness = (y / (HEIGHT * _SHARPER) - 0.425) / 0.47
    size = HEIGHT * _SHARPER * (0.105 + 0.075 * nearness)
    lean = (WIDTH * _SHARPER / 2 - x) / (WIDTH * _SHARPER) * size * 0.5
    pen.ellipse((x - size * 1.0, y - size * 0.16, x + size * 1.0, y + size * 0.2), fill="#E4D3B8")
    body = (x - size * 0.72, y - size * 1.5, x + size * 0.72, y + size * 0.5)
    pen.rounded_rectangle(
        (body[0], body[1], body[2], y + size * 0.08), radius=size * 0.62, fill=clothes
    )
    pen.rounded_rectangle(
        (x - size * 0.2 + lean * 0.6, y - size * 1.75, x + size * 0.2 + lean * 0.6, y - size * 1.3),
        radius=size * 0.18,
        fill=skin,
    )
    hair = _HAIR[index % len(_HAIR)]
    if nearness > 0.55:  # seen from behind
        pen.ellipse(_box(x + lean, y - size * 2.08, size * 0.94), fill=hair)
        return
    pen.ellipse(_box(x + lean * 0.8, y - size * 2.14, size * 0.98), fill=hair)
    pen.ellipse(_box(x + lean * 1.3, y - size * 1.98, size * 0.74), fill=skin)


def _box(x: float, y: float, across: float) -> tuple[float, float, float, float]:
    """The box of a circle round (x, y)."""
    half = across / 2
    return (x - half, y - half, x + half, y + half)
