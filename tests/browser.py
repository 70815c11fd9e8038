"""Debian's Chromium, headless: pages and mails as people see them. Nothing is fetched: what is asked for is noted."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
WANTED = bool(CHROMIUM) or os.environ.get("CI") == "true"
"""Where it cannot be had, tests skip by name; in CI that is a failure."""
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--font-render-hinting=none",
)  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, for some pages."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(browser: Browser, *, width: int, height: int = 640, dark: bool = False) -> Iterator[Page]:
    """A window for HTML that is ours alone (`set_content`). AssertionError when any of it wanted something from
    elsewhere."""
    asked: list[str] = []
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, offline=True)
    try:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        yield page
        assert asked == []
    finally:
        context.close()


def faults(page: Page) -> list[str]:
    """What axe finds (WCAG 2.2 A and AA, good practice), and whether anything sticks out sideways."""
    page.evaluate(AXE_SCRIPT)
    return [*_axe(page, "{}"), *overflow(page)]


def colours(page: Page) -> list[str]:
    """What axe, which is there already, finds of colours alone: in the other scheme nothing else is different."""
    return _axe(page, "{runOnly: ['color-contrast', 'link-in-text-block']}")


def _axe(page: Page, options: str) -> list[str]:
    told: list[str] = page.evaluate(
        f"axe.run(Object.assign({options}, {{resultTypes: ['violations']}}))"
        ".then(found => found.violations.map(each => `${each.id}: ${each.nodes[0].html.slice(0, 120)}`))"
    )
    return told


def overflow(page: Page) -> list[str]:
    """Whether anything sticks out sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{wide} pixels too wide"] if wide > 0 else []
