"""Requests to stop."""

from __future__ import annotations

import signal
import threading

import pytest

from epigx.training.interruption import Interruption


def test_without_a_request_there_is_none():
    assert not Interruption()
    assert not Interruption(max_time=1000)
    assert Interruption().received is None


def test_time_runs_out():
    interruption = Interruption(max_time=0)
    assert interruption
    assert interruption.out_of_time
    assert interruption.received is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_a_request_and_the_second_is_not(number):
    heard = []
    before = signal.signal(number, lambda *_: heard.append(1))
    try:
        interruption = Interruption()
        interruption.listen()
        signal.raise_signal(number)
        assert interruption
        assert interruption.received == number.name
        assert heard == []
        signal.raise_signal(number)
        assert heard == [1]
    finally:
        interruption.close()
        signal.signal(number, before)


def test_signals_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    interruption = Interruption()
    interruption.listen()
    assert signal.getsignal(signal.SIGTERM) != before
    interruption.close()
    assert signal.getsignal(signal.SIGTERM) == before


def test_other_threads_may_not_listen_and_need_not():
    failed = []

    def work():
        try:
            Interruption().listen()
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failed
