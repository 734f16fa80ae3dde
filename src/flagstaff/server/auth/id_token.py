"""Is this token the issuer's, for us, of now, and for this sign-on?

Only signatures of a private key count. With `none` or a shared secret anybody could sign, the
latter with the public key in the secret's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from authlib.oidc.core.claims import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from flagstaff.errors import Refused

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
    "Ed25519",
)
LEEWAY: Final = 60
"""Seconds by which the issuer's clock and ours may differ."""

LONGEST_SUBJECT: Final = 255
LONGEST_HEADER: Final = 8192
"""Bytes; some issuers send their certificates along."""


class UnknownKey(Exception):
    """None of these keys has signed it; perhaps the issuer has newer ones."""


def claims_of(
    token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, access_token: str
) -> Mapping[str, Any]:
    """Return what a token says of somebody.

    Raises:
        UnknownKey: it may be good, but not by these keys.
        Refused: it is not good.
    """
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    registry.max_header_length = LONGEST_HEADER
    try:
        decoded = jwt.decode(token, keys, registry=registry)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
                "sub": {"essential": True},
            },
            params={"client_id": client_id, "nonce": nonce, "access_token": access_token},
        )
        claims.validate(leeway=LEEWAY)
    except (BadSignatureError, InvalidKeyIdError) as exc:
        raise UnknownKey from exc
    except JoseError as exc:
        raise _refused(str(exc)) from exc
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise _refused("it is malformed") from exc
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise _refused("its `sub` is no name")
    return dict(claims)


def _refused(why: str) -> Refused:
    return Refused(
        f"the issuer's ID token is not good: {' '.join(why.split())[:200]}",
        hint="sign in again; if it stays so, an admin compares FLAGSTAFF_OIDC_CLIENT_ID, the "
        "issuer's settings and both clocks",
    )
