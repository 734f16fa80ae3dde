"""Does a web address answer as a step expects?

Whoever writes an issue or a plan may name the address, so it must not reach what only the server
can: the name is looked up once, every address it has must be public, and that very address is
connected to. Redirects are not followed, and no proxy is used.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import socket
import ssl
import threading
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from flagstaff.rollouts.checks import CheckHttp
from flagstaff.rollouts.event import Answer

READ = 64_000
"""Bytes of an answer that are read."""

SHOWN = 500
PORTS = {"http": 80, "https": 443}
HIGHEST_PORT = 65_535


class _Unreachable(Exception):
    """Why an address was not asked, or did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCheck:
    """Asks web addresses; private ones only of the hosts named."""

    private_hosts: tuple[str, ...] = ()

    def ask(self, check: CheckHttp) -> Answer:
        """Return whether the answer is as expected, in words; no answer is a no."""
        try:
            status, body = self._fetch(check)
        except _Unreachable as exc:
            return Answer(yes=False, text=f"{_shown(check.url)}: {exc}")
        except (OSError, http.client.HTTPException, ValueError) as exc:
            why = "it took too long" if isinstance(exc, TimeoutError) else _why(exc)
            return Answer(yes=False, text=f"{_shown(check.url)} does not answer: {why}")
        return _judged(check, status, body)

    def _fetch(self, check: CheckHttp) -> tuple[int, bytes]:
        url = urlsplit(check.url)
        host, port = _target(url)
        seconds = check.timeout.total_seconds()
        address = self._address(host, port)
        sock = socket.create_connection((address, port), timeout=seconds)
        late = threading.Event()

        def stop() -> None:
            # A server that sends a byte now and then would outlast the time for a single read.
            late.set()
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            with contextlib.closing(_connection(url, host, port, sock)) as connection:
                path = (url.path or "/") + (f"?{url.query}" if url.query else "")
                connection.request("GET", path, headers={"User-Agent": "flagstaff"})
                answer = connection.getresponse()
                return answer.status, answer.read(READ)
        except (OSError, http.client.HTTPException) as exc:
            raise TimeoutError if late.is_set() else exc from exc
        finally:
            timer.cancel()
            sock.close()

    def _address(self, host: str, port: int) -> str:
        """Return the address to connect to.

        Raises:
            _Unreachable: there is none, or it is not for everybody.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            raise _Unreachable("there is no such host") from exc
        addresses = [str(each[4][0]) for each in found]
        if host.lower() not in self.private_hosts:
            private = [each for each in addresses if not _is_public(each)]
            if private:
                raise _Unreachable(
                    "its address is not public, so it is not asked; if it may be, name it under "
                    "`private_hosts:` in flagstaff.yml"
                )
        return addresses[0]


def _target(url: SplitResult) -> tuple[str, int]:
    if url.scheme not in PORTS or not url.hostname:
        raise _Unreachable("it is no web address: write http:// or https:// and a host")
    if url.username or url.password:
        raise _Unreachable("a name or a password in an address is not used")
    return url.hostname, url.port or PORTS[url.scheme]


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo or address in ipaddress.ip_network("64:ff9b::/96"):
            return False
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return address.is_global and not address.is_multicast


def _connection(
    url: SplitResult, host: str, port: int, sock: socket.socket
) -> http.client.HTTPConnection:
    """Return a connection over a socket that is there already, so that no name is looked up."""
    if url.scheme == "https":
        context = ssl.create_default_context()
        over_tls = http.client.HTTPSConnection(host, port, context=context)
        over_tls.sock = context.wrap_socket(sock, server_hostname=host)
        return over_tls
    plain = http.client.HTTPConnection(host, port)
    plain.sock = sock
    return plain


def _judged(check: CheckHttp, status: int, body: bytes) -> Answer:
    shown = _shown(check.url)
    output = body.decode("utf-8", "replace")[:SHOWN].strip()
    if status != check.status:
        text = f"{shown} answers {status}, not {check.status}"
        return Answer(yes=False, text=text, output=output)
    if not check.path:
        return Answer(yes=True, text=f"{shown} answers {status}", output=output)
    try:
        found = _at(json.loads(body), check.path)
    except (ValueError, RecursionError):
        return Answer(yes=False, text=f"{shown}: the answer is no JSON", output=output)
    except LookupError:
        return Answer(yes=False, text=f"{shown}: there is no {check.path}", output=output)
    text = f"{shown}: {check.path} is {found[:SHOWN]}"
    if found == check.equals:
        return Answer(yes=True, text=text, output=output)
    return Answer(yes=False, text=f"{text}, not {check.equals}", output=output)


def _at(value: object, path: str) -> str:
    """Return what stands at the path as text.

    Raises:
        LookupError: nothing does.
    """
    for part in path.split("."):
        if isinstance(value, dict):
            value = value[part]
        elif isinstance(value, list) and part.isdecimal():
            value = value[int(part)]
        else:
            raise LookupError(part)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(url: str) -> str:
    """Return the address without its query, which may hold a secret."""
    return url.partition("?")[0][:200]


def _why(exc: Exception) -> str:
    return str(exc)[:200] or type(exc).__name__
