"""Labels of people: usable as file names, and unique."""

from __future__ import annotations

import numpy as np
import pytest

from core.layouts import COCO17
from core.person_labels import person_labels
from core.track import KeypointTrack


def _tracks(*people: str) -> list[KeypointTrack]:
    points = np.zeros((1, len(COCO17.points), 3))
    return [KeypointTrack(points, np.ones(points.shape[:2]), 30.0, COCO17, person=person) for person in people]


@pytest.mark.parametrize(
    ("people", "labels"),
    [
        (("Anna",), [""]),
        (("",), [""]),
        (("Anna", "Ben"), ["Anna", "Ben"]),
        (("", "", "Ben"), ["person1", "person2", "Ben"]),
        (("3", "7"), ["3", "7"]),
        (("Dr. A/B\\C:*?", "..", "_hidden."), ["Dr._A_B_C", "person2", "hidden"]),
        (("Zoë", "李"), ["Zoë", "李"]),
        (("a", "a", "a"), ["a", "a_2", "a_3"]),
        (("a_3", "a", "a"), ["a_3", "a", "a_4"]),
        (("person2", ""), ["person2", "person2_2"]),
        (("Ben", "ben", "BEN"), ["Ben", "ben_2", "BEN_3"]),
        (("a", "a_2", "a", "a_3"), ["a", "a_2", "a_3", "a_3_4"]),
    ],
)
def test_labels(people, labels):
    assert person_labels(_tracks(*people)) == labels


@pytest.mark.parametrize("seed", range(5))
def test_labels_are_unique_for_any_names(seed):
    generator = np.random.default_rng(seed)
    people = ["".join(generator.choice(list("aA_23."), generator.integers(0, 4))) for _ in range(40)]
    labels = person_labels(_tracks(*people))
    assert len({label.casefold() for label in labels}) == 40
    assert all(label and "/" not in label and not label.startswith(".") for label in labels)
