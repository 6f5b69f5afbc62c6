"""Looking for viruses in files: clamd, by its INSTREAM command (P41)."""

import socket
import struct
from contextlib import closing
from typing import IO, Protocol
from urllib.parse import urlsplit

_CHUNK = 64 * 1024
_PATIENCE = 30.0
"""Seconds that clamd may take for each answer: while it reloads its signatures, files wait."""
_PORT = 3310
_LONGEST_ANSWER = 4096


class ScannerUnavailable(Exception):
    """The scanner does not answer, or answers that it could not look. The message holds nothing of a file."""


class Scanner(Protocol):
    """Looks for viruses."""

    def find(self, file: IO[bytes]) -> str | None:
        """Return the name of what is found in `file`, read from its beginning on; None when it is clean.

        Raises ScannerUnavailable: nobody knows then, and nobody may open the file.
        """
        ...

    def probe(self) -> None:
        """Ask whether the scanner is there. Raises ScannerUnavailable."""
        ...


class ClamdScanner:
    """clamd, over TCP or a socket of this machine. It talks its own protocol of some ten lines (man 8 clamd)."""

    def __init__(self, url: str) -> None:
        """Use the clamd at ``tcp://host:port`` or ``unix:<path>``."""
        self._url = url

    def find(self, file: IO[bytes]) -> str | None:
        """Return the name of what clamd finds in `file`, or None. Raises ScannerUnavailable."""
        file.seek(0)
        try:
            with closing(self._connected()) as link:
                link.sendall(b"zINSTREAM\0")
                while chunk := file.read(_CHUNK):
                    link.sendall(struct.pack(">I", len(chunk)) + chunk)
                link.sendall(struct.pack(">I", 0))
                answer = _answer(link)
        except OSError as error:
            raise ScannerUnavailable(f"clamd: {type(error).__name__}") from error
        words = answer.removeprefix("stream: ")
        if words == "OK":
            return None
        if words.endswith(" FOUND"):
            return words.removesuffix(" FOUND")
        raise ScannerUnavailable("clamd could not look at a file")

    def probe(self) -> None:
        """Ask clamd whether it is there. Raises ScannerUnavailable."""
        try:
            with closing(self._connected()) as link:
                link.sendall(b"zPING\0")
                answer = _answer(link)
        except OSError as error:
            raise ScannerUnavailable(f"clamd: {type(error).__name__}") from error
        if answer != "PONG":
            raise ScannerUnavailable("clamd does not answer as clamd")

    def _connected(self) -> socket.socket:
        if self._url.startswith("unix:"):
            link = socket.socket(socket.AF_UNIX)
            try:
                link.settimeout(_PATIENCE)
                link.connect(self._url.removeprefix("unix:"))
            except OSError:
                link.close()
                raise
            return link
        parts = urlsplit(self._url)
        link = socket.create_connection((parts.hostname or "", parts.port or _PORT), _PATIENCE)
        link.settimeout(_PATIENCE)
        return link


def scanner_at(url: str) -> Scanner | None:
    """Return the scanner that the setting names, None where there is none."""
    return ClamdScanner(url) if url else None


def _answer(link: socket.socket) -> str:
    """Return what clamd answers, up to its zero byte; an answer without an end is none."""
    answer = b""
    while not answer.endswith(b"\0"):
        more = link.recv(_LONGEST_ANSWER)
        if not more or len(answer) > _LONGEST_ANSWER:
            raise ConnectionAbortedError
        answer += more
    return answer.rstrip(b"\0").decode("utf-8", "replace")
