"""The requests' part of `make bench`: their pages, a large file, many photos (portal's bars)."""

import gzip
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

import pillow_heif
import psutil
import requests
from flask import Flask
from PIL import Image
from sqlalchemy import event

from services.uploads import renditions
from services.uploads.upload import LARGEST, MOST
from tests.world.cast import ANNA, PASSWORD, PHONE
from tests.world.claims import ADDRESS, KIND, PHOTOS, TO_THE_FILES, fill_in
from tests.world.files import photo
from tests.world.site import Secrets, Site
from tests.world.world import world_in

_PHOTOS = 200
_FILES, _TIMES = 5, 10
_WIDTH, _HEIGHT = 4000, 3000
"""Of a photo of twelve million pixels, as most phones take."""


def pages(app: Flask) -> dict[str, dict[str, float]]:
    """Return by each measure what the pages of a claim cost, with as many photos as it may have."""
    site = Site(app, Secrets())
    site.empty()
    site.open_account(ANNA)
    anna = site.visitor()
    anna.sign_in()
    services, sign_ins = site.parts.portal, site.parts.accounts.sign_ins
    session = sign_ins.resume(sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE), is_activity=False)
    assert session is not None
    costs: dict[str, dict[str, float]] = {"SQL statements": {}, "HTML, gzipped": {}, "CPU, ms": {}}

    def look(name: str, address: str) -> None:
        for measure, cost in zip(costs, _cost(site, lambda: anna.client.get(address).data), strict=True):
            costs[measure][name] = cost

    look("requests, none yet", "/ugyintezes")
    draft = fill_in(services.requests, session, until=PHOTOS)
    for number in range(MOST):
        services.uploads.intake.receive(draft.id, ANNA.kutid, PHOTOS, f"{number}.jpg", BytesIO(photo()))
    _check_all(services.uploads.checking.check_due)
    look("a question", f"{ADDRESS}?kerdes=place")
    look(f"the question for photos, {MOST} there", f"{ADDRESS}?kerdes={PHOTOS}")
    draft = fill_in(services.requests, session, photos=MOST)
    look("check your answers", f"{ADDRESS}?kerdes=attekintes")
    sent = services.requests.drafts.send(session, services.requests.kinds.offer(session, KIND), draft.id)
    look("it has come in", f"/ugyintezes/{sent.id}?elkuldve=1")
    look(f"a request with {MOST} photos", f"/ugyintezes/{sent.id}")
    look("requests, one", "/ugyintezes")
    return costs


def _cost(site: Site, ask: Callable[[], bytes]) -> tuple[float, float, float]:
    """Return statements, bytes and milliseconds of CPU of one look at a page, after another one."""
    ask()
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(site.parts.store.engine, "before_cursor_execute", note)
    size = len(gzip.compress(ask()))
    event.remove(site.parts.store.engine, "before_cursor_execute", note)
    statements = [one for one in seen if not one.startswith(("BEGIN", "PRAGMA"))]
    cpu = min(_cpu(ask) for _ in range(_TIMES))
    return len(statements), size, 1000 * cpu


def large_files(process: psutil.Process, session: requests.Session, address: str) -> dict[str, float]:
    """Return what files of 20 MB cost a worker of the server, posted by a customer who is signed in."""
    page = session.post(f"{address}{ADDRESS}", {**_token(session.get(f"{address}{ADDRESS}").text), "action": "next"})
    content = photo(width=640, height=480).ljust(LARGEST, b"\0")
    _post(session, address, page.text, photo())
    peaks, cpu, begun = [_of_status(process, "VmRSS")], sum(process.cpu_times()[:2]), time.perf_counter()
    for _ in range(_FILES):
        _forget_peak(process)
        _post(session, address, page.text, content)
        peaks.append(_of_status(process, "VmHWM"))
    return {
        "a file of 20 MB: CPU, ms": 1000 * (sum(process.cpu_times()[:2]) - cpu) / _FILES,
        "a file of 20 MB: s": (time.perf_counter() - begun) / _FILES,
        "the first: peak of memory, MB more": peaks[1] - peaks[0],
        f"{_FILES - 1} further ones: peak of memory, MB more": max(peaks) - peaks[1],
    }


def _post(session: requests.Session, address: str, page: str, content: bytes) -> None:
    files = {"file": ("large.jpg", content, "image/jpeg")}
    answer = session.post(f"{address}{TO_THE_FILES}", _token(page), files=files, allow_redirects=False)
    if answer.status_code != HTTPStatus.SEE_OTHER:
        raise RuntimeError(f"a file was answered {answer.status_code}")


def _token(page: str) -> dict[str, str]:
    return {"csrf_token": re.findall(r'name="csrf_token" value="([^"]*)"', page)[0]}


def _forget_peak(process: psutil.Process) -> None:
    """Have the peak of a process's memory begin again (Linux, proc(5))."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5", "ascii")


def _of_status(process: psutil.Process, name: str) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text("ascii")
    return int(re.findall(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)[0]) * 1024 / 1e6


def photos(folder: Path) -> dict[str, float]:
    """Return what the worker takes for many photos of a phone, a quarter of them HEIC."""
    world = world_in(folder, "photos")
    jpeg, heic = _noisy("JPEG"), _noisy("HEIC")
    for number in range(_PHOTOS):
        content = heic if number % 4 == 0 else jpeg
        world.portal.uploads.intake.receive(f"request {number // MOST}", None, PHOTOS, "a.jpg", BytesIO(content))
    own, presses = _peak(), _used(resource.RUSAGE_CHILDREN)
    worker, begun = time.process_time(), time.perf_counter()
    _check_all(world.portal.uploads.checking.check_due)
    figures = {
        f"{_PHOTOS} photos: s": time.perf_counter() - begun,
        "a photo: CPU of its press, ms": 1000 * (_used(resource.RUSAGE_CHILDREN) - presses) / _PHOTOS,
        "a photo: CPU of the worker, ms": 1000 * (time.process_time() - worker) / _PHOTOS,
        "memory of the worker, MB more": _peak() - own,
        "peak of a press, JPEG, MB": _peak_of_press(folder, "jpeg", jpeg),
        "peak of a press, HEIC, MB": _peak_of_press(folder, "heic", heic),
    }
    world.store.close()
    return figures


def _noisy(kind: str) -> bytes:
    """Return a photo of a few megabytes: pixels that do not compress to nothing, as of gravel."""
    noise = Image.effect_noise((_WIDTH // 4, _HEIGHT // 4), 60).resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC)
    picture, out = Image.merge("RGB", (noise, noise.transpose(Image.Transpose.FLIP_LEFT_RIGHT), noise)), BytesIO()
    if kind == "HEIC":
        pillow_heif.from_pillow(picture).save(out, quality=60)
    else:
        picture.save(out, kind, quality=85)
    return out.getvalue()


def _check_all(check_due: Callable[[], int]) -> None:
    while check_due():
        pass


def _used(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


_RUN = """
import resource, subprocess, sys
source, out, *program = sys.argv[1:]
subprocess.run(program, stdin=open(source, "rb"), stdout=open(out, "w+b"), stderr=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs a program from a small process: a program's peak begins with that of the process from which it is started."""


def _peak_of_press(folder: Path, kind: str, content: bytes) -> float:
    (folder / "source").write_bytes(content)
    files = [str(folder / "source"), str(folder / "out")]
    press = [sys.executable, "-I", str(Path(renditions.__file__).with_name("press.py")), kind]
    run = [sys.executable, "-I", "-c", _RUN, *files, *press]
    return int(subprocess.run(run, capture_output=True, check=True).stdout) * 1024 / 1e6


def _cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
