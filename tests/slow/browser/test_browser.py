"""The browser itself tells what is wrong with a page, whatever that is."""

from pathlib import Path

import pytest
from helpers import browser as helper
from helpers.browser import PHONE, Visit, axe, contrast, faint, sideways, visits
from playwright.sync_api import Browser

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>p {{ margin: 0 }}</style></head><body><main><h1>A page</h1>{}</main>"""


def write(folder: Path, text: str) -> Path:
    path = folder / "page.html"
    path.write_text(PAGE.format(text))
    return path


def test_a_good_page_is_good(visit: Visit, tmp_path: Path) -> None:
    page = visit(write(tmp_path, "<p>All is well.</p>"))
    assert axe(page) == []
    assert sideways(page) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<script>alert(1)</script>", "a dialog: 1"),
        ("<script>undefined_name</script>", "undefined_name is not defined"),
        ("<script>console.error('no')</script>", "on the console: no"),
        ("<img alt='' src='https://example.invalid/a.png'>", "it asked for https://example.invalid/a.png"),
        ("<script>new WebSocket('ws://127.0.0.1:9/')</script>", "a socket: ws://127.0.0.1:9/"),
        ("<img alt='' src='missing.png'>", "ERR_FILE_NOT_FOUND"),
    ],
    ids=["dialog", "exception", "console", "request", "socket", "file"],
)
def test_what_is_wrong_is_told(browser: Browser, text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=told.replace("(", r"\(")), visits(browser) as visit:
        visit(write(tmp_path, text)).wait_for_timeout(200)


def test_what_some_cannot_read_is_told(visit: Visit, tmp_path: Path) -> None:
    page = visit(write(tmp_path, "<p style='color: #999; background: #fff'>Grey</p>"))
    assert any("color-contrast" in found for found in axe(page))


def test_what_does_not_fit_is_told(visit: Visit, tmp_path: Path) -> None:
    page = visit(write(tmp_path, "<p style='width: 500px'>Wide</p>"), PHONE)
    assert any("the page itself" in found for found in sideways(page))
    page = visit(write(tmp_path, "<p style='width: 50px; overflow: hidden'>Exceedingly</p>"), PHONE)
    assert any("cut off" in found for found in sideways(page))


def test_a_machine_without_one_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="Run `make browser`"):
        helper.executable()


@pytest.mark.parametrize("dark", [False, True])
def test_faint_text_is_told_in_pictures_too(visit: Visit, dark: bool, tmp_path: Path) -> None:
    svg = """<svg width=300 height=90><rect width=150 height=90 fill="#0060b0" fill-opacity=".9"/>
      <text x=10 y=20 fill="#111">faint here</text><text x=10 y=60 fill="#fff">clear here</text>
      <text x=160 y=20 fill="#999">faint outside</text><text x=160 y=60 fill="#000">clear outside</text></svg>"""
    page = visit(write(tmp_path, f'<div style="background: #fff">{svg}<b style="color: #ccc">×</b></div>'), dark=dark)
    told = [found.split("'")[1] for found in faint(page)]
    assert [text for text in told if text != "A page"] == ["faint here", "faint outside", "×"]


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)
