"""Pages in a real browser: Chromium without a window, driven by Playwright, and what axe-core finds in them.

A test asks for the fixture `visit`, and opens as many pages as it likes:

    def test_my_page(visit: Visit, tmp_path: Path) -> None:
        page = visit(tmp_path / "index.html", PHONE, dark=True)
        assert axe(page) == []
        assert sideways(page) == []

At the end it fails for whatever was wrong meanwhile: an error or warning on the console, an exception of a script, a
dialog, and any request that is not for a file of the folder. A page that a server of the test's own gives is opened by
its address; only what has the same origin may then be asked for.

tests/conftest.py makes the fixtures known to all tests. Chromium is the machine's own: `make browser` installs it.
"""

import importlib.resources
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING: Final = "The browser tests need Chromium, and there is none. Run `make browser`, which installs Debian's."
# It runs as root in containers, without a screen, and asks nobody outside for anything.
FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip

Size = tuple[int, int]  # width and height in CSS pixels
DESKTOP: Final[Size] = (1280, 900)
PHONE: Final[Size] = (360, 740)
Visit = Callable[..., Page]
"""`visit(page, size=DESKTOP, dark=False, scripts=True)`: a page that is open; `page` is a file, or an address."""


def executable() -> str:
    """The machine's Chromium. Raises RuntimeError with what to do where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise RuntimeError(MISSING)
    return found


@contextmanager
def running() -> Iterator[Browser]:
    """A browser with a profile of its own, which is removed at the end."""
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visits(browser: Browser) -> Iterator[Visit]:
    """What opens pages. Raises AssertionError at the end with all that was wrong in them."""
    problems: list[str] = []
    contexts: list[BrowserContext] = []

    def visit(
        page: "Path | str", size: Size = DESKTOP, dark: bool = False, scripts: bool = True, **options: Any
    ) -> Page:
        address = page.resolve().as_uri() if isinstance(page, Path) else page
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, java_script_enabled=scripts,
            offline=isinstance(page, Path), **options,
        )  # fmt: skip
        contexts.append(context)
        context.route("**/*", lambda route: _answered(route, address, problems))
        opened = context.new_page()
        _watch(opened, problems)
        opened.goto(address)
        return opened

    try:
        yield visit
    finally:
        for context in contexts:
            context.close()
    assert not problems, "\n".join(problems)


def _watch(page: Page, problems: list[str]) -> None:
    def dialog(shown: Dialog) -> None:
        problems.append(f"a dialog: {shown.message}")
        shown.dismiss()

    page.on("console", lambda said: problems.append(f"on the console: {said.text}") if said.type != "log" else None)
    page.on("pageerror", lambda error: problems.append(f"a script: {error}"))
    page.on("dialog", dialog)
    page.on("websocket", lambda socket: problems.append(f"a socket: {socket.url}"))


def _answered(route: Route, address: str, problems: list[str]) -> None:
    asked = route.request.url
    if asked.startswith(_allowed(address)):
        route.continue_()
    else:
        problems.append(f"it asked for {asked}")
        route.abort()


def _allowed(address: str) -> str:
    """How the addresses begin that a page may ask for: of a file, any file's; else those of its own origin."""
    parts = urlsplit(address)
    return "file:///" if parts.scheme == "file" else f"{parts.scheme}://{parts.netloc}/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """No longer than a file's tests: while it runs, its thread has an event loop, and nothing else can have one."""
    with running() as found:
        yield found


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens pages, and fails at the end of the test if anything was wrong in them."""
    with visits(browser) as found:
        yield found


# All rules, also those that axe leaves out by default: for the strictest level, and those on trial.
_EVERY_RULE: Final = """async () => {
  const rules = axe.getRules().filter(rule => !rule.tags.includes("deprecated")).map(rule => rule.ruleId);
  return await axe.run({runOnly: {type: "rule", values: rules}, resultTypes: ["violations", "incomplete"]});
}"""


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong, by all its rules, each with where; also what it could not decide.

    But for contrasts: it judges none in SVG, of signs as ✓, and of some texts in tall pages. `faint` judges them all.
    """
    page.evaluate(importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = page.evaluate(_EVERY_RULE)
    return [
        f"{kind}: {rule['id']} ({rule['help']}): {node['html'][:200]} {node['failureSummary'][:300]}"
        for kind in ("violations", "incomplete")
        for rule in found[kind]
        for node in rule["nodes"]
        if kind == "violations" or not rule["id"].startswith("color-contrast")
    ]


# What reaches over the right edge, but for what is in a box of its own that can be scrolled.
_SIDEWAYS: Final = """() => {
  const width = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth > width) found.push("the page itself scrolls sideways");
  for (const one of document.body.querySelectorAll("*")) {
    const box = one.getBoundingClientRect();
    const scrolls = one.parentElement.closest("[tabindex]");
    if (box.width && box.right > width + 1 && !scrolls) found.push(one.outerHTML.slice(0, 120));
    const style = getComputedStyle(one);
    if (box.width && one.scrollWidth > one.clientWidth + 1 && ["hidden", "clip"].includes(style.overflowX))
      found.push("cut off: " + one.outerHTML.slice(0, 120));
  }
  for (const one of document.querySelectorAll("svg text")) {
    const box = one.getBoundingClientRect(), whole = one.ownerSVGElement.getBoundingClientRect();
    if (Math.min(box.left - whole.left, whole.right - box.right, box.top - whole.top, whole.bottom - box.bottom) < -1)
      found.push("cut off: " + one.outerHTML);
  }
  return found;
}"""


def sideways(page: Page) -> list[str]:
    """What does not fit into the window's width, or is cut off there; regions that scroll by themselves may."""
    found: list[str] = page.evaluate(_SIDEWAYS)
    return found


def judged(page: Page) -> list[str]:
    """All of `axe`, `sideways` and `faint`, with everything unfolded that can be."""
    page.evaluate("() => document.querySelectorAll('details').forEach(one => one.open = true)")
    return [*axe(page), *sideways(page), *faint(page)]


# What is wider than its box on paper, where nothing can be scrolled.
_CUT_ON_PAPER: Final = """() => [...document.body.querySelectorAll("*")]
  .filter(one => one.clientWidth && one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML.slice(0, 120))"""


def cut_on_paper(page: Page) -> list[str]:
    """What a printer would cut off at the right edge of A4."""
    page.set_viewport_size({"width": 670, "height": 950})  # between margins of 1.6 cm
    page.emulate_media(media="print")
    found: list[str] = page.evaluate(_CUT_ON_PAPER)
    return found


# Of each text the colours at its middle: that of its letters, and all that is painted below them, from the top.
_PAINTED: Final = """() => {
  const number = text => {
    const parts = (text.match(/[\\d.]+/g) || []).map(Number);
    return parts.length < 3 ? [0, 0, 0, 0] : [...parts, 1].slice(0, 4);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, one = node.parentElement, range = document.createRange();
    if (!node.data.trim() || !one.checkVisibility({visibilityProperty: true}) || one.closest("style, title")) continue;
    one.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
    range.selectNodeContents(node);
    const box = range.getClientRects()[0];
    if (!box || !box.width) continue;
    const style = getComputedStyle(one), below = [];
    for (const each of document.elementsFromPoint(box.x + Math.min(box.width / 2, 20), box.y + box.height / 2)) {
      if (each === one && each instanceof SVGElement) continue;
      const paint = getComputedStyle(each), shape = each instanceof SVGElement && !(each instanceof SVGSVGElement);
      const colour = number(shape ? paint.fill : paint.backgroundColor);
      if (shape && (paint.fill === "none" || each.tagName === "text")) continue;
      if (shape) colour[3] *= paint.fillOpacity * paint.opacity;
      if (colour[3]) below.push(colour);
    }
    below.push(matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1]);
    found.push([node.data.trim().slice(0, 60), number(one instanceof SVGElement ? style.fill : style.color), below]);
  }
  return found;
}"""


def faint(page: Page, least: float = 4.5) -> list[str]:
    """The texts whose contrast is less than this, by WCAG's formula: those in SVG too, which axe does not look at."""
    found = []
    for text, letters, below in page.evaluate(_PAINTED):
        ground = [0.0, 0.0, 0.0]
        for *paint, opacity in reversed(below):
            ground = [opacity * new + (1 - opacity) * old for new, old in zip(paint, ground, strict=True)]
        ratio = contrast(letters[:3], ground)
        if ratio < least:
            found.append(f"{text!r} has the contrast {ratio:.1f}")
    return found


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    """From 1 to 21, of two colours (red, green, blue), each from 0 to 255."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Sequence[float]) -> float:
    parts = [value / 255 for value in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
