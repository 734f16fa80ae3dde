"""A piece of network between two programs, which can be cut, and which can choose among several."""

from __future__ import annotations

import contextlib
import socket
import threading


class Network:
    """Passes on what is sent to its port.

    When it is cut, nobody is told: packets disappear, and new connections are never answered. What
    was connected then stays silent for ever, also after the network is mended.

    Args:
        ports: returns where to pass it on to; the first one that answers gets it.
    """

    def __init__(self, ports):
        self._ports = ports
        self._cut = False
        self._wires = set()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        with self._lock:
            self._cut = True
            for wire in self._wires:
                wire.dead = True

    def mend(self):
        self._cut = False

    def close(self):
        self._listening.close()
        with self._lock:
            for wire in self._wires:
                wire.close()

    def _accept(self):
        while True:
            try:
                here, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(here,), daemon=True).start()

    def _connect(self, here):
        there = None
        if not self._cut:
            there = self._reached()
            if there is None:
                here.close()
                return
        wire = Wire(here, there)
        with self._lock:
            wire.dead = self._cut
            self._wires.add(wire)
        wire.start()

    def _reached(self):
        for port in self._ports():
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", port), timeout=5)
        return None


class Wire:
    """One connection and its continuation."""

    def __init__(self, here, there):
        self.here, self.there = here, there
        self.dead = False

    def start(self):
        if self.there is None:
            return
        for ends in ((self.here, self.there), (self.there, self.here)):
            for end in ends:
                end.settimeout(None)
            threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def close(self):
        for end in (self.here, self.there):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _pump(self, source, target):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if not self.dead:
                    target.sendall(piece)
        if not self.dead:
            self.close()
