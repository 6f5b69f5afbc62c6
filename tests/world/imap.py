"""A mailbox at a small IMAP server, as far as reading one needs it (RFC 9051)."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mailroom:
    """What is in the mailbox, and how the server behaves."""

    port: int = 0
    password: str = "jelszo"
    mails: list[bytes] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    breaks_off_at: str = ""
    """The command at which the server hangs up."""
    folders: list[str] = field(default_factory=list)
    """The folders that were asked for."""


@contextmanager
def imap_server() -> Iterator[Mailroom]:
    """Serve a mailbox on a free port of this machine."""
    room = Mailroom()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            while line := self.rfile.readline().decode().strip():
                tag, _, command = line.partition(" ")
                if room.breaks_off_at and room.breaks_off_at in command:
                    return
                self.wfile.write(_answer(room, command) + f"{tag} {_verdict(room, command)}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        room.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield room
        server.shutdown()
        thread.join()


def _verdict(room: Mailroom, command: str) -> str:
    if command.startswith("LOGIN"):
        return "OK done" if room.password in command else "NO wrong"
    return "OK done"


def _answer(room: Mailroom, command: str) -> bytes:
    if command.startswith("CAPABILITY"):
        return b"* CAPABILITY IMAP4rev1\r\n"
    if command.startswith("SELECT"):
        room.folders.append(command.removeprefix("SELECT ").strip('"'))
        return f"* {len(room.mails)} EXISTS\r\n".encode()
    if command.startswith("UID SEARCH"):
        unseen = [str(number) for number in range(1, len(room.mails) + 1) if number not in room.seen]
        return f"* SEARCH {' '.join(unseen)}\r\n".encode()
    number = int((re.findall(r"\d+", command) or ["0"])[0])
    if command.startswith("UID FETCH"):
        mail = room.mails[number - 1]
        return f"* {number} FETCH (UID {number} BODY[]<0> {{{len(mail)}}}\r\n".encode() + mail + b")\r\n"
    if command.startswith("UID STORE"):
        room.seen.add(number)
    return b"* BYE\r\n" if command.startswith("LOGOUT") else b""
