"""Requests to stop."""

from __future__ import annotations

import signal
import threading

import pytest

from epigx.system.shutdown import Interruption, ctrl_c_blocked


def test_without_a_signal_there_is_no_request():
    assert not Interruption()
    assert not Interruption(max_time=1000)
    assert Interruption().received is None


def test_time_runs_out():
    interruption = Interruption(max_time=0)
    assert interruption
    assert interruption.out_of_time
    assert interruption.received is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_a_request_and_the_second_has_its_usual_effect(number):
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


def test_a_signal_that_a_launcher_repeats_is_one_request():
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


def test_the_request_of_another_process_is_adopted():
    interruption = Interruption()
    interruption.adopt(0)
    assert (interruption.request, interruption.received) == (0, None)
    interruption.adopt(Interruption(max_time=0).request)
    assert interruption.received is None
    interruption.adopt(int(signal.SIGTERM))
    assert (interruption.request, interruption.received) == (signal.SIGTERM, "SIGTERM")


def test_signal_handlers_are_restored():
    before = signal.getsignal(signal.SIGTERM)
    interruption = Interruption()
    interruption.listen()
    assert signal.getsignal(signal.SIGTERM) != before
    interruption.close()
    assert signal.getsignal(signal.SIGTERM) == before


def test_in_other_threads_listening_does_nothing():
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


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows has no signal mask")
def test_processes_started_in_the_block_do_not_receive_ctrl_c():
    with ctrl_c_blocked():
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
