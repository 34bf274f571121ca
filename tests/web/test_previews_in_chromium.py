"""What the cutting room shows of edits on the picture, compared with clips that have them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from tests.support.browser import without_complaints
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE, eventually
from tests.web.test_pages_in_chromium import Installation, installed

pytestmark = pytest.mark.slow

KEY = "north-point.2026-06-21T05-30-00Z.mp4"
COLOUR = {"brightness": -12, "contrast": 20, "saturation": -60, "temperature": 80}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Installation]:
    cache = Path(pytestconfig.cache.mkdir("media"))
    with installed(tmp_path_factory.mktemp("previews"), {KEY: MediaSpec(frames=150, gop=30)}, cache) as made:
        made.open(f"/cut?recording={KEY}&in=1.0&out=2.0&at=1.0")
        made.shown()
        made.page.wait_for_selector("[aria-label='Add an edit']:not([disabled])")
        yield made


@pytest.fixture
def pages(installation: Installation) -> Iterator[Installation]:
    """The cutting room; the test fails if the page complains."""
    with without_complaints(installation.page.context) as installation.complaints:
        yield installation


def _middle(picture: Image.Image) -> np.ndarray:
    """The mean colour of the middle of a picture."""
    width, height = picture.size
    part = picture.convert("RGB").crop((width // 4, height // 4, width * 3 // 4, height * 3 // 4))
    mean: np.ndarray = np.asarray(part, float).mean(axis=(0, 1))
    return mean


def _seen(pages: Installation) -> np.ndarray:
    """The mean colour of the middle of the picture in the player."""
    box = pages.page.locator(".frame canvas").bounding_box()
    size = pages.page.evaluate("(({width, height}) => [width, height])(document.querySelector('.frame canvas'))")
    scale = min(box["width"] / size[0], box["height"] / size[1])
    width, height = size[0] * scale, size[1] * scale
    left, top = box["x"] + (box["width"] - width) / 2, box["y"] + (box["height"] - height) / 2
    shot = pages.page.screenshot(clip={"x": left, "y": top, "width": width, "height": height})
    return _middle(Image.open(io.BytesIO(shot)))


def test_colours_are_those_that_the_clip_gets(pages: Installation) -> None:
    page = pages.page
    plain = _seen(pages)
    page.select_option("[aria-label='Add an edit']", "colour")
    for name, value in COLOUR.items():
        page.fill(f"[aria-label={name.capitalize()}]", str(value))
        page.press(f"[aria-label={name.capitalize()}]", "Enter")
    body = {
        "source": {"recording": KEY, "start": {"frame": 30}, "end": {"frame": 60}},
        "edits": [{"edit": "colour", **COLOUR}],
        "output": {"format": "png", "at": 0},
        "id": "graded",
    }
    httpx.post(f"{pages.api.url}/v1/clips", json=body, timeout=PATIENCE).raise_for_status()

    def made() -> dict[str, str] | None:
        clip = httpx.get(f"{pages.api.url}/v1/clips/graded", timeout=PATIENCE).json()
        assert clip["state"] != "failed", clip
        media: dict[str, str] | None = clip.get("media") if clip["state"] == "ready" else None
        return media

    eventually(made, "the clip")
    media = made()
    assert media is not None
    clip = _middle(Image.open(io.BytesIO(httpx.get(media["clip"]).content)))
    assert np.abs(plain - clip).max() > 15, "the edit can be seen"
    assert np.abs(_seen(pages) - clip).max() < 6
    pages.press("Control+z", "Control+z", "Control+z", "Control+z", "Control+z")
    eventually(lambda: np.abs(_seen(pages) - plain).max() < 2, "the colours as they were")


def test_a_blurred_part_is_shown_and_dragged_on_the_picture(pages: Installation) -> None:
    page = pages.page
    page.select_option("[aria-label='Add an edit']", "blur")
    part = page.locator(".blurbox")
    before = part.bounding_box()
    assert "blur(" in part.evaluate("each => getComputedStyle(each).backdropFilter")
    page.mouse.move(before["x"] + 10, before["y"] + 10)
    page.mouse.down()
    page.mouse.move(before["x"] - 2000, before["y"] + 10, steps=2)
    page.mouse.up()
    card = page.locator(".card[data-kind=blur]")
    card.locator("summary").click()
    assert card.get_by_label("X", exact=True).input_value() == "0%"
    assert part.bounding_box()["y"] == pytest.approx(before["y"], abs=1)
    pages.press("Control+z", "Control+z")
    page.wait_for_selector(".blurbox", state="detached")


def test_a_logo_is_offered_and_shown_as_large_as_it_will_be(pages: Installation) -> None:
    folder = pages.api.shell.folder / "cutback-data" / "assets"
    (folder / "club").mkdir(parents=True)
    Image.new("RGBA", (80, 40), (200, 30, 30, 255)).save(folder / "club" / "own logo.png")
    (folder / "broken.png").write_bytes(b"not a picture")
    (folder / "sea.mp3").write_bytes(b"not a picture either")
    pages.complaints.expect("/v1/plans")  # a plan needs the assets that it names
    page = pages.page
    page.select_option("[aria-label='Add an edit']", "image")
    card = page.locator(".card[data-kind=image]")
    names = "all => all.map((each) => each.value)"
    offered = ["broken.png", "club/own logo.png"]
    eventually(lambda: card.locator("datalist option").evaluate_all(names) == offered, "the pictures' names")
    assert card.get_by_label("Asset", exact=True).evaluate("each => each.list.options.length") == len(offered)

    def fill(**fields: str) -> None:
        for label, value in fields.items():
            card.get_by_label(label, exact=True).fill(value)
            card.get_by_label(label, exact=True).press("Enter")

    logo = page.locator(".overlay.image")
    fill(Asset="none.png")
    assert logo.inner_text() == "none.png", "a name that is not known is not asked for"
    fill(Asset="broken.png")
    eventually(lambda: logo.inner_text() == "broken.png", "the name of what is no picture")
    fill(Asset="club/own logo.png")
    eventually(lambda: logo.locator("img").evaluate_all("all => all.map((each) => each.naturalWidth)") == [80], "it")
    picture = page.locator(".frame canvas").evaluate("each => [each.width, each.height]")
    frame = page.locator(".frame canvas").bounding_box()
    scale = min(frame["width"] / picture[0], frame["height"] / picture[1])

    def has(width: float, height: float) -> bool:
        box = logo.bounding_box()
        return [box["width"] / scale, box["height"] / scale] == pytest.approx([width, height], abs=0.5)

    eventually(partial(has, 80, 40), "its own size")
    card.locator("summary").click()
    for fields, wanted in (
        ({"Height": "20"}, [40, 20]),
        ({"Width": "50%"}, [picture[0] / 2, 20]),
        ({"Height": "", "Width": "25%"}, [picture[0] / 4, picture[0] / 8]),
    ):
        fill(**fields)
        eventually(partial(has, *wanted), f"its size with {fields}")
    fill(Opacity="0.5")
    eventually(lambda: logo.evaluate("each => each.style.opacity") == "0.5", "its opacity")
    card.get_by_role("button", name="Remove Picture").click()


def test_an_overlay_appears_as_slowly_as_it_will(pages: Installation) -> None:
    page = pages.page
    pages.complaints.expect("/v1/plans")  # a plan needs the assets that it names
    page.select_option("[aria-label='Add an edit']", "image")
    card = page.locator(".card[data-kind=image]")
    for label, value in (("Asset", "logo.png"),):
        card.get_by_label(label, exact=True).fill(value)
        card.get_by_label(label, exact=True).press("Enter")
    card.locator("summary").click()
    for label, value in (("Fade in", "0.5"), ("Opacity", "0.5")):
        card.get_by_label(label, exact=True).fill(value)
        card.get_by_label(label, exact=True).press("Enter")
    opacity = "each => Number(each.style.opacity)"
    logo = page.locator(".overlay.image")
    pages.step("ArrowRight", 31)
    assert logo.evaluate(opacity) < 0.06
    box = page.get_by_label("Time; type a time")
    for frame, wanted in ((37, 0.23), (55, 0.5)):
        box.fill(f"frame {frame}")
        box.press("Enter")
        page.wait_for_selector(f".exact[data-truth=exact][data-frame='{frame}']")
        assert logo.evaluate(opacity) == pytest.approx(wanted, abs=0.01)
