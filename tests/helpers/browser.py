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
from collections.abc import Callable, Iterator
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
    """What axe-core finds wrong, by all its rules, each with where; also what it could not decide."""
    page.evaluate(importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = page.evaluate(_EVERY_RULE)
    return [
        f"{kind}: {rule['id']} ({rule['help']}): {node['html'][:200]} {node['failureSummary'][:300]}"
        for kind in ("violations", "incomplete")
        for rule in found[kind]
        for node in rule["nodes"]
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
  return found;
}"""


def sideways(page: Page) -> list[str]:
    """What does not fit into the window's width, or is cut off there; regions that scroll by themselves may."""
    found: list[str] = page.evaluate(_SIDEWAYS)
    return found
