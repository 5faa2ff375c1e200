"""The sample picture is the size that the pages show, small, and always the same."""

from io import BytesIO

from PIL import Image

from conference import sample_picture


def test_draw_gives_a_small_picture_of_the_size_shown() -> None:
    drawn = sample_picture.draw()
    picture = Image.open(BytesIO(drawn))
    assert (picture.format, picture.size) == ("WEBP", (1200, 675))
    assert len(drawn) <= sample_picture.MOST_BYTES


def test_draw_gives_the_same_picture_each_time() -> None:
    assert sample_picture.draw() == sample_picture.draw()
