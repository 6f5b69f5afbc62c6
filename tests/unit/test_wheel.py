"""The wheel, installed where there is no checkout: it serves, and a customer registers."""

import re
import shutil
import tomllib
from pathlib import Path
from zipfile import ZipFile

from tests import ROOT
from tests.ports import free_port
from tests.world import wheel
from tests.world.over_http import HttpVisitor, served


def test_a_customer_registers_with_what_is_installed(installed: wheel.Installed, tmp_path: Path) -> None:
    with served(installed, tmp_path) as server:
        visitor = HttpVisitor(server)
        visitor.walk_to("done")
        for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', visitor.html):
            assert visitor.status_of(address) == 200, address
        visitor.sign_in()
        assert 'data-step="logout"' in visitor.html
        assert visitor.status_of("/dev/states") == 200


def test_it_runs_from_where_it_was_installed(installed: wheel.Installed, tmp_path: Path) -> None:
    where = "import services, webapp; print(webapp.__file__, services.__file__)"
    places = installed.run("python", "-c", where, folder=tmp_path).stdout.split()
    assert len(places) == 2
    assert all(Path(place).is_relative_to(installed.folder) for place in places), places


def test_it_says_its_version(installed: wheel.Installed, tmp_path: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert installed.run("belepo", "--version", folder=tmp_path).stdout == f"belepo {version}\n"


def test_it_carries_what_is_no_code_and_nothing_else(built: Path) -> None:
    with ZipFile(built) as archive:
        names = {Path(name) for name in archive.namelist()}
    assert {name.parts[0] for name in names if not name.parts[0].endswith(".dist-info")} == {"services", "webapp"}
    assert not [name for name in names if name.suffix in (".pyc", ".sqlite") or "src" in name.parts]
    for folder in ("services", "webapp"):
        wanted = {
            file.relative_to(ROOT)
            for file in (ROOT / folder).rglob("*")
            if file.is_file() and not {"__pycache__", "static"} & set(file.parts)
        }
        assert {file for file in wanted - names if file.suffix != ".md"} == set()


def test_there_is_no_wheel_without_the_front_end(tmp_path: Path) -> None:
    sources = wheel.copy_of_sources(tmp_path / "sources", with_htmx=False)
    done = wheel.build(sources, tmp_path / "out")
    assert done.returncode != 0
    assert "There is no wheel without the front end." in done.stderr
    assert "run `make assets`" in done.stderr
    assert not list(tmp_path.glob("out/*.whl"))


def test_a_server_without_its_front_end_says_so_once(built: Path, tmp_path: Path) -> None:
    bare = wheel.Installed(built, tmp_path / "environment")
    (library,) = bare.folder.glob("lib/python*/site-packages/webapp")
    shutil.rmtree(library / "static")
    done = bare.run("belepo", "serve", folder=tmp_path, DEMO="1", PORT=str(free_port()))
    assert done.returncode == 1
    assert "holds no built files" in done.stderr
    assert "Traceback" not in done.stderr
