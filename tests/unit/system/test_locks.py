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
from epigx.system.locks import FolderLock, lock_file, locked


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name, seconds in {"BEAT": 0.05, "STALE": 0.5, "PAUSE": 0.02}.items():
        monkeypatch.setattr(locks, name, seconds)


def _owned_by(folder, **owner):
    about = {"machine": locks._here(), "pid": os.getpid(), "born": locks._born(os.getpid()), "id": "x", **owner}
    lock_file(folder).write_text(json.dumps(about))


def test_a_folder_is_locked_and_released(tmp_path):
    with locked(tmp_path / "deep" / "run") as first:
        assert (tmp_path / "deep" / ".run.lock").is_file()
        first.check()
    assert not list((tmp_path / "deep").iterdir())


def test_a_second_writer_waits_for_the_first(tmp_path):
    order = []

    def second():
        with locked(tmp_path / "run"):
            order.append("second")

    with locked(tmp_path / "run"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.8)  # longer than the silence that counts as death
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_of_many_writers_one_writes_at_a_time(tmp_path):
    inside, most = [], []

    def write():
        with locked(tmp_path / "run"):
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


def test_the_lock_of_a_dead_process_is_replaced_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "STALE", 1000)
    _owned_by(tmp_path / "run", pid=_dead())
    with locked(tmp_path / "run"):
        pass
    _owned_by(tmp_path / "run", born="another process of the same number")
    with locked(tmp_path / "run"):
        pass


def test_the_process_of_another_user_is_alive(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert locks._is_alive({"machine": locks._here(), "pid": 1, "born": locks._born(1)})


@pytest.mark.parametrize("content", [None, ""])
def test_the_lock_of_another_machine_is_replaced_after_a_long_silence(tmp_path, content):
    if content is None:
        _owned_by(tmp_path / "run", machine="elsewhere")
    else:
        lock_file(tmp_path / "run").write_text(content)
    began = time.monotonic()
    with locked(tmp_path / "run"):
        assert time.monotonic() - began > 0.5


def test_a_lock_that_is_updated_stays(tmp_path):
    _owned_by(tmp_path / "run", machine="elsewhere")
    ended = threading.Event()

    def live():
        while not ended.wait(0.1):
            os.utime(lock_file(tmp_path / "run"))

    thread = threading.Thread(target=live)
    thread.start()
    began = time.monotonic()
    threading.Timer(1.0, ended.set).start()
    with locked(tmp_path / "run"):
        assert time.monotonic() - began > 1.4
    thread.join()


def test_an_owner_that_was_considered_dead_notices(tmp_path):
    with locked(tmp_path / "run") as claim:
        _owned_by(tmp_path / "run")
        time.sleep(0.3)
        with pytest.raises(RunError, match=r"run is being written by another process, which considered this one dead"):
            claim.check()
    assert lock_file(tmp_path / "run").is_file(), "the other one's lock stays"


def test_a_live_owner_is_an_error_without_waiting(tmp_path):
    message = rf"run is being written by another process, PID {os.getpid()} on \S+\. Wait until it ends, or choose"
    with locked(tmp_path / "run"):
        with pytest.raises(RunError, match=message), locked(tmp_path / "run", wait=False):
            pass
        assert lock_file(tmp_path / "run").is_file()
    with locked(tmp_path / "run", wait=False):
        pass
    _owned_by(tmp_path / "run", pid=_dead())
    with locked(tmp_path / "run", wait=False):
        pass


def test_an_owner_on_another_machine_is_an_error_once_it_updates_its_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "STALE", 1000)
    _owned_by(tmp_path / "run", machine="elsewhere x", pid=7)
    sign = threading.Timer(0.3, os.utime, [lock_file(tmp_path / "run")])
    sign.start()
    with pytest.raises(RunError, match="another process, PID 7 on elsewhere"), locked(tmp_path / "run", wait=False):
        pass
    sign.join()


def test_the_silent_lock_of_another_machine_is_replaced_without_waiting(tmp_path):
    _owned_by(tmp_path / "run", machine="elsewhere")
    with locked(tmp_path / "run", wait=False):
        pass


def test_every_link_to_a_folder_has_the_same_lock(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    monkeypatch.chdir(tmp_path / "run")
    assert {lock_file(locks.Path(name)) for name in (".", "../run", "../link")} == {tmp_path / ".run.lock"}


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("a file is no folder")
    with pytest.raises(InputError, match=r"file/run cannot be written: "), locked(tmp_path / "file" / "run"):
        pass


def test_a_lock_that_was_replaced_a_moment_ago_is_restored(tmp_path):
    _owned_by(tmp_path / "run", id="of a quicker one")
    late = FolderLock(tmp_path / "run")
    late._break("what the dead one had written")
    assert "of a quicker one" in lock_file(tmp_path / "run").read_text()
    assert len(list(tmp_path.iterdir())) == 1
