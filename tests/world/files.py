"""Small files as customers send them: photos, PDFs, and what only looks like one."""

import struct
import zlib
from functools import cache
from io import BytesIO
from typing import Any

import pikepdf
import pillow_heif
from pikepdf import Array, Dictionary, Name, String
from PIL import ExifTags, Image

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_RIGHT_SIDE_UP = {"upright": 1, "on its side": 6}


def image_of(content: bytes) -> Image.Image:
    """Return a picture that was read."""
    return Image.open(BytesIO(content))


@cache
def photo(kind: str = "JPEG", width: int = 64, height: int = 48, *, turned: str = "on its side") -> bytes:
    """Return a photo as a phone makes it: red above, blue below, with a place, and turned by its EXIF data."""
    picture = Image.new("RGB", (width, height), "red")
    picture.paste("blue", (0, height // 2, width, height))
    if turned == "on its side":
        picture = picture.transpose(Image.Transpose.ROTATE_90)  # which the orientation turns back
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = _RIGHT_SIDE_UP[turned]
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude] = "N", (47.0, 29.0, 33.0)
    out = BytesIO()
    if kind == "HEIC":
        pillow_heif.from_pillow(picture).save(out, exif=exif.tobytes(), quality=90)
    else:
        extra: dict[str, Any] = {"comment": b"Anna's telephone"} if kind == "JPEG" else {}
        picture.save(out, kind, exif=exif, **extra)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of one colour that is small until it is decoded."""
    line, packer = b"\0" * (width // 8 + 1), zlib.compressobj(9)
    pixels = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    written = (struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
               for name, data in chunks)  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


@cache
def paper(pages: int = 1, *, user: str | None = None, owner: str | None = None) -> bytes:
    """Return a PDF of so many pages, which opens with the password `user`, or alone where only `owner` is given."""
    return _written(_paper(pages), user=user, owner=owner)


@cache
def armed_paper() -> bytes:
    """Return a PDF with scripts, actions, a form and an attachment."""
    document = _paper(1)
    script = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
    document.Root.OpenAction = script
    document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("x"), script])))
    document.attachments["macro.exe"] = b"MZ" * 40
    page = document.pages[0].obj
    page.AA = Dictionary(O=Dictionary(S=Name.Launch, F=String("calc.exe")))
    link = Dictionary(
        Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=Dictionary(S=Name.URI, URI=String("https://x.example"))
    )
    field = Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("name"), V=String("filled in"), Rect=[9, 9, 99, 30],
        DA=String("/Helv 12 Tf"), AA=Dictionary(K=script),
    )  # fmt: skip
    page.Annots = Array([document.make_indirect(link), document.make_indirect(field)])
    helvetica = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    document.Root.AcroForm = Dictionary(
        Fields=Array([page.Annots[1]]), NeedAppearances=True, DA=String("/Helv 12 Tf"),
        DR=Dictionary(Font=Dictionary(Helv=helvetica)),
    )  # fmt: skip
    return _written(document)


@cache
def portfolio() -> bytes:
    """Return a PDF whose content is in the files that it carries."""
    document = _paper(1)
    document.attachments["photo.jpg"] = photo()
    document.Root.Collection = Dictionary(Type=Name.Collection)
    return _written(document)


@cache
def swollen_paper() -> bytes:
    """Return a PDF with a stream that is 500 times as long once it is unpacked, and that its pages share."""
    document = _paper(1)
    document.pages[0].Contents = document.make_stream(b" " * (100 * 1024 * 1024))
    return _written(document)


@cache
def nested_paper() -> bytes:
    """Return a PDF whose pages are in a tree of ten thousand floors."""
    floors = 10_000
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    objects += [b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % (number + 3) for number in range(floors)]
    objects.append(b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 9 9] >>" % (floors + 1))
    body, places = b"%PDF-1.7\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj %s endobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, table, len(objects) + 1, len(body),
    )  # fmt: skip


def readable(content: bytes) -> bytes:
    """Return a PDF's objects and streams unpacked, to be searched."""
    out = BytesIO()
    with pikepdf.open(BytesIO(content)) as opened:
        opened.save(
            out,
            compress_streams=False,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            stream_decode_level=pikepdf.StreamDecodeLevel.all,
        )
    return out.getvalue()


def _paper(pages: int) -> pikepdf.Pdf:
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page()
    helvetica = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    first = document.pages[0]
    first.Resources = Dictionary(Font=Dictionary(F1=helvetica))
    first.Contents = document.make_stream(b"BT /F1 12 Tf 72 72 Td (the words of the page) Tj ET")
    return document


def _written(document: pikepdf.Pdf, *, user: str | None = None, owner: str | None = None) -> bytes:
    out = BytesIO()
    is_open = user is None and owner is None
    document.save(
        out,
        deterministic_id=is_open,
        encryption=False if is_open else pikepdf.Encryption(owner=owner or user or "", user=user or ""),
    )
    return out.getvalue()
