"""The sample picture is the size that the pages show, small, and always the same."""

from io import BytesIO

from PIL import Image

from conference.sample import picture


def test_draw_gives_a_small_picture_of_the_size_shown() -> None:
    drawn = picture.draw()
    shown = Image.open(BytesIO(drawn))
    assert (shown.format, shown.size) == ("WEBP", (1200, 675))
    assert len(drawn) <= picture.MOST_BYTES


def test_draw_gives_the_same_picture_each_time() -> None:
    assert picture.draw() == picture.draw()
