"""A small OpenID Connect provider that speaks real HTTP, and can be told to misbehave."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from tests.console.stage import UpServer

CLIENT_ID = "quartermaster"
CLIENT_SECRET = "a secret of at least thirty-two characters"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})


class Provider:
    """Signs `claims` in. What differs from an honest provider is set by tests, field by field."""

    def __init__(self) -> None:
        self.url = ""
        self.claims: dict[str, Any] = {
            "sub": "u-1",
            "email": "ana@corp.example",
            "email_verified": True,
            "name": "Ana Lopez",
            "given_name": "Ana",
        }
        self.changes: dict[str, Any] = {}
        """Claims of the id_token that are not as they should be; None leaves one out."""
        self.userinfo: dict[str, Any] = {}
        self.key = KEY
        self.algorithm = "RS256"
        self.metadata: dict[str, Any] = {}
        self.denies = ""
        self.is_broken = False
        self.asked: dict[str, str] = {}
        """What the last way here asked for."""
        self.moved_to = ""
        """Where discovery is said to be now."""
        self.seen: list[str] = []
        self.answers: dict[str, str] = {}
        """What is added to the way back."""
        self._codes: dict[str, dict[str, str]] = {}
        self.app = FastAPI()
        for method, path, handler in (
            ("GET", "/.well-known/openid-configuration", self._describe),
            ("GET", "/authorize", self._authorize),
            ("POST", "/token", self._token),
            ("GET", "/keys", self._keys),
            ("GET", "/userinfo", self._userinfo),
        ):
            self.app.add_api_route(path, handler, methods=[method], response_model=None)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[Provider]:
        """Serve on a free port."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            server = UpServer(uvicorn.Config(self.app, log_level="error", lifespan="off", ws="none"))
            task = asyncio.create_task(server.serve(sockets=[listener]))
            await server.is_up.wait()
            try:
                yield self
            finally:
                server.should_exit = True
                await task

    async def _describe(self, request: Request) -> Response:
        self.seen.append(request.url.path)
        if self.moved_to:
            return RedirectResponse(self.moved_to, 302)
        if self.is_broken:
            return Response("not now", 503)
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                **self.metadata,
            }
        )

    async def _authorize(self, request: Request) -> Response:
        asked = self.asked = dict(request.query_params)
        back = asked["redirect_uri"]
        if self.denies:
            return RedirectResponse(f"{back}?{urlencode({'error': self.denies, 'state': asked['state']})}", 302)
        if asked.get("client_id") != CLIENT_ID or asked.get("code_challenge_method") != "S256":
            return Response("bad request", 400)
        code = secrets.token_urlsafe(12)
        self._codes[code] = asked
        return RedirectResponse(f"{back}?{urlencode({'code': code, 'state': asked['state'], **self.answers})}", 302)

    async def _token(self, request: Request) -> Response:
        form = {k: str(v) for k, v in (await request.form()).items()}
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        fits = (
            asked is not None
            and asked["code_challenge"] == challenge.decode().rstrip("=")
            and asked["redirect_uri"] == form.get("redirect_uri")
            and request.headers.get("authorization") == f"Basic {basic}"
        )
        if not fits or asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        if "max_age" in asked:
            claims |= {"auth_time": now, "acr": asked.get("acr_values", "").partition(" ")[0] or "urn:password"}
        claims = {k: v for k, v in (claims | self.claims | self.changes).items() if v is not None}
        key: Any = self.key if self.algorithm == "RS256" else OctKey.import_key(CLIENT_SECRET)
        token = (
            _unsigned(claims)
            if self.algorithm == "none"
            else jwt.encode({"alg": self.algorithm, "kid": "one"}, claims, key)
        )
        return JSONResponse({"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    async def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [KEY.as_dict(private=False)]})

    async def _userinfo(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer access":
            return Response(status_code=401)
        return JSONResponse(self.userinfo)


def _unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts)
    return ".".join([*encoded, ""])
