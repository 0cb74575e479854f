"""A part of Blender's window: find a text in it, click on it, scroll it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from PIL import Image

from tests.waiting import PATIENCE_S, NotShown, poll

from .matching import Match, matches
from .screen import Screen

SAME_TEXT = 0.95  # the score from which a piece of a picture counts as the text looked for
# In pixels, beside a text and its margin: where the next letter of the same word would be, and the word before it. A
# panel's triangle and a button's icon are as near as a word, so that is only a preference.
NO_LETTER, NO_WORD = 2, 8
WHEEL_UP, WHEEL_DOWN = 4, 5
MOST_STEPS = 40


class Window(Protocol):
    """What a part needs of the Blender that it is a part of."""

    screen: Screen

    def evaluate(self, expression: str) -> object: ...

    def picture(self) -> Image.Image: ...

    def text_pattern(self, text: str, *, turned: bool = False) -> np.ndarray: ...

    def move_to(self, x: float, y: float) -> None: ...

    def click_at(self, x: float, y: float, *, times: int = 1) -> None: ...


class Part:
    """A region of an area, or the whole window. It is where Blender says that it is at the moment.

    Attributes:
        session: the Blender.
    """

    def __init__(self, session: Window, area: str = "", region: str = "") -> None:
        self.session = session
        self._area = area
        self._region = region

    def box(self) -> tuple[int, int, int, int]:
        """Return left, upper, right and lower edge in pixels.

        Raises:
            NotShown: the window does not show it.
        """
        if not self._area:
            return 0, 0, self.session.screen.width, self.session.screen.height
        place = self.session.evaluate(f"windows.box({self._area!r}, {self._region!r})")
        if place is None:
            raise NotShown(f"the window shows no {self._area} with a {self._region}")
        left, top, width, height = place
        return left, top, left + width, top + height

    def picture(self) -> Image.Image:
        """Return what it shows, once the window has stopped changing."""
        return self.session.picture().crop(self.box())

    def locate(self, text: str, *, turned: bool = False) -> tuple[tuple[int, int] | None, float]:
        """Return the middle of a text in the window, None where it is not shown now, and how well it matches.

        A text that Blender had to cut off to fit is not that text.

        Args:
            text: one line, as Blender writes it, all of it.
            turned: by a quarter, as the names of the sidebar's tabs are.
        """
        left, top, right, bottom = self.box()
        picture = np.asarray(self.session.screen.picture().crop((left, top, right, bottom)).convert("L"))
        pattern = self.session.text_pattern(text, turned=turned)
        found = matches(picture, pattern, SAME_TEXT)
        height, width = pattern.shape
        texts = [match for match in found if match.score >= SAME_TEXT]
        if not turned:
            texts = [match for match in texts if _is_blank_beside(picture, match, pattern, NO_LETTER, NO_LETTER)]
        if not texts:
            return None, found[0].score if found else 0.0
        # "Fit" is a button's, rather than the end of the title "3. Fit".
        match = next((text for text in texts if _is_blank_beside(picture, text, pattern, NO_WORD, NO_LETTER)), texts[0])
        return (left + match.x + width // 2, top + match.y + height // 2), match.score

    def shows(self, text: str, *, turned: bool = False) -> bool:
        """Return whether a text is shown now, or further down or up, once the window has stopped changing."""
        self.session.picture()
        return self.locate(text, turned=turned)[0] is not None or self._scroll_to(text) is not None

    def find(self, text: str, *, turned: bool = False, seconds: float = PATIENCE_S) -> tuple[int, int]:
        """Return the middle of a text in the window; scrolls to it and waits for it.

        Raises:
            NotShown: it does not come.
        """
        best = 0.0

        def look() -> tuple[int, int] | None:
            nonlocal best
            place, score = self.locate(text, turned=turned)
            best = max(best, score)
            return place

        try:
            return poll(look, 3.0 if self._scrolls else seconds, text)
        except NotShown:
            place = self._scroll_to(text)
            if place is None:
                where = f"{self._area} {self._region}" if self._area else "the window"
                raise NotShown(f"expected {text!r} in {where}; the likest there scores {best:.2f}") from None
            return place

    def click(self, text: str, *, turned: bool = False, times: int = 1, dx: int = 0, dy: int = 0) -> None:
        """Click on a text, or *dx*, *dy* pixels beside its middle, once nothing moves any more."""
        self.session.picture()
        x, y = self.find(text, turned=turned)
        self.session.click_at(x + dx, y + dy, times=times)

    def hover(self) -> None:
        """Put the mouse into its middle."""
        left, top, right, bottom = self.box()
        self.session.move_to((left + right) / 2, (top + bottom) / 2)

    @property
    def _scrolls(self) -> bool:
        return self._region == "UI"

    def _scroll_to(self, text: str) -> tuple[int, int] | None:
        """Look for *text* from the top to the bottom."""
        if not self._scrolls:
            return None
        self.scroll_to_top()
        shown = b""
        for _ in range(MOST_STEPS):
            place, _ = self.locate(text)
            if place is not None:
                return place
            picture = self.picture().tobytes()
            if picture == shown:
                return None
            shown = picture
            self.scroll(WHEEL_DOWN, 4)
        return None

    def scroll_to_top(self) -> None:
        """Turn the wheel until its beginning is shown."""
        self.scroll(WHEEL_UP, MOST_STEPS)

    def scroll(self, button: int, steps: int) -> None:
        """Turn the wheel over it."""
        left, top, right, bottom = self.box()
        self.session.move_to(left + 12, (top + bottom) / 2)
        self.session.screen.send("click", "--repeat", steps, "--delay", 5, button)
        self.session.picture()


def _is_blank_beside(picture: np.ndarray, match: Match, pattern: np.ndarray, before: int, after: int) -> bool:
    """Return whether there is nothing so bright as the text within *before* pixels before it, and *after* behind it."""
    height, width = pattern.shape
    rows = slice(match.y, match.y + height)
    found = picture[rows, match.x : match.x + width].astype(float)
    ground = np.median(found)
    contrast = np.abs(found - ground).max()
    end = match.x + width
    for columns in (slice(max(0, match.x - before), match.x), slice(end, end + after)):
        beside = picture[rows, columns].astype(float)
        if beside.size and (np.abs(beside - ground) > contrast / 2).any():
            return False
    return True
