"""An authority that signs certificates for tests: of any name and age."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
DAY = timedelta(days=1)


class Authority:
    """`file` is its own certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = _named("authority")
        own = x509.BasicConstraints(ca=True, path_length=0)
        self.file = folder / "authority.pem"
        self.file.write_bytes(_pem(self._signed(self._name, self._key, own, DAY)))

    def issue(self, name: x509.GeneralName, lasts: timedelta = DAY) -> Path:
        """For whoever has this name, with its key in the same file; less than nothing is over."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(_named(str(name.value)), key, x509.SubjectAlternativeName([name]), lasts)
        file = self._folder / f"{name.value}_{lasts.days}.pem"
        file.write_bytes(_pem(made) + _private(key))
        return file

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        extension: x509.ExtensionType,
        lasts: timedelta,
    ) -> x509.Certificate:
        until = datetime.now(UTC) + lasts
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(until - 3 * DAY)
            .not_valid_after(until)
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .sign(self._key, hashes.SHA256())
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
