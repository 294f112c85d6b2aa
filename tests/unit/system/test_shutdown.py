"""Requests to stop."""

from __future__ import annotations

import signal
import threading

import pytest

from epigx.system.shutdown import Interruption


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


def test_a_signal_that_a_launcher_passes_on_is_heard_once():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        interruption = Interruption(launched=True)
        interruption.listen()
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
        assert interruption.received == "SIGINT"
        assert heard == []
    finally:
        interruption.close()
        signal.signal(signal.SIGINT, before)


def test_the_request_of_another_process_is_heeded():
    interruption = Interruption()
    interruption.heed(0)
    assert (interruption.request, interruption.received) == (0, None)
    interruption.heed(Interruption(max_time=0).request)
    assert interruption.received is None
    interruption.heed(int(signal.SIGTERM))
    assert (interruption.request, interruption.received) == (signal.SIGTERM, "SIGTERM")


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
