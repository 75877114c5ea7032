"""Fetching packages of Debian and PyPI: real clients on registries made in the test."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from recipes.corpus import packages

NAMES = sorted(packages.reserved())


@pytest.fixture
def debian_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Debian registry in a folder, with the package `tiny-tunes` 1:2.0-1 in it."""
    if shutil.which("apt-get") is None:
        pytest.skip("needs Debian's apt-get")
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = (
        "Package: tiny-tunes\nVersion: 1:2.0-1\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: two tunes\n"
    )
    (tree / "DEBIAN" / "control").write_text(control)
    (tree / "usr" / "share" / "tunes").mkdir(parents=True)
    (tree / "usr" / "share" / "tunes" / "one.txt").write_text("do re mi")
    registry = tmp_path / "registry"
    registry.mkdir()
    deb = registry / "tiny-tunes.deb"
    subprocess.run(["dpkg-deb", "-b", str(tree), str(deb)], check=True, capture_output=True)
    index = (
        f"{control}Filename: ./{deb.name}\nSize: {deb.stat().st_size}\n"
        f"SHA256: {hashlib.sha256(deb.read_bytes()).hexdigest()}\n"
    )
    (registry / "Packages").write_text(index)
    apt = tmp_path / "apt"
    (apt / "lists" / "partial").mkdir(parents=True)
    (apt / "cache" / "archives" / "partial").mkdir(parents=True)
    (apt / "sources.list").write_text(f"deb [trusted=yes] file:{registry} ./\n")
    (apt / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{apt}/sources.list";\nDir::Etc::sourceparts "-";\n'
        f'Dir::State::lists "{apt}/lists";\nDir::Cache "{apt}/cache";\n'
        'APT::Sandbox::User "";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(apt / "apt.conf"))
    subprocess.run(["apt-get", "update", "-qq"], check=True, capture_output=True)
    return registry


@pytest.mark.parametrize("name", NAMES)
def test_refuses_what_is_reserved(tmp_path: Path, name: str) -> None:
    for fetch in (packages.debian, packages.pypi):
        with pytest.raises(packages.ReservedError, match="final evaluation"):
            fetch(name, tmp_path)
    with pytest.raises(packages.ReservedError, match="final evaluation"):
        packages.debian(name, tmp_path, for_development=True)
    assert not list(tmp_path.iterdir())


def test_reserves_the_packages_of_the_final_evaluation() -> None:
    assert len(NAMES) == 41
    assert {"immich-memories-music", "supertuxkart-data", "0ad-data"} <= set(NAMES)


def test_refuses_other_spellings_of_a_reserved_python_package(tmp_path: Path) -> None:
    for name in ("Immich_Memories.Music", "immich--memories-music"):
        with pytest.raises(packages.ReservedError):
            packages.pypi(name, tmp_path)


def test_refuses_the_development_set_but_for_itself(tmp_path: Path) -> None:
    names = packages.development()
    assert names
    assert not names & packages.reserved()
    for name in names:
        with pytest.raises(packages.ReservedError, match="is part of the development set"):
            packages.debian(name, tmp_path)
    with pytest.raises(packages.ReservedError, match="is not part"):
        packages.debian("tiny-tunes", tmp_path, for_development=True)


def test_unpacks_a_debian_package_once(debian_registry: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    package = packages.debian("tiny-tunes", cache)
    assert (package.name, package.version, package.registry) == ("tiny-tunes", "1:2.0-1", "debian")
    assert (package.root / "usr" / "share" / "tunes" / "one.txt").read_text() == "do re mi"
    (debian_registry / "tiny-tunes.deb").unlink()
    assert packages.debian("tiny-tunes", cache) == package
    assert [path.name for path in (cache / "debian").iterdir()] == ["tiny-tunes_1:2.0-1"]


def test_says_in_one_line_what_cannot_be_had(debian_registry: Path, tmp_path: Path) -> None:
    with pytest.raises(packages.PackageError, match=r"^apt-get download.*no-such-tunes[^\n]*$"):
        packages.debian("no-such-tunes", tmp_path / "cache")
    (debian_registry / "tiny-tunes.deb").write_bytes(b"not a package")
    with pytest.raises(packages.PackageError, match=r"tiny-tunes[^\n]*$"):
        packages.debian("tiny-tunes", tmp_path / "cache")
    assert not list((tmp_path / "cache" / "debian").iterdir())


def test_unpacks_a_python_package_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for version in ("1.0", "2.0"):
        about = f"tiny_tunes-{version}.dist-info"
        with zipfile.ZipFile(shelf / f"tiny_tunes-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("tiny_tunes/one.txt", f"do re mi {version}")
            wheel.writestr(
                f"{about}/METADATA", f"Metadata-Version: 2.1\nName: tiny-tunes\nVersion: {version}"
            )
            wheel.writestr(
                f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
            )
            wheel.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    cache = tmp_path / "cache"
    package = packages.pypi("Tiny_Tunes", cache, "1.0")
    assert (package.name, package.version, package.registry) == ("tiny-tunes", "1.0", "pypi")
    assert (package.root / "tiny_tunes" / "one.txt").read_text() == "do re mi 1.0"
    assert packages.pypi("tiny-tunes", cache, "2.0").version == "2.0"
    shutil.rmtree(shelf)
    assert packages.pypi("tiny-tunes", cache, "1.0") == package
    with pytest.raises(packages.PackageError, match=r"tiny-tunes==3.0[^\n]*$"):
        packages.pypi("tiny-tunes", cache, "3.0")
