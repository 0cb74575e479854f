"""The site of the documentation builds without a warning, and nothing in it leads nowhere or to the network."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import core

REPOSITORY = Path(__file__).resolve().parents[2]
LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""Elements whose address a browser loads by itself, each with the attribute that holds it."""


class Page(HTMLParser):
    """What a page of the site links to, loads and can be linked at."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADING and LOADING[tag] in given:
            self.loaded.append(given[LOADING[tag]])


def dead_links(site: Path) -> list[str]:
    """Return the links and addresses of *site* that lead to no file or anchor in it."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}
    dead = []
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and target in pages and anchor not in pages[target].anchors):
                dead.append(f"{path.relative_to(site)}: {link}")
    return dead


def build(repository: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """Build the site as `.ci/docs` does, with this Python."""
    script = (REPOSITORY / ".ci" / "docs").read_text(encoding="utf-8").replace("\\\n", " ")
    (arguments,) = re.findall(r"bin/python\" -m (sphinx .*) -d \S+ \. \S+$", script, re.MULTILINE)
    command = [sys.executable, "-m", *shlex.split(arguments), "-d", str(output.with_name("doctrees")), ".", str(output)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["NO_COLOR"] = "1"  # with CI=true the messages are coloured, even into a pipe
    return subprocess.run(
        command, cwd=repository, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("site") / "html"
    done = build(REPOSITORY, output)
    assert done.returncode == 0, done.stdout + done.stderr
    return output


def test_every_page_of_the_repository_is_in_the_site(site: Path) -> None:
    pages = [*(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / name for name in ("README.md", "training/README.md"))]
    missing = [path for path in pages if not (site / path.relative_to(REPOSITORY)).with_suffix(".html").is_file()]
    assert len(pages) >= 12 and missing == []


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    assert dead_links(site.resolve()) == []
    front = Page(site / "index.html")
    assert front.links == ["README.html"]


def test_nothing_is_loaded_from_the_network(site: Path) -> None:
    addresses = [address for path in site.rglob("*.html") for address in Page(path).loaded]
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    addresses += re.findall(r"(?:url\(|@import\s+)[\"']?([^\"')]+)", styles)
    assert len(addresses) > 50
    assert [address for address in addresses if re.match(r"//|(?!data:)[a-z]+:", address)] == []


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    anchors = Page(site / "docs" / "reference.html").anchors
    assert sorted(set(core.__all__) - {anchor.removeprefix("core.") for anchor in anchors}) == []
    assert {"core.FitReport.worst_frame", "core.FitStream.push", "core.Motion.resampled"} <= anchors


def test_a_dead_link_a_missing_anchor_and_a_page_outside_the_contents_each_fail(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in REPOSITORY.iterdir():
        if not path.name.startswith(".") and path.name not in ("docs", "out", "dist", "build"):
            (copy / path.name).symlink_to(path, target_is_directory=path.is_dir())
    (copy / ".github").symlink_to(REPOSITORY / ".github", target_is_directory=True)
    shutil.copytree(REPOSITORY / "docs", copy / "docs")
    page = copy / "docs" / "SECURITY.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n[x](gone.md) [y](METHOD.md#gone)\n", encoding="utf-8")
    (copy / "docs" / "lonely.md").write_text("# A page that no other names\n", encoding="utf-8")

    done = build(copy, tmp_path / "site")

    assert done.returncode != 0
    assert re.findall(r"(?:SECURITY|lonely)\.md.*\[(.*)\]$", done.stderr, re.MULTILINE) == [
        "toc.not_included", "myst.xref_missing", "myst.xref_missing",
    ]  # fmt: skip


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        "<p id=here><a href='#here'>1</a><a href='#gone'>2</a><a href='b.html'>3</a><a href='b.html#there'>4</a>"
        "<a href='b.html#gone'>5</a><a href='c.html'>6</a><img src='gone.png'><a href='https://example.com/x'>7</a>",
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text("<h1 id=there>B</h1>", encoding="utf-8")
    assert dead_links(tmp_path) == [
        "a.html: #gone", "a.html: b.html#gone", "a.html: c.html", "a.html: gone.png",
    ]  # fmt: skip
