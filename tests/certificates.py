"""Certificates for one run of the tests, made by `openssl`."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@dataclass(frozen=True)
class Authority:
    """One that signs certificates; whoever trusts `certificate` trusts them."""

    folder: Path
    name: str = "authority"

    @property
    def certificate(self) -> Path:
        """What to trust."""
        return self.folder / f"{self.name}.pem"

    @property
    def key(self) -> Path:
        """What signs."""
        return self.folder / f"{self.name}.key"

    def sign(self, name: str, *alternatives: str) -> tuple[Path, Path]:
        """A certificate for names such as ``DNS:pbx.example.com``, ``IP:10.0.0.1``; gives it and its key."""
        certificate, key, request = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={','.join(alternatives)}\n" if alternatives else "")
        _openssl("req", "-new", *_new_key(key), "-subj", f"/CN={name}", "-out", request)
        signed_by = ("-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", "2")
        _openssl("x509", "-req", "-in", request, *signed_by, "-extfile", extensions, "-out", certificate)
        return certificate, key

    def client(self, *chain: Path) -> ssl.SSLContext:
        """A client that trusts it, perhaps with a certificate of its own."""
        context = ssl.create_default_context(cafile=self.certificate)
        context.check_hostname = False
        if chain:
            context.load_cert_chain(*chain)
        return context

    def server(self, *chain: Path) -> ssl.SSLContext:
        """A server with a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*chain)
        return context


def make_authority(folder: Path, name: str = "authority") -> Authority:
    """A new one."""
    authority = Authority(folder, name)
    signed = ("-x509", "-days", "2", "-out", authority.certificate)
    _openssl("req", *_new_key(authority.key), *signed, "-subj", f"/CN=Tests of Arietta, {name}")
    return authority


def _new_key(key: Path) -> tuple[str | Path, ...]:
    return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=20)
