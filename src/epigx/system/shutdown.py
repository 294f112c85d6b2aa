"""Stopping on request: SIGTERM, Ctrl-C, or the end of the allowed time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Interruption", "ctrl_c_blocked"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_Handler = Callable[[int, FrameType | None], Any] | int | None


class Interruption:
    """Turns the signals that end a process into a request to stop between two steps.

    It handles signals between :meth:`listen` and :meth:`close`. The first signal is a request. A second one has its
    usual effect, unless a launcher such as torchrun started the process (``launched``): launchers repeat signals that
    the terminal has already sent. ``max_time`` is the number of seconds from now after which to stop.
    """

    def __init__(self, max_time: float | None = None, *, launched: bool = False) -> None:
        self._deadline = None if max_time is None else time.monotonic() + max_time
        self._received: signal.Signals | None = None
        self._launched = launched
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}

    def listen(self) -> None:
        """Handle the signals from now on. Python allows this in the main thread only; elsewhere nothing happens."""
        _install(dict.fromkeys(_SIGNALS, self._receive))

    def close(self) -> None:
        """Restore the signal handlers that were installed when this object was made."""
        _install(self._before)

    @property
    def received(self) -> str | None:
        """Name of the signal that was received, such as ``"SIGTERM"``."""
        return None if self._received is None else self._received.name

    @property
    def out_of_time(self) -> bool:
        """Whether the allowed time is over."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    @property
    def request(self) -> int:
        """Reason to stop: the number of the received signal, 1 when the allowed time is over, 0 for none."""
        return int(self._received or self.out_of_time)

    def adopt(self, request: int) -> None:
        """Stop for the :attr:`request` that another process received."""
        if request > 1:
            self._received = signal.Signals(request)

    def __bool__(self) -> bool:
        """Whether to stop."""
        return self.request > 0

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received = signal.Signals(number)
        if not self._launched:
            self.close()


@contextmanager
def ctrl_c_blocked() -> Iterator[None]:
    """Block Ctrl-C for the processes that are started inside the ``with`` block, even while they import.

    Ctrl-C reaches every process of a terminal. Only the parent handles it, and then ends its children.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # its start would unblock the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _install(handlers: Mapping[signal.Signals, _Handler]) -> None:
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            if handler is not None:  # None: a handler that Python did not install
                signal.signal(number, handler)
