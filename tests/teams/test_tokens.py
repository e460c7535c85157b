"""The four ways in which the app proves itself, each against the login that takes it."""

from __future__ import annotations

import base64
import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import jwt
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.teams.credentials import ASSERTION, Proof
from adapters.teams.tokens import KeptToken, proof_of
from bot.errors import SettingsError, Unavailable
from bot.settings import load_settings
from sandbox.teams.framework import BotFramework
from sandbox.teams.signing import key
from sandbox.teams.tenants import Tenant

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def framework() -> AsyncIterator[BotFramework]:
    """Entra, and Azure's endpoints of managed identities."""
    made = BotFramework()
    yield made
    made.close()


@pytest.fixture
def tenant(framework: BotFramework) -> Tenant:
    return framework.tenant()


def proof(framework: BotFramework, tenant: Tenant, **way: object) -> Proof:
    """Return how an app with these settings proves itself."""
    known = {"teams_app_id": tenant.app_id, "teams_tenant_id": tenant.id, "teams_login_url": framework.url}
    return proof_of(load_settings(aws_endpoint_url="http://127.0.0.1:1", **known, **way))


async def fetched(how: Proof) -> str:
    async with httpx.AsyncClient() as http:
        return await KeptToken(http, how).token()


def certified(folder: Path) -> tuple[Path, x509.Certificate]:
    """Return a PEM file with a certificate and its private key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "quartermaster")])
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key("an app's").public_key(), x509.random_serial_number())
    made = builder.not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=9000))
    certificate = made.sign(key("an app's"), hashes.SHA256())
    private = key("an app's").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "app.pem"
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path, certificate


async def test_a_secret_is_shown(framework: BotFramework, tenant: Tenant) -> None:
    assert await fetched(proof(framework, tenant, teams_app_secret=tenant.secret)) in tenant.tokens


async def test_a_certificate_signs_a_short_lived_assertion(
    framework: BotFramework, tenant: Tenant, tmp_path: Path
) -> None:
    path, certificate = certified(tmp_path)
    assert await fetched(proof(framework, tenant, teams_app_certificate=path)) in tenant.tokens
    shown = tenant.proofs[-1]
    assert shown["client_assertion_type"] == ASSERTION
    assert "client_secret" not in shown
    audience = f"{framework.url}/{tenant.id}/oauth2/v2.0/token"
    assertion = shown["client_assertion"]
    told = jwt.decode(assertion, key("an app's").public_key(), algorithms=["PS256"], audience=audience)
    assert told["iss"] == told["sub"] == tenant.app_id
    assert told["exp"] - told["nbf"] <= 600
    thumb = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
    assert jwt.get_unverified_header(assertion)["x5t#S256"] == thumb


async def test_a_file_that_is_no_certificate_is_named_without_its_contents(
    framework: BotFramework, tenant: Tenant, tmp_path: Path
) -> None:
    path = tmp_path / "app.pem"
    path.write_text("a private thing", encoding="utf-8")
    with pytest.raises(Unavailable, match="TEAMS_APP_CERTIFICATE") as told:
        await fetched(proof(framework, tenant, teams_app_certificate=path))
    assert "a private thing" not in told.value.sentence()


async def test_a_workloads_own_token_is_read_anew_each_time(
    framework: BotFramework, tenant: Tenant, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_text("first\n", encoding="utf-8")
    how = proof(framework, tenant, teams_federated_token_file=path)
    assert await fetched(how) in tenant.tokens
    path.write_text("second\n", encoding="utf-8")
    assert await fetched(how) in tenant.tokens
    assert [shown["client_assertion"] for shown in tenant.proofs] == ["first", "second"]
    path.unlink()
    with pytest.raises(Unavailable, match="can't be read"):
        await fetched(how)


@pytest.mark.parametrize("in_app_service", [False, True])
async def test_a_managed_identity_shows_nothing_but_where_it_is(
    framework: BotFramework, tenant: Tenant, in_app_service: bool
) -> None:
    url = f"{framework.url}/identity"
    header = {"teams_identity_header": tenant.secret} if in_app_service else {}
    assert await fetched(proof(framework, tenant, teams_identity_url=url, **header)) in tenant.tokens
    assert tenant.proofs[-1]["api-version"] == ("2019-08-01" if in_app_service else "2018-02-01")
    assert "client_secret" not in tenant.proofs[-1]


async def test_what_is_refused_says_what_to_look_after(framework: BotFramework, tenant: Tenant) -> None:
    tenant.login_status = 401
    with pytest.raises(Unavailable, match="401 invalid_client") as told:
        await fetched(proof(framework, tenant, teams_identity_url=f"{framework.url}/identity"))
    assert "assigned" in told.value.sentence()


async def test_two_ways_or_an_endpoint_far_away_are_refused(
    framework: BotFramework, tenant: Tenant, tmp_path: Path
) -> None:
    path, _ = certified(tmp_path)
    for way in (
        {"teams_app_secret": "x", "teams_app_certificate": path},
        {"teams_identity_url": "http://identity.example/token"},
        {"teams_federated_token_file": tmp_path / "nowhere"},
    ):
        with pytest.raises(SettingsError):
            proof(framework, tenant, **way)
