"""Which processes may write a run; what may stand in its folder is tested with training itself (test_run.py)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from epigx.errors import InputError, RunError
from epigx.system.locks import lock_file, locked
from epigx.training.output_dir import lock_output


def _processes(*, leads=True, refused_elsewhere=0.0):
    return SimpleNamespace(leads=leads, sum=lambda value: value + refused_elsewhere)


def test_the_leading_process_holds_the_folder_for_all(tmp_path):
    with lock_output(tmp_path / "run", _processes(leads=False), wait=False) as hold:
        assert hold is None
        assert not lock_file(tmp_path / "run").exists()
    with lock_output(tmp_path / "run", _processes(), wait=False) as hold:
        hold.check()
        assert lock_file(tmp_path / "run").is_file()
    assert not lock_file(tmp_path / "run").exists()


def test_all_processes_raise_on_a_refusal(tmp_path):
    with locked(tmp_path / "run"), pytest.raises(RunError, match=r"run is being written by another process, PID"):
        with lock_output(tmp_path / "run", _processes(), wait=False):
            pass
    with pytest.raises(RunError, match=r"run cannot be written now; see the error of the first process\."):
        with lock_output(tmp_path / "run", _processes(leads=False, refused_elsewhere=1.0), wait=False):
            pass
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/run cannot be written: "):
        with lock_output(tmp_path / "file" / "run", _processes(), wait=False):
            pass
