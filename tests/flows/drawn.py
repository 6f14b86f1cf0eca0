"""Pictures of things that everybody knows, drawn here."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

LINES = ("The quick brown fox jumps over", "13 lazy dogs in London.")


def clock(path: Path, hour: int = 1) -> Path:
    """Draw a clock with a white face."""
    image = Image.new("RGB", (400, 400), (200, 190, 170))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=34)
    draw.ellipse((40, 40, 360, 360), fill="white", outline=(60, 40, 20), width=18)
    for number in range(1, 13):
        draw.text(_around(number, 120), str(number), fill="black", font=font, anchor="mm")
    draw.line((200, 200, *_around(hour, 70)), fill="black", width=10)
    draw.line((200, 200, 200, 90), fill="black", width=6)
    image.save(path)
    return path


def traffic_light(path: Path) -> Path:
    """Draw a traffic light that is red."""
    image = Image.new("RGB", (400, 400), (120, 170, 220))
    draw = ImageDraw.Draw(image)
    draw.rectangle((140, 30, 260, 370), fill=(30, 30, 30))
    for middle, colour in ((85, "red"), (200, (90, 80, 20)), (315, (10, 80, 20))):
        draw.ellipse((155, middle - 45, 245, middle + 45), fill=colour)
    image.save(path, **({"quality": 95} if path.suffix == ".jpg" else {}))
    return path


def text(path: Path) -> Path:
    """Write two lines, black on white."""
    image = Image.new("RGB", (900, 260), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=40)
    for row, line in enumerate(LINES):
        draw.text((40, 40 + 100 * row), line, fill="black", font=font)
    image.save(path)
    return path


def _around(number: int, radius: int) -> tuple[float, float]:
    angle = math.radians(number * 30 - 90)
    return 200 + radius * math.cos(angle), 200 + radius * math.sin(angle)
