"""nginx with the site of deploy/nginx, in a folder and on ports of its own."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import ROOT
from tests.ports import free_port

SITE = ROOT / "deploy" / "nginx" / "belepo.conf"
PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
HOST = "ugyfel.example.hu"

_MAIN = """
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/main.log;
events {{ worker_connections 4096; }}
http {{
{places}
include {folder}/belepo.conf;
}}
"""


class Nginx:
    """The site in a folder, in front of servers on this machine; `port` speaks TLS, with the certificate in `ca`."""

    def __init__(self, folder: Path, upstreams: Sequence[int], *, workers: int = 1) -> None:
        self.folder, self.port = folder, free_port()
        self.ca, self.log = folder / "fullchain.pem", folder / "belepo.log"
        self.error_log = folder / "belepo-error.log"
        _write_certificate(folder)
        site = SITE.read_text("utf-8")
        site = re.sub(r"listen \[::\].*\n", "", site)
        site = site.replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
        site = site.replace("listen 443 ", f"listen 127.0.0.1:{self.port} ")
        site = site.replace("/etc/ssl/belepo", str(folder)).replace("/var/log/nginx", str(folder))
        (line,) = re.findall(r" +server 127\.0\.0\.1:8000.*\n", site)
        site = site.replace(line, "".join(line.replace("8000", str(port)) for port in upstreams))
        (folder / "belepo.conf").write_text(site, "utf-8")
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        self._main = folder / "nginx.conf"
        self._main.write_text(_MAIN.format(folder=folder, workers=workers, places=places), "utf-8")

    def judge(self) -> "subprocess.CompletedProcess[str]":
        """Have nginx read it."""
        return subprocess.run([*self._command, "-t"], capture_output=True, text=True, check=False, timeout=60)

    @contextmanager
    def running(self) -> Iterator[int]:
        """Run it; yield the process's id."""
        process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            while not _listens(self.port):
                assert process.poll() is None, (self.folder / "main.log").read_text("utf-8")
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)

    @property
    def _command(self) -> list[str]:
        assert PROGRAM is not None
        # `user root`: as root it would give up its rights, and its folder here is readable for its owner alone.
        as_root = ["-g", "user root;"] if os.geteuid() == 0 else []
        return [PROGRAM, "-p", str(self.folder), "-c", str(self._main), "-e", str(self.folder / "main.log"), *as_root]


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.DNSName("localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
