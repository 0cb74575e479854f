"""The graphs are valid trees, and their adjacency is the one that the published network was trained with."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import CoreError
from core.network.graph import LINKS, adjacency
from core.smpl_skeleton import BODY25_NAMES


@pytest.mark.parametrize("name", LINKS)
def test_each_graph_is_a_tree_over_all_25_points(name):
    parents = dict(LINKS[name])
    assert len(LINKS[name]) == len(parents) == 24
    (root,) = set(range(25)) - set(parents)
    for node in range(25):
        for _ in range(25):
            node = parents.get(node, node)
        assert node == root


def test_published_graph_shares_eleven_links_with_the_skeleton():
    undirected = {name: {frozenset(link) for link in links} for name, links in LINKS.items()}
    assert len(undirected["published"] & undirected["body25"]) == 11


def test_body25_graph_is_symmetric():
    mirrored = [
        BODY25_NAMES.index(name.replace("left", "*").replace("right", "left").replace("*", "right"))
        for name in BODY25_NAMES
    ]
    links = set(LINKS["body25"])
    assert {(mirrored[child], mirrored[parent]) for child, parent in links} == links


def test_features_flow_to_children_and_their_mean_flows_back():
    own, inward, outward = adjacency("body25")
    features = np.random.default_rng(0).normal(size=25)
    mid_hip, neck = BODY25_NAMES.index("mid_hip"), BODY25_NAMES.index("neck")
    children = [BODY25_NAMES.index(name) for name in ("neck", "left_hip", "right_hip")]
    assert np.array_equal(features @ own, features)
    assert (features @ inward)[neck] == features[mid_hip]
    assert (features @ inward)[mid_hip] == 0.0
    assert (features @ outward)[mid_hip] == pytest.approx(features[children].mean())
    assert (features @ outward)[BODY25_NAMES.index("left_heel")] == 0.0


def test_unknown_graph_is_reported():
    with pytest.raises(CoreError, match=r"published, body25; got 'coco'"):
        adjacency("coco")
