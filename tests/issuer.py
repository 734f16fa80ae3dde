"""A stand-in for an OpenID Connect issuer, over real HTTP: strict, and a liar where told to be."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "flag staff:1"
SECRET = "s3cret & long: +/%"


def new_key(kid="k1"):
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, private=True)


class StandInIssuer(ThreadingHTTPServer):
    """One person is signed in there, and agrees to everything.

    `person` is what is said of them; `tamper` changes the claims of a token before it is signed,
    `sign` signs in place of ours, `answers` are codes to answer with instead of doing one's work.
    """

    daemon_threads = True

    def __init__(self, redirect_uri, key):
        super().__init__(("127.0.0.1", 0), _Answering)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.redirect_uri = redirect_uri
        self.secret = SECRET
        self.person = {"sub": "4711", "email": "Ada@Example.com", "email_verified": True}
        self.more = {}
        self.tamper = lambda claims: claims
        self.sign = self.signed
        self.key, self.algorithm, self.published = key, "RS256", [key]
        self.document = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize?realm=1",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "authorization_response_iss_parameter_supported": True,
        }
        self.refuses = ""
        self.asked = []
        self.given = []
        self._codes = {}
        self._access = ""

    def signed(self, claims):
        return jwt.encode(
            {"alg": self.algorithm, "kid": self.key.kid}, claims, self.key, [self.algorithm]
        )

    def authorize(self, query):
        assert query["client_id"] == CLIENT
        assert query["response_type"] == "code"
        assert query["realm"] == "1"
        assert "openid" in query["scope"].split()
        assert query["code_challenge_method"] == "S256"
        assert len(query["code_challenge"]) == 43
        assert query["nonce"]
        assert query["redirect_uri"] == self.redirect_uri, query["redirect_uri"]
        back = {"state": query["state"], "iss": self.url}
        if self.refuses:
            return f"{self.redirect_uri}?{urlencode({**back, 'error': self.refuses})}"
        code = secrets.token_urlsafe()
        self._codes[code] = query
        self.given.append(code)
        return f"{self.redirect_uri}?{urlencode({**back, 'code': code})}"

    def token(self, form, authorization):
        scheme, _, pair = authorization.partition(" ")
        name, _, secret = base64.b64decode(pair).decode().partition(":")
        known = (scheme, unquote_plus(name), unquote_plus(secret)) == ("Basic", CLIENT, self.secret)
        if not known:
            return 401, {"error": "invalid_client"}
        asked = self._codes.pop(form.get("code"), None)
        verifier = form.get("code_verifier", "")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        if (
            asked is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != asked["redirect_uri"]
            or challenge.decode().rstrip("=") != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant", "error_description": form.get("code", "")}
        self._access = secrets.token_urlsafe()
        half = hashlib.sha256(self._access.encode()).digest()[:16]
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
            **self.person,
        }
        id_token = self.sign(self.tamper(claims))
        self.given += [self._access, id_token, verifier, asked["nonce"], asked["state"]]
        return 200, {"access_token": self._access, "token_type": "Bearer", "id_token": id_token}

    def __enter__(self):
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
            self.server_close()


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        server, parts = self.server, urlsplit(self.path)
        server.asked.append(parts.path)
        match parts.path:
            case "/.well-known/openid-configuration":
                self._say(200, server.document)
            case "/keys":
                keys = [
                    each if isinstance(each, dict) else each.as_dict(private=False)
                    for each in server.published
                ]
                self._say(200, {"keys": keys})
            case "/userinfo":
                good = self.headers["Authorization"] == f"Bearer {server._access}"
                self._say(200, {"sub": server.person["sub"], **server.more} if good else {})
            case "/authorize":
                query = {key: value for key, (value,) in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", server.authorize(query))
                self.end_headers()
            case _:
                self._say(404, {})

    def do_POST(self):
        self.server.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {key: value for key, (value,) in parse_qs(body).items()}
        self._say(*self.server.token(form, self.headers.get("Authorization", "")))

    def _say(self, code, body):
        found = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    def log_message(self, *_):
        pass
