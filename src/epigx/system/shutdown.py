"""A request to stop, honoured between two steps: SIGTERM, Ctrl-C, or the end of the time allowed."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

__all__ = ["Interruption"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_Handler = Callable[[int, FrameType | None], Any] | int | None


class Interruption:
    """Listens, between :meth:`listen` and :meth:`close`, to the signals that end a process.

    The first signal is a request; a second one does what it does without epigx, unless a launcher passes signals on,
    which may be those that the process has got from the terminal already.

    Parameters
    ----------
    max_time : float, optional
        Seconds from now after which to stop.
    launched : bool
        Whether a launcher started the process.
    """

    def __init__(self, max_time: float | None = None, *, launched: bool = False) -> None:
        self._deadline = None if max_time is None else time.monotonic() + max_time
        self._received: signal.Signals | None = None
        self._launched = launched
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}

    def listen(self) -> None:
        """Take over the signals; outside of the main thread, where Python allows it to nobody, do nothing."""
        _install(dict.fromkeys(_SIGNALS, self._receive))

    def close(self) -> None:
        """Give the signals back to whoever had them when this object was made."""
        _install(self._before)

    @property
    def received(self) -> str | None:
        """The name of the signal that came, such as ``"SIGTERM"``."""
        return None if self._received is None else self._received.name

    @property
    def out_of_time(self) -> bool:
        """Whether the time allowed is over."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    @property
    def request(self) -> int:
        """Why to stop: the number of the signal that came, 1 when the time allowed is over, and 0 not to stop."""
        return int(self._received or self.out_of_time)

    def heed(self, request: int) -> None:
        """Take over the :attr:`request` that another process got."""
        if request > 1:
            self._received = signal.Signals(request)

    def __bool__(self) -> bool:
        """Whether to stop."""
        return self.request > 0

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received = signal.Signals(number)
        if not self._launched:
            self.close()


def _install(handlers: Mapping[signal.Signals, _Handler]) -> None:
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            if handler is not None:  # one that Python did not install
                signal.signal(number, handler)
