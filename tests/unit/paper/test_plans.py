"""The plans of the tables and figures: which runs they need and share, and the numbers of the paper."""

from __future__ import annotations

import pytest

from epigx import paper
from epigx.dataset.store import open_dataset
from epigx.errors import ConfigError, DatasetError
from epigx.paper import ScoreTable, Study, System, published
from epigx.paper.tables import BASELINES
from epigx.recipes.baselines import ridge
from epigx.recipes.data import SEEDS
from epigx.recipes.models import infer

SCORES = ("table1", "table2", "table3", "table4", "table5", "table6", "table7", "figure1a", "figure1b", "figure1c")


@pytest.fixture(scope="module")
def study(tiny_dataset):
    return Study.on(open_dataset(tiny_dataset), scale="small", seeds=(2, 22))


def runs(item):
    return {name: config for system in item.systems for name, config in system.runs.items()}


def networks(item):
    return {name: config for name, config in runs(item).items() if config.method.kind == "network"}


@pytest.fixture(scope="module")
def items(study):
    return {name: getattr(paper, name)(study) for name in (*SCORES, "figure4")}


def test_the_cell_types_are_those_that_can_be_scored_and_the_seeds_those_of_the_scale(tiny_dataset):
    dataset = open_dataset(tiny_dataset)
    assert Study.on(dataset).cell_types == ("alpha", "beta")
    assert Study.on(dataset).seeds == SEEDS
    assert Study.on(dataset, scale="small").seeds == SEEDS[:2]
    assert Study.on(dataset, cell_types=["beta", "beta"]).cell_types == ("beta",)


@pytest.mark.parametrize(
    ("choice", "kind", "message"),
    [
        ({"cell_types": ["bare"]}, DatasetError, r"no gene of the test chromosomes \(chr4\) has a label in bare"),
        ({"cell_types": ["alhpa"]}, DatasetError, "Did you mean 'alpha'"),
        ({"seeds": [2, 2]}, ConfigError, "A seed is given twice in 2, 2. Give each once."),
    ],
)
def test_an_impossible_study_is_refused(tiny_dataset, choice, kind, message):
    with pytest.raises(kind, match=message):
        Study.on(open_dataset(tiny_dataset), **choice)


def test_equal_runs_have_equal_names_and_different_ones_different_names(items):
    configs = {}
    for item in items.values():
        for name, config in runs(item).items():
            assert configs.setdefault(name, config) == config
    dumps = [config.dump() for config in configs.values()]
    assert len(set(dumps)) == len(dumps)


def test_tables_and_figures_share_their_runs(items):
    infer = set(next(row for row in items["table1"].rows if row.label == "InFER").system.runs)
    for name in ("table5", "table6", "table7", "figure4"):
        assert infer <= set(runs(items[name]))
    for name in ("table4", "table5", "table6", "figure1b"):
        assert set(runs(items[name])) & set(runs(items["table7"]))
    assert set(runs(items["figure1a"])) == set(runs(items["table3"]))


def test_the_name_of_a_run_does_not_depend_on_where_the_dataset_lies(tiny_dataset, make_dataset, tmp_path, study):
    elsewhere = Study.on(open_dataset(make_dataset(tmp_path / "copy")), scale="small", seeds=(2, 22))
    assert set(runs(paper.table5(elsewhere))) == set(runs(paper.table5(study)))
    other = Study.on(open_dataset(make_dataset(tmp_path / "other", seed=1)), scale="small", seeds=(2, 22))
    assert not set(runs(paper.table5(other))) & set(runs(paper.table5(study)))


def test_a_setting_reaches_every_run_and_its_name(tiny_dataset, study):
    changed = Study.on(open_dataset(tiny_dataset), scale="small", seeds=(2, 22), settings=["training.steps=30"])
    found = networks(paper.table1(changed))
    assert {config.method.training.steps for config in found.values()} == {30}
    assert not set(found) & set(networks(paper.table1(study)))
    with pytest.raises(ConfigError, match="unknown key 'stepz'"):
        paper.table1(Study.on(open_dataset(tiny_dataset), settings=["training.stepz=30"]))


def test_fewer_steps_shorten_the_warm_up_as_train_does(tiny_dataset, study):
    def first(*settings):
        fewer = Study.on(open_dataset(tiny_dataset), scale="small", seeds=(2, 22), settings=settings)
        return next(iter(fewer.system(infer, "alpha").runs.values())).method.training

    usual = first()
    assert usual.warmup_steps > 20
    for short in (first("training.steps=20"), first("method.training.steps=20")):
        assert (short.steps, short.warmup_steps) == (20, usual.warmup_steps * 20 // usual.steps)
    for settings in (
        ("training.steps=20", "training.warmup_steps=3"),
        ("training.warmup_steps=3", "training.steps=20"),
    ):
        assert first(*settings).warmup_steps == 3


def test_a_setting_of_networks_does_not_concern_baselines(tiny_dataset, study):
    for setting in ("training.steps=20", "method.training.steps=20"):
        changed = Study.on(open_dataset(tiny_dataset), scale="small", settings=[setting])
        assert changed.system(ridge, "alpha", window=128) == study.system(ridge, "alpha", window=128)


def test_a_window_that_is_set_is_that_of_the_model_too(tiny_dataset):
    dataset = open_dataset(tiny_dataset)
    found = paper.table1(Study.on(dataset, scale="small", seeds=(2,), settings=["data.window=64"]))
    assert {config.data.window for config in runs(found).values()} == {64}
    hyena = next(config for name, config in runs(found).items() if name.startswith("hyenadna"))
    assert hyena.method.model.backbone.longest == 64
    with pytest.raises(DatasetError, match=r"windows of 128 bp, and --set data\.window asks for 256 bp"):
        paper.table4(Study.on(dataset, settings=["data.window=256"]))


def test_all_networks_of_table_1_have_the_same_loss(items):
    assert {config.method.objective.distance for config in networks(items["table1"]).values()} == {"l1"}
    assert "L1" in items["table1"].caption


def test_what_a_dataset_lacks_leaves_out_the_rows_that_need_it(items):
    rows = {row.label: row.system for row in items["table1"].rows if row.cell_type == "alpha"}
    assert {label for label, system in rows.items() if system.reason} == {
        "EPInformer", "MACS3", "Promoter activity",
    }  # fmt: skip
    assert "elements" in rows["EPInformer"].reason
    assert "no feature 'promoter_activity'" in rows["Promoter activity"].reason
    for label, kind in (("Ridge", "ridge"), ("Gradient boosting", "gradient_boosting")):
        (config,) = rows[label].runs.values()  # one run, as nothing in it is random
        assert config.method.kind == kind
        assert config.data == next(iter(rows["InFER"].runs.values())).data
        assert not rows[label].is_random
    assert rows["Seq2Exp-soft"].runs  # without a blacklist, as the dataset has none
    assert not next(iter(rows["Seq2Exp-soft"].runs.values())).method.model.blacklist


def test_table_1_is_a_hundred_networks_and_the_baselines_on_two_cell_types(make_dataset, tmp_path, monkeypatch):
    dataset = open_dataset(make_dataset(tmp_path / "data", window=2_304))
    monkeypatch.setattr(type(dataset.regions), "require", lambda *_: None)
    table = paper.table1(Study.on(dataset))
    assert len(networks(table)) == 100
    assert len(runs(table)) == 104  # without promoter activity, a feature that the dataset lacks


def test_each_group_has_one_baseline_and_the_papers_numbers(items):
    for name in SCORES:
        groups = {}
        for row in items[name].rows:
            groups.setdefault((row.cell_type, row.group), []).append(row)
        for rows in groups.values():
            assert sum(row.baseline for row in rows) <= 1
            assert len({row.label for row in rows}) == len(rows)
    printed = [row.published for row in items["table1"].rows if row.label not in BASELINES.values()]
    assert sum(one is not None for one in printed) == 20
    assert all(row.published for name in ("table2", "table3", "table4", "table6", "table7") for row in items[name].rows)


def test_the_papers_numbers_are_those_of_its_cell_type():
    assert published.of_systems("gm12878")["infer"].pearson == 0.9016
    assert published.of_systems("HepG2")["infer"] == published.of_systems("K562")["infer"]
    assert published.SWEEPS["alpha"][10.0].pearson is None


def test_table_4_reads_what_its_rows_say(items):
    rows = {row.label: next(iter(row.system.runs.values())) for row in items["table4"].rows if row.cell_type == "alpha"}
    assert rows["+ dnase"].data.signals == ("dnase",)
    assert (rows["No signals"].data.signals, rows["No signals"].method.model.signals) == ((), False)
    assert rows["All signals"].data.signals is None


def test_table_6_varies_one_setting_at_a_time(items):
    for row in items["table6"].rows:
        objective = next(iter(row.system.runs.values())).method.objective
        symbol, _, value = row.label.partition(" = ")
        if row.label == "α = 0":
            assert objective.kind == "regression"
            continue
        expected = {"n": 2, "α": 1.0, "β": 1.0} | {symbol: float(value)}
        assert {"n": objective.n_patterns, "α": objective.alpha, "β": objective.beta} == expected


def test_lengths_are_in_proportion_at_the_small_scale(study, items):
    assert (study.length(2_000), study.length(100), study.length(200_000)) == (256, 12, 25_600)
    assert [row.x for row in items["table2"].rows if row.cell_type == "alpha"] == [32, 40, 48, 128]


def test_a_dataset_without_longer_windows_has_no_long_row(items):
    long = next(row for row in items["table7"].rows if row.label.endswith("long"))
    assert long.system == System(reason="The dataset's windows are 128 bp long; this row needs more than 256 bp.")


def test_table_8_has_the_papers_counts():
    rows = {label: (printed, model, objective) for label, printed, model, objective in paper.table8().rows}
    assert rows["Caduceus w/ signals"] == ("574K", 574_721, 0)
    assert rows["InFER"] == ("585K", 574_721, 10_960)
    assert rows["Seq2Exp-soft"] == ("1.1M", 1_114_249, 0)
    assert rows["HyenaDNA"][1:] == (903_681, 0)
    assert len(rows) == 10


def test_counting_allocates_nothing(tiny_config):
    config = tiny_config()
    found = config.method.parameters(3, 2, 128)
    network = config.method.model.build(3, 2, 128)
    assert found["model"] == sum(weight.numel() for weight in network.parameters())


def test_every_system_is_trained_once_per_seed(items):
    for name in SCORES:
        assert isinstance(items[name], ScoreTable)
        assert all(len(system.runs) == (2 if system.is_random else 1) for system in items[name].systems if system.runs)
