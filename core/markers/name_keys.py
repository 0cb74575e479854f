"""Normalise point names in their many spellings to keys: a side and a stem."""

from __future__ import annotations

import re
from functools import lru_cache

Key = tuple[str, str]
"""A side ("left", "right" or "") and a stem in lower case without separators."""

_TOKEN = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}
_NOISE = frozenset(
    ("body", "pose", "mediapipe", "rtmpose", "openpose", "keypoint", "landmark", "joint", "skeleton", "kp", "study")
)
"""Words in point names that carry no information about the point."""
MAX_NAME_LENGTH = 200


def _tokens(name: str) -> list[str]:
    """Split *name* at separators, case changes and digits into lower-case words, without subject and noise words."""
    name = name[:MAX_NAME_LENGTH].rsplit(":", 1)[-1]
    tokens = [token.lower() for token in _TOKEN.findall(name)]
    kept = [token for token in tokens if token not in _NOISE]
    return kept or tokens


@lru_cache(maxsize=8192)
def name_keys(name: str) -> tuple[Key, ...]:
    """Return the possible keys of *name*, the most likely first; callers use the first known key.

    ``LHip``, ``L.Hip``, ``left_hip``, ``HipLeft``, ``l-hip``, ``body_left_hip`` and ``Subject:LHIP`` all give
    ``("left", "hip")``. For a name in one lower-case word ("lhip"), the key without a side comes first: the "l" of
    "lip" is not a side.
    """
    tokens = _tokens(name)
    places = [index for index, token in enumerate(tokens) if token in _SIDES]
    joined = "".join(tokens)
    keys: list[Key] = []
    if places and len(tokens) > 1:
        place = places[0]
        keys.append((_SIDES[tokens[place]], "".join(tokens[:place] + tokens[place + 1 :])))
    keys.append(("", joined))
    for word, side in sorted(_SIDES.items(), key=lambda item: -len(item[0])):
        if joined.startswith(word) and len(joined) > len(word):
            keys.append((side, joined[len(word) :]))
    for word, side in sorted(_SIDES.items(), key=lambda item: -len(item[0])):
        if joined.endswith(word) and len(joined) > len(word):
            keys.append((side, joined[: -len(word)]))
    return tuple(dict.fromkeys(keys))
