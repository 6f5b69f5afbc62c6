"""Reads the PDF files that the product makes, as a reader and as a checker of PDF/UA."""

import io
import re
import tempfile
from pathlib import Path

import pdfua
from pypdf import PdfReader


def text_of(content: bytes, password: str = "") -> str:
    """Return the words of a PDF in reading order, each run of space as one."""
    reader = PdfReader(io.BytesIO(content), password=password or None)
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader.pages)).strip()


def language_of(content: bytes) -> str:
    """Return the language that a PDF declares."""
    return str(PdfReader(io.BytesIO(content)).trailer["/Root"]["/Lang"])


def faults_of(content: bytes) -> list[str]:
    """Return what in a PDF is against PDF/UA-1, as far as a program can tell."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "paper.pdf"
        file.write_bytes(content)
        return [f"{one.rule_id}: {one.message}" for one in pdfua.validate(str(file)).findings]
