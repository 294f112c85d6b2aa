"""Scripts replace the commands of SLURM and start the jobs that they are given; submitit is the real one."""

from __future__ import annotations

import logging
import os
import signal
import time

import pytest

from epigx.engines import Slurm, Task
from epigx.errors import ConfigError

# One job for each task of the array, in the background, as SLURM would start it on its machines.
SBATCH = """#!/bin/sh
cp "$1" {folder}/submitted.sh
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$1")
for task in $(seq 0 $last); do
  SLURM_JOB_ID=7$task SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$task SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 \\
    SLURM_NODEID=0 SLURM_PROCID=0 SLURM_LOCALID=0 sh "$1" > {folder}/job-$task 2>&1 &
done
echo "Submitted batch job 7"
"""
SRUN = """#!/bin/sh
while [ "${1#--}" != "$1" ]; do  # its options
  case "$1" in --output|--error) shift;; esac
  shift
done
exec "$@"
"""
SACCT = "#!/bin/sh\necho 'JobID|State|NodeList'\n"


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Put the commands of a small SLURM on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in {
        "sbatch": SBATCH.replace("{folder}", str(tmp_path)),
        "srun": SRUN,
        "sacct": SACCT,
        "scancel": "#!/bin/sh\n",
    }.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr("epigx.engines.slurm._PAUSE", {"slurm": 0.1})
    return tmp_path


def test_tasks_of_one_size_are_one_array(cluster, tmp_path):
    engine = Slurm(partition="gpu", time=90, mem=12.5, gpus=1, extra={"account": "lab"}, logs=str(tmp_path / "logs"))
    tasks = [Task("made", os.mkdir, (tmp_path / "made",), threads=4), Task("refused", os.mkdir, (tmp_path,), threads=4)]
    told = []
    made, refused = engine.run(tasks, progress=lambda *event: told.append(event))
    assert (made.state, refused.state) == ("done", "failed")
    assert refused.error.startswith("FileExistsError: ")
    assert sorted(told) == [("made", "done"), ("made", "started"), ("refused", "failed"), ("refused", "started")]
    assert (tmp_path / "made").is_dir()
    script = (tmp_path / "submitted.sh").read_text()
    for option in (
        "array=0-1%2", "partition=gpu", "time=90", "mem=13GB", "cpus-per-task=4", "gpus-per-node=1", "account=lab",
        "job-name=epigx",
    ):  # fmt: skip
        assert f"#SBATCH --{option}\n" in script, script


def test_without_slurm_there_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"SLURM was not found on this machine: there is no program srun\. Run epigx"):
        Slurm(logs=str(tmp_path / "logs")).run([Task("a", print)])


def test_an_error_of_sbatch_is_reported(cluster, tmp_path):
    refusal = "sbatch: error: invalid partition specified: gqu"
    (cluster / "bin" / "sbatch").write_text(f"#!/bin/sh\necho '{refusal}' >&2\nexit 1\n")
    with pytest.raises(
        ConfigError, match=rf"sbatch refused the jobs: {refusal}\. Check engine\.partition and engine\.ex"
    ):
        Slurm(logs=str(tmp_path / "logs"), partition="gqu").run([Task("a", print)])


def test_tasks_run_one_by_one_in_this_process(tmp_path, monkeypatch):
    # submitit does not close the log files of its debug executor.
    monkeypatch.setattr("submitit.local.debug.logging.FileHandler", lambda path: logging.NullHandler())
    engine = Slurm(cluster="debug", cpus=3, logs=str(tmp_path / "logs"))
    tasks = [Task("refused", os.mkdir, (tmp_path,)), Task("made", os.mkdir, (tmp_path / "made",), memory_gb=9)]
    assert [outcome.state for outcome in engine.run(tasks)] == ["failed", "done"]
    assert engine.threads_each(10) == 3
    assert Slurm().threads_each(10) == 1


def test_a_job_that_dies_does_not_stop_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr("submitit.local.local.LocalJob._results_timeout_s", 1)
    engine = Slurm(cluster="local", logs=str(tmp_path / "logs"))
    tasks = [
        Task("killed", signal.raise_signal, (signal.SIGKILL,)),
        Task("made", os.mkdir, (tmp_path / "made",)),
    ]
    killed, made = engine.run(tasks)
    assert made.state == "done"
    assert killed.state == "failed"
    assert killed.error.startswith("The job ")
    assert str(tmp_path / "logs") in killed.error


def test_ctrl_c_cancels_the_jobs(tmp_path, monkeypatch):
    from submitit.local.local import LocalJob

    cancel, cancelled = LocalJob.cancel, []

    def note(job, check=True):
        cancel(job, check)
        cancelled.append(job._process)

    def interrupt(name, state):
        time.sleep(2)  # its process has begun by then
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalJob, "cancel", note)
    with pytest.raises(KeyboardInterrupt):
        Slurm(cluster="local", logs=str(tmp_path / "logs")).run([Task("a", time.sleep, (1000,))], progress=interrupt)
    (process,) = cancelled
    assert process.wait(30) is not None


def test_a_job_that_is_queued_again_does_the_same():
    from epigx.engines.slurm import _Attempt

    task = Task("a", print)
    again = _Attempt().checkpoint(task)
    assert isinstance(again.function, _Attempt)
    assert again.args == (task,)
