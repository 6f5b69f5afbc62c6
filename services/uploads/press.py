"""Makes the rendition of one file, as a program of its own with limits on memory and time (P40).

Run by path, so that it loads nothing of the server and is given none of its secrets. It reads the file from standard
input, which is seekable, writes the rendition to standard output, which is one too, and says what became of it as JSON
on standard error. `services.uploads.renditions` runs it.
"""

import json
import os
import resource
import sys
from importlib import import_module
from typing import IO, Any

MOST_PIXELS = 110_000_000
"""Of a photo: the largest cameras of phones have 108 million by default."""
LARGEST_SIDE = 2048
MOST_PAGES = 200
_QUALITY = 85
_MEMORY = 1024 * 1024 * 1024
"""Bytes of address space, the libraries included."""
_CPU_SECONDS = 20
_LARGEST_RENDITION = 64 * 1024 * 1024
_DECODED = 64 * 1024 * 1024
"""Bytes that one compressed stream of a PDF may hold."""
_FORMATS = {"jpeg": ("JPEG", "MPO"), "png": ("PNG",), "heic": ("HEIF",)}
_OF_A_PAGE = ("/Type", "/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Resources", "/Contents", "/Group")
"""What a page keeps: no actions, annotations, thumbnails or data of other programs."""
_NEVER = ("/JS", "/AA", "/A", "/OpenAction", "/EF", "/AF", "/RichMediaContent", "/Metadata", "/PieceInfo")
_A_MARK = "/S"
"""Beside `/A`, this names what an action does."""


class Refused(Exception):
    """The file has no rendition; the message is the reason, which ends a key of the texts."""


def photo(kind: str, source: IO[bytes], out: IO[bytes]) -> str:
    """Write a photo as JPEG: upright, at most 2048 pixels long, with nothing but its pixels. Raises Refused."""
    image: Any = import_module("PIL.Image")
    if kind == "heic":
        import_module("pi_heif").register_heif_opener(thumbnails=False)
    vars(image)["MAX_IMAGE_PIXELS"] = None  # bounded here, without a warning
    try:
        with image.open(source, formats=[_FORMATS[kind][0]]) as opened:
            width, height = opened.size
            if width * height > MOST_PIXELS:
                raise Refused("pixels")
            opened.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))  # a JPEG is decoded smaller at once
            opened.load()
            pixels = _plain(image, import_module("PIL.ImageOps").exif_transpose(opened))
    except (Refused, MemoryError):
        raise
    except Exception:  # decoders raise errors of many kinds for what they cannot read
        raise Refused("damaged") from None
    pixels.save(out, "JPEG", quality=_QUALITY)
    return "image/jpeg"


def _plain(image: Any, decoded: Any) -> Any:
    """Return the pixels alone, small enough, in the colours that every screen knows."""
    profile = decoded.info.get("icc_profile")
    decoded.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    if "A" in decoded.getbands() or "transparency" in decoded.info:
        seen = decoded.convert("RGBA")
        decoded = image.new("RGB", seen.size, "white")
        decoded.paste(seen, mask=seen.getchannel("A"))
    elif profile and decoded.mode == "RGB":
        decoded = _in_srgb(decoded, profile)
    pixels = decoded.convert("RGB")
    pixels.info = {}
    return pixels


def _in_srgb(decoded: Any, profile: bytes) -> Any:
    """Return a photo in sRGB, as its profile, which goes, means its colours; unchanged where that cannot be read."""
    colours = import_module("PIL.ImageCms")
    try:
        own = colours.ImageCmsProfile(import_module("io").BytesIO(profile))
        return colours.profileToProfile(decoded, own, colours.createProfile("sRGB"))
    except (colours.PyCMSError, OSError, ValueError):
        return decoded


def document(source: IO[bytes], out: IO[bytes], password: str) -> str:
    """Rewrite a PDF: its pages as they look, without scripts, actions, attachments, forms and password.

    Raises Refused; with `locked` as its reason where the file has a user password and `password` is not it.
    """
    pikepdf = _reader()
    try:
        with pikepdf.open(source, password=password) as opened, pikepdf.Pdf.new() as plain:
            if "/Collection" in opened.Root:  # its content is in the files that it carries
                raise Refused("nested")
            _count(opened)
            opened.generate_appearance_streams()
            opened.flatten_annotations("screen")
            plain.pages.extend(opened.pages)
            for page in plain.pages:
                for key in set(page.obj.keys()) - {*_OF_A_PAGE, "/Parent"}:
                    del page.obj[key]
            _disarm(pikepdf, plain)
            plain.save(out, encryption=False, static_id=True)
    except pikepdf.PasswordError:
        raise Refused("locked") from None
    except (Refused, MemoryError):
        raise
    except Exception:  # qpdf raises errors of several kinds for what it cannot read
        raise Refused("damaged") from None
    return "application/pdf"


def unlocked(source: IO[bytes], out: IO[bytes], password: str) -> str:
    """Write a PDF without its password and otherwise as it was, so that a scanner sees what is in it. Raises Refused.

    A wrong password is the reason `locked`.
    """
    pikepdf = _reader()
    try:
        with pikepdf.open(source, password=password) as opened:
            opened.save(out, encryption=False)
    except pikepdf.PasswordError:
        raise Refused("locked") from None
    except MemoryError:
        raise
    except Exception:
        raise Refused("damaged") from None
    return "application/pdf"


def _reader() -> Any:
    reader = import_module("pikepdf")
    import_module("pikepdf.settings").set_qpdf_limits(
        flate_max_memory=_DECODED,
        png_max_memory=_DECODED,
        tiff_max_memory=_DECODED,
        run_length_max_memory=_DECODED,
        dct_max_memory=_DECODED,
        parser_max_container_size=1_000_000,
        doc_max_warnings=100,
    )
    return reader


def _count(opened: Any) -> None:
    pages = len(opened.pages)
    if not pages:
        raise Refused("damaged")
    if pages > MOST_PAGES:
        raise Refused("pages")


def _disarm(pikepdf: Any, plain: Any) -> None:
    """Take out of every object what acts, or what is not seen."""
    for one in plain.objects:
        if isinstance(one, (pikepdf.Dictionary, pikepdf.Stream)):
            for key in _NEVER:
                if key in one and (key != "/A" or _is_action(pikepdf, one[key])):
                    del one[key]


def _is_action(pikepdf: Any, value: Any) -> bool:
    return isinstance(value, pikepdf.Dictionary) and _A_MARK in value


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_FSIZE, _LARGEST_RENDITION),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def main(kind: str, password: str) -> dict[str, str]:
    """Make the rendition of standard input; return its `type`, or the `reason` for which there is none."""
    _limit()
    try:
        with open(0, "rb", closefd=False) as source, open(1, "w+b", closefd=False) as out:
            if kind == "unlock":
                made = unlocked(source, out, password)
            else:
                made = document(source, out, password) if kind == "pdf" else photo(kind, source, out)
    except Refused as refused:
        return {"reason": str(refused)}
    except MemoryError:
        return {"reason": "damaged" if kind in ("pdf", "unlock") else "pixels"}
    return {"type": made}


if __name__ == "__main__":
    # The password is in the environment, which other users of the machine cannot read, unlike a program's arguments.
    print(json.dumps(main(sys.argv[1], os.environ.pop("FILE_PASSWORD", ""))), file=sys.stderr)
