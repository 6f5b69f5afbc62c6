"""Files of a request: the question that takes them, and what becomes of each (P38–P41)."""

import threading
from base64 import b64decode

from webapp.demo.states import requests
from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import Walker

_GROUP = "requests"
_PHOTO = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFUlEQVR42mOskpZmwAaYGHCAwSkBAI+HAMBnGKPYAAAAAElFTkSuQmCC"
)
_EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_LOCKED = b64decode(
    "JVBERi0xLjYKJb/3ov4KMSAwIG9iago8PCAvUGFnZXMgMiAwIFIgL1R5cGUgL0NhdGFsb2cgPj4KZW5kb2JqCjIgMCBvYmoKPDwgL0NvdW50"
    "IDEgL0tpZHMgWyAzIDAgUiBdIC9UeXBlIC9QYWdlcyA+PgplbmRvYmoKMyAwIG9iago8PCAvQ29udGVudHMgNCAwIFIgL01lZGlhQm94IFsg"
    "MCAwIDk5IDk5IF0gL1BhcmVudCAyIDAgUiAvUmVzb3VyY2VzIDw8ID4+IC9UeXBlIC9QYWdlID4+CmVuZG9iago0IDAgb2JqCjw8IC9MZW5n"
    "dGggMzIgL0ZpbHRlciAvRmxhdGVEZWNvZGUgPj4Kc3RyZWFtClD3qCjzMfr6urf2zK4PtbuZikw63dzipfOGlrjMcgW/CmVuZHN0cmVhbQpl"
    "bmRvYmoKNSAwIG9iago8PCAvQ0YgPDwgL1N0ZENGIDw8IC9BdXRoRXZlbnQgL0RvY09wZW4gL0NGTSAvQUVTVjIgL0xlbmd0aCAxNiA+PiA+"
    "PiAvRW5jcnlwdE1ldGFkYXRhIGZhbHNlIC9GaWx0ZXIgL1N0YW5kYXJkIC9MZW5ndGggMTI4IC9PIDxmMWE0NGVmNjMwYjFlNGQ0ZjVjOTk4"
    "ZjkxZTU0ODFlMzNiZDQ4OTc0NjdlNjFkNzMwYmUxYzQzNDlmNDRjZGExPiAvT0UgPD4gL1AgLTEwMjggL1IgNCAvU3RtRiAvU3RkQ0YgL1N0"
    "ckYgL1N0ZENGIC9VIDw2NmM0ZWIyOTYxNzhiZjZhMzhjZDdmMGQ4NTQ2ZDMxMDAwMjE0NDY5OTBiOWU0MTE0MDcxYTRkOTEwNDk4NGMxPiAv"
    "VUUgPD4gL1YgNCA+PgplbmRvYmoKeHJlZgowIDYKMDAwMDAwMDAwMCA2NTUzNSBmIAowMDAwMDAwMDE1IDAwMDAwIG4gCjAwMDAwMDAwNjQg"
    "MDAwMDAgbiAKMDAwMDAwMDEyMyAwMDAwMCBuIAowMDAwMDAwMjI3IDAwMDAwIG4gCjAwMDAwMDAzMzAgMDAwMDAgbiAKdHJhaWxlciA8PCAv"
    "Um9vdCAxIDAgUiAvU2l6ZSA2IC9JRCBbPGU3ZDM0MWE3ZDU0ODVkZmQzNjhiYTFmMDkzN2Y3NmNiPjxlN2QzNDFhN2Q1NDg1ZGZkMzY4YmEx"
    "ZjA5MzdmNzZjYj5dIC9FbmNyeXB0IDUgMCBSID4+CnN0YXJ0eHJlZgo2NjkKJSVFT0YK"
)
"""A PDF that opens by the password `titok`."""


@state(_GROUP)
def files_none(walker: Walker) -> None:
    """Photos can be added to a claim."""
    requests.request_claim_police(walker)
    walker.send("request-form", police="no")


@state(_GROUP, status=422)
def files_not_chosen(walker: Walker) -> None:
    """No file is chosen."""
    files_none(walker)
    walker.send("upload", ("", b""))


@state(_GROUP, status=422)
def files_empty(walker: Walker) -> None:
    """The file is empty."""
    files_none(walker)
    walker.send("upload", ("kép.jpg", b""))


@state(_GROUP, status=422)
def files_of_another_kind(walker: Walker) -> None:
    """The file is neither a photo nor a PDF."""
    files_none(walker)
    walker.send("upload", ("kép.gif", b"GIF89a"))


@state(_GROUP, status=422)
def files_too_many(walker: Walker) -> None:
    """There are twenty files already."""
    files_none(walker)
    for number in range(21):
        walker.send("upload", (f"{number}.png", _PHOTO))


@state(_GROUP)
def files_received(walker: Walker) -> None:
    """A photo has come and waits to be checked."""
    files_none(walker)
    walker.send("upload", ("bal hátsó ajtó.png", _PHOTO))


@state(_GROUP, status=409)
def files_unchecked(walker: Walker) -> None:
    """A file that was not accepted cannot be opened."""
    files_none(walker)
    walker.send("upload", ("serult.pdf", b"%PDF-1.7"))
    _check(walker)
    walker.open(walker.links(walker.address_of("uploads.show", upload_id=""))[0])


@state(_GROUP)
def files_ready(walker: Walker) -> None:
    """A photo is checked."""
    files_received(walker)
    _check(walker)


@state(_GROUP)
def files_refused(walker: Walker) -> None:
    """Files that cannot be accepted say why: one is infected, one is damaged."""
    files_received(walker)
    walker.send("upload", ("fertozott.png", _PHOTO + _EICAR))
    walker.send("upload", ("serult.pdf", b"%PDF-1.7"))
    _check(walker)


@state(_GROUP)
def files_locked(walker: Walker) -> None:
    """A PDF asks for its password."""
    files_none(walker)
    walker.send("upload", ("zárt.pdf", _LOCKED))
    _check(walker)


@state(_GROUP, status=422)
def files_locked_empty(walker: Walker) -> None:
    """The password of a PDF is missing."""
    files_locked(walker)
    walker.send("upload-password", file_password="")


@state(_GROUP, status=422)
def files_locked_wrong(walker: Walker) -> None:
    """The password of a PDF is wrong."""
    files_locked(walker)
    walker.send("upload-password", file_password="1234")


@state(_GROUP)
def files_reviewed(walker: Walker) -> None:
    """Among the answers, a file is still checked."""
    files_received(walker)
    _to_review(walker)


@state(_GROUP)
def files_reviewed_refused(walker: Walker) -> None:
    """Among the answers, a file was refused."""
    files_refused(walker)
    _to_review(walker)


@state(_GROUP)
def files_sent(walker: Walker) -> None:
    """What was sent with a request, with its receipts."""
    files_ready(walker)
    _to_review(walker)
    walker.act("send")
    walker.visit("requests.show", request_id=walker.path.rpartition("/")[2])


def _check(walker: Walker) -> None:
    """Do the worker's part, and look at the page again."""
    checking, pause = walker.parts.portal.uploads.checking, threading.Event()
    for _ in range(250):
        if not checking.check_due() and not checking.queue().waiting:
            break
        pause.wait(0.02)  # another process is checking it at this moment
    walker.visit("request_new.show", kind="claim-motor", kerdes="photos")


def _to_review(walker: Walker) -> None:
    walker.send("request-form")
    walker.send("request-form", account="HU42 1177 3016 1111 1018 0000 0000")
    walker.send("request-form", statement="1")
