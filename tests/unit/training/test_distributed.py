"""What a launcher says of the processes; what they do together is tested in tests/pipeline/test_processes.py."""

from __future__ import annotations

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
from epigx.training.distributed import Processes, _meeting_place

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "MASTER_ADDR": "node1", "MASTER_PORT": "29500"}
SRUN = {
    "SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "123456",
    "SLURM_STEP_ID": "2", "SLURM_STEP_NODELIST": "gpu[07-08,11]",
}  # fmt: skip


@pytest.mark.parametrize("environment", [TORCHRUN, SRUN, {**SRUN, "SLURM_STEP_NUM_TASKS": "9", **TORCHRUN}])
def test_torchrun_and_srun_say_who_trains(environment):
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
def test_without_a_launcher_a_process_is_alone(environment):
    assert Processes.launched(environment) == Processes()
    assert Processes().leads


def test_they_meet_where_torchrun_says_or_at_the_first_node_of_the_step():
    assert _meeting_place(TORCHRUN) == ("node1", 29500)
    assert _meeting_place(SRUN) == ("gpu07", 20_000 + 123_458 % 20_000)
    assert _meeting_place({**SRUN, "SLURM_STEP_NODELIST": "gpu07"})[0] == "gpu07"


def test_one_process_waits_for_nobody():
    alone = Processes()
    alone.join()
    alone.wait()
    values = torch.rand(3)
    assert alone.mean(values) is values
    assert alone.gathered(values, 3) is values
    assert (alone.sum(2.5), alone.largest(15)) == (2.5, 15)
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
def test_what_compares_genes_trains_in_one_process(objective: Objective):
    Processes().check(8, objective)
    with pytest.raises(ConfigError, match=r"compares the genes of a batch with each other, and each of 2 processes"):
        Processes(count=2).check(8, objective)


@pytest.mark.parametrize(
    "objective", [Backdoor(), Bottleneck(), Regression(), InputBackdoor(states=("absent",)), SignalDropout()]
)
def test_what_is_a_mean_over_genes_trains_in_any_number(objective: Objective):
    Processes(count=2).check(8, objective)


def test_a_batch_has_a_gene_for_each_process():
    with pytest.raises(ConfigError, match=r"batch_size \(3\) is below the number of processes \(4\)"):
        Processes(count=4).check(3, Regression())
