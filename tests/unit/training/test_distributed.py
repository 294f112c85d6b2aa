"""The variables of launchers; tests/pipeline/test_processes.py tests the processes together."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from epigx.errors import ConfigError
from epigx.objectives import (
    Backdoor,
    Bottleneck,
    GeneSpecificBackdoor,
    InputBackdoor,
    Objective,
    Regression,
    Residualize,
    RiskExtrapolation,
    SignalDropout,
)
from epigx.training.distributed import Processes, _main_address

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "MASTER_ADDR": "node1", "MASTER_PORT": "29500"}
SRUN = {
    "SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "123456",
    "SLURM_STEP_ID": "2", "SLURM_STEP_NODELIST": "gpu[07-08,11]",
}  # fmt: skip


@pytest.mark.parametrize("environment", [TORCHRUN, SRUN, {**SRUN, "SLURM_STEP_NUM_TASKS": "9", **TORCHRUN}])
def test_rank_and_count_are_read_from_torchrun_and_srun(environment):
    processes = Processes.launched(environment)
    assert processes == Processes(rank=3, count=4, local_rank=1)
    assert not processes.leads


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WORLD_SIZE": "4"},
        # A batch script without srun, which starts one process although the job has four tasks.
        {"SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_JOB_ID": "123456"},
    ],
)
def test_without_a_launcher_there_is_one_process(environment):
    assert Processes.launched(environment) == Processes()
    assert Processes().leads


def test_the_main_address_is_that_of_torchrun_or_the_first_node_of_the_step():
    assert _main_address(TORCHRUN) == ("node1", 29500)
    assert _main_address(SRUN) == ("gpu07", 20_000 + 123_458 % 20_000)
    for nodes, first in {
        "gpu07": "gpu07", "gpu[07]": "gpu07", "a1,b2": "a1", "a[1,3-4],b[2-3]": "a1", "r[01-02]n[3-4]": "r01n3",
    }.items():  # fmt: skip
        assert _main_address({**SRUN, "SLURM_STEP_NODELIST": nodes})[0] == first


def test_reading_the_launcher_does_not_import_torch():
    script = "import sys; from epigx.training.distributed import Processes; p = Processes.launched(); p.shard.of([1])"
    script += "; assert p.sum(1.0) == 1.0 and p.leads; p.join(); p.wait(); assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


def test_one_process_needs_no_connection():
    single = Processes()
    single.join()
    single.wait()
    values = torch.rand(3)
    assert single.mean(values) is values
    assert single.gathered(values, 3) is values
    assert (single.sum(2.5), single.largest(15)) == (2.5, 15)
    assert not torch.distributed.is_initialized()


@pytest.mark.parametrize(
    "objective",
    [
        GeneSpecificBackdoor(),
        Residualize(),
        RiskExtrapolation(),
        InputBackdoor(),
        SignalDropout(replacement="exchanged"),
    ],
)
def test_objectives_that_compare_genes_train_in_one_process(objective: Objective):
    Processes().check(8, objective)
    with pytest.raises(ConfigError, match=r"compares the genes of a batch with each other, but each of the 2 "):
        Processes(count=2).check(8, objective)


@pytest.mark.parametrize(
    "objective", [Backdoor(), Bottleneck(), Regression(), InputBackdoor(states=("absent",)), SignalDropout()]
)
def test_objectives_that_are_means_over_genes_train_in_several(objective: Objective):
    Processes(count=2).check(8, objective)


def test_a_batch_needs_a_gene_for_each_process():
    with pytest.raises(ConfigError, match=r"batch_size \(3\) is below the number of processes \(4\)"):
        Processes(count=4).check(3, Regression())
