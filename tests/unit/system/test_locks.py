from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from epigx.errors import InputError, RunError
from epigx.system import locks
from epigx.system.locks import Hold, held, lock_of


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name, seconds in {"BEAT": 0.05, "STALE": 0.5, "PAUSE": 0.02}.items():
        monkeypatch.setattr(locks, name, seconds)


def _owned_by(folder, **owner):
    about = {"machine": locks._here(), "pid": os.getpid(), "born": locks._born(os.getpid()), "id": "x", **owner}
    lock_of(folder).write_text(json.dumps(about))


def test_a_folder_is_held_and_released(tmp_path):
    with held(tmp_path / "deep" / "run") as first:
        assert (tmp_path / "deep" / ".run.lock").is_file()
        first.check()
    assert not list((tmp_path / "deep").iterdir())


def test_a_second_writer_waits_for_the_first(tmp_path):
    order = []

    def second():
        with held(tmp_path / "run"):
            order.append("second")

    with held(tmp_path / "run"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.8)  # longer than the silence that counts as death
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_of_many_writers_one_writes_at_a_time(tmp_path):
    inside, most = [], []

    def write():
        with held(tmp_path / "run"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    _owned_by(tmp_path / "run", pid=_dead(), born="1")
    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8
    assert not list(tmp_path.iterdir())


def _dead() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_dead_owner_is_followed_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "STALE", 1000)
    _owned_by(tmp_path / "run", pid=_dead())
    with held(tmp_path / "run"):
        pass
    _owned_by(tmp_path / "run", born="another process of the same number")
    with held(tmp_path / "run"):
        pass


def test_the_process_of_another_user_is_alive(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    state = json.dumps({"machine": locks._here(), "pid": 1, "born": locks._born(1)})
    assert locks._is_there(state + "\n0")


@pytest.mark.parametrize("content", [None, ""])
def test_an_owner_that_cannot_be_seen_is_followed_after_a_long_silence(tmp_path, content):
    if content is None:
        _owned_by(tmp_path / "run", machine="elsewhere")
    else:
        lock_of(tmp_path / "run").write_text(content)
    began = time.monotonic()
    with held(tmp_path / "run"):
        assert time.monotonic() - began > 0.5


def test_signs_of_life_keep_a_folder(tmp_path):
    _owned_by(tmp_path / "run", machine="elsewhere")
    ended = threading.Event()

    def live():
        while not ended.wait(0.1):
            os.utime(lock_of(tmp_path / "run"))

    thread = threading.Thread(target=live)
    thread.start()
    began = time.monotonic()
    threading.Timer(1.0, ended.set).start()
    with held(tmp_path / "run"):
        assert time.monotonic() - began > 1.4
    thread.join()


def test_an_owner_that_was_taken_for_dead_notices(tmp_path):
    with held(tmp_path / "run") as claim:
        _owned_by(tmp_path / "run")
        time.sleep(0.3)
        with pytest.raises(RunError, match=r"run is being written by another process, which took this one for dead"):
            claim.check()
    assert lock_of(tmp_path / "run").is_file(), "the other one's lock stays"


def test_a_live_owner_is_an_error_where_nobody_waits(tmp_path):
    message = rf"run is being written by another process, number {os.getpid()} on \S+\. Let it end, or choose another"
    with held(tmp_path / "run"):
        with pytest.raises(RunError, match=message), held(tmp_path / "run", wait=False):
            pass
        assert lock_of(tmp_path / "run").is_file()
    with held(tmp_path / "run", wait=False):
        pass
    _owned_by(tmp_path / "run", pid=_dead())
    with held(tmp_path / "run", wait=False):
        pass


def test_an_owner_that_cannot_be_seen_is_an_error_once_it_gives_a_sign_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "STALE", 1000)
    _owned_by(tmp_path / "run", machine="elsewhere x", pid=7)
    sign = threading.Timer(0.3, os.utime, [lock_of(tmp_path / "run")])
    sign.start()
    with pytest.raises(RunError, match="another process, number 7 on elsewhere"), held(tmp_path / "run", wait=False):
        pass
    sign.join()


def test_an_owner_that_cannot_be_seen_and_is_silent_is_followed_where_nobody_waits(tmp_path):
    _owned_by(tmp_path / "run", machine="elsewhere")
    with held(tmp_path / "run", wait=False):
        pass


def test_a_folder_has_one_lock_by_whatever_name(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    monkeypatch.chdir(tmp_path / "run")
    assert {lock_of(locks.Path(name)) for name in (".", "../run", "../link")} == {tmp_path / ".run.lock"}


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("a file is no folder")
    with pytest.raises(InputError, match=r"file/run cannot be written: "), held(tmp_path / "file" / "run"):
        pass


def test_a_lock_that_was_taken_over_just_now_is_put_back(tmp_path):
    _owned_by(tmp_path / "run", id="of a quicker one")
    late = Hold(tmp_path / "run")
    late._break("what the dead one had written")
    assert "of a quicker one" in lock_of(tmp_path / "run").read_text()
    assert len(list(tmp_path.iterdir())) == 1
