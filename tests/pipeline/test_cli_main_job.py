"""The main job by its commands, from raw files to a report."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pandas as pd

WINDOW = 128
METRICS = {"mse", "mae", "pearson", "spearman"}


def test_the_demo_goes_from_raw_files_to_a_report_and_marks_all_of_it_simulated(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "epigx", "demo", "--quick", "-o", "demo"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=250,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout.splitlines()[-1] == "demo/report.html"
    assert "All data are simulated" in ended.stderr
    assert "Simulated data." in (tmp_path / "demo" / "report.html").read_text()
    assert "(simulated), split test" in ended.stderr
    assert "95 % CI of the difference" in ended.stderr
    # Every step stands there as the command that repeats it.
    commands = [line.split()[1] for line in ended.stderr.splitlines() if line.startswith("      epigx ")]
    assert commands == ["simulate", "check", "build", "train", "train", "evaluate", "evaluate", "predict", "report"]
    predictions = pd.read_csv(tmp_path / "demo" / "predictions.tsv", sep="\t")
    assert len(predictions) == 60
    # No temporary file is left behind.
    assert not list(tmp_path.rglob(".*"))


def test_check_finds_no_problem_in_good_files(epigx, genome):
    ended = epigx("check", genome / "manifest.yaml", "--window", WINDOW, "--json")
    assert ended.status == 0
    assert {problem["level"] for problem in json.loads(ended.out)} <= {"notice"}
    assert ended.err.endswith("0 errors, 0 warnings, 1 notice.\n")


def test_files_are_read_without_standard_streams(genome):
    command = f"{sys.executable} -m epigx check {genome / 'manifest.yaml'} --window {WINDOW} <&- 2>&-"
    ended = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True)
    assert ended.returncode == 0
    assert ended.stdout.startswith("notice: features:")


def test_check_reports_all_problems_at_once_and_strictness_is_a_choice(epigx, manifest):
    def spoil(values):
        values["cell_types"]["simA"]["signals"]["dnase"] = "nowhere.bigWig"
        values["cell_types"]["simB"]["signals"]["h3k27ac"] = "neither.bigWig"

    ended = epigx("check", manifest(spoil), "--window", WINDOW)
    assert ended.status == 2
    assert [line.partition(":")[0] for line in ended.out.splitlines()] == ["error", "error", "notice"]
    assert "nowhere.bigWig" in ended.out
    assert "/" not in ended.out, "paths are printed as in the manifest"
    assert "neither.bigWig" in ended.out

    def unsplit(values):
        values["split"] = {"valid": ["chr3"], "test": ["chr21"]}

    lenient = epigx("check", manifest(unsplit), "--window", WINDOW)
    warning, notice = lenient.out.splitlines()
    assert lenient.status == 0
    assert warning.startswith("warning: split: no gene is in the test split. List a chromosome of the genes under")
    assert notice.startswith("notice: features: the dataset will have 9 features: ")
    assert epigx("check", manifest(unsplit), "--window", WINDOW, "--strict").status == 3


def test_build_prints_the_folder_or_a_summary(epigx, genome, tmp_path):
    ended = epigx("build", genome / "manifest.yaml", "--window", 64, "-o", tmp_path / "data", "-j", 1)
    assert (ended.status, ended.out) == (0, f"{tmp_path / 'data'}\n")
    assert "42 genes" in ended.err
    again = epigx("build", genome / "manifest.yaml", "--window", 64, "-o", tmp_path / "data", "--force", "--json")
    assert again.status == 0
    assert json.loads(again.out)["genes"] == 42


def test_info_describes_a_dataset_and_a_run(epigx, dataset, run):
    summary = json.loads(epigx("info", dataset, "--verify", "--json").out)
    assert summary["assembly"] == "simulated"
    assert summary["window"] == WINDOW
    assert list(summary["signals"]) == ["h3k27ac", "dnase", "hic"]
    assert sum(summary["split"].values()) == 42
    lines = epigx("info", dataset).out.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("sources"))
    sources = [lines[first].removeprefix("sources"), *lines[first + 1 : first + len(summary["sources"])]]
    assert [line.split()[0] for line in sources] == list(summary["sources"])
    assert max(map(len, lines)) < 160, "one source a line"
    about_run = json.loads(epigx("info", run, "--json").out)
    assert "objective backdoor" in about_run["method"]
    assert about_run["steps"] == 6
    assert about_run["dataset"] == str(dataset)
    assert about_run["kernel"]
    words = epigx("info", run)
    assert words.status == 0
    assert any("objective backdoor" in line for line in words.out.splitlines())


def test_evaluate_prints_scores_and_says_first_on_what_it_runs(epigx, run):
    ended = epigx("evaluate", run, "--split", "test", "--bootstrap", 50)
    assert ended.status == 0
    first, second = ended.err.splitlines()
    assert first.startswith("Device: ")
    assert "Kernel: " in first
    assert "(simulated), split test" in second
    lines = [line.split() for line in ended.out.splitlines()]
    assert lines[0][:2] == ["metric", "value"]
    assert {line[0] for line in lines[1:]} == METRICS
    assert float(lines[1][2]) <= float(lines[1][1]) <= float(lines[1][3])


def test_evaluate_as_json_holds_the_same_and_drops_change_it(epigx, run):
    whole = json.loads(epigx("evaluate", run, "--bootstrap", 20, "--json").out)
    assert whole.keys() > METRICS
    assert whole["assembly"] == "simulated"
    assert set(whole["intervals"]) == METRICS
    less = json.loads(epigx("evaluate", run, "--bootstrap", 0, "--json", "--drop", "h3k27ac", "--drop", "dnase").out)
    assert less["drop"] == ["dnase", "h3k27ac"]
    assert less["intervals"] == {}
    assert less["mse"] != whole["mse"]
    short = json.loads(epigx("evaluate", run, "--bootstrap", 0, "--json", "--window", 64).out)
    assert short["window"] == 64
    assert short["mse"] != whole["mse"]


def test_predict_writes_tsv_to_standard_output_or_a_file(epigx, run, plain, dataset, tmp_path):
    printed = epigx("predict", run, "--data", dataset)
    assert printed.status == 0
    one = pd.read_csv(io.StringIO(printed.out), sep="\t")
    assert list(one.columns) == [
        "gene_id",
        "symbol",
        "chrom",
        "tss",
        "strand",
        "predicted",
        "observed",
        "trained_on",
        "dna_coverage",
        "low_coverage",
    ]
    assert len(one) == 42
    for suffix, read in (
        (".tsv", lambda p: pd.read_csv(p, sep="\t")),
        (".csv", pd.read_csv),
        (".parquet", pd.read_parquet),
    ):
        out = tmp_path / f"predictions{suffix}"
        ended = epigx("predict", run, plain, "--cell-type", "simB", "--split", "test", "-o", out)
        assert (ended.status, ended.out) == (0, f"{out}\n")
        both = read(out)
        assert "sd" in both
        assert set(both["chrom"]) == {"chr22"}


def test_report_compares_two_runs_on_one_page(epigx, run, plain, tmp_path):
    out = tmp_path / "report.html"
    ended = epigx("report", run, plain, "-o", out, "--bootstrap", 20)
    assert (ended.status, ended.out) == (0, f"{out}\n")
    assert ended.err.splitlines()[1].startswith("The MSE of ")
    page = out.read_text()
    for words in ("infer", "plain", "L₂ intervention", "Background patterns", "no dnase", "Simulated data."):
        assert words in page
    first = out.read_bytes()
    assert epigx("report", run, plain, "-o", out, "--bootstrap", 20, "--force").status == 0
    assert out.read_bytes() == first


def test_a_run_can_be_repeated_from_its_configuration_and_resumed(epigx, run, dataset, tmp_path):
    again = tmp_path / "again"
    stopped = epigx("train", run / "config.yaml", "-o", again, "--max-time", "0.001s")
    assert stopped.status == 0
    assert stopped.err.count("steps; continue with --resume.") == 1
    assert "Warning: Stopped after " in stopped.err
    assert "Trained" not in stopped.err
    assert not json.loads(epigx("info", again, "--json").out)["finished"]
    ended = epigx("train", run / "config.yaml", "-o", again, "--resume")
    assert (ended.status, ended.out) == (0, f"{again}\n")
    assert ended.err.startswith("Device: ")
    assert "\nTraining " in ended.err
    assert (again / "model/weights.safetensors").read_bytes() == (run / "model/weights.safetensors").read_bytes()
    assert (again / "config.yaml").read_bytes() == (run / "config.yaml").read_bytes()


def test_flags_change_the_configuration_and_a_short_run_has_a_short_warm_up(epigx, dataset, tmp_path):
    from epigx.runs.config import RunConfig

    ended = epigx(
        "train", "infer", "--data", dataset, "--cell-type", "simB", "--seed", 22, "--steps", 20, "--window", 64,
        "--set", "objective.alpha=0.1", "--set", "model.backbone.d_model=8", "--set", "model.backbone.n_layers=1",
        "--set", "training.steps=2", "-o", tmp_path / "run",
    )  # fmt: skip
    assert ended.status == 2  # --set has the last word, and a warm-up of 2 steps does not fit into 2
    assert "warmup_steps (2) must be below steps (2)" in ended.errors[0]
    ended = epigx(
        "train", "infer", "--data", dataset, "--cell-type", "simB", "--seed", 22, "--steps", 2, "--window", 64,
        "--set", "objective.alpha=0.1", "--set", "model.backbone.d_model=8", "--set", "model.backbone.n_layers=1",
        "-o", tmp_path / "run",
    )  # fmt: skip
    assert ended.status == 0
    assert "Reading the central 64 of 128 bp." in ended.err
    config = RunConfig.load(tmp_path / "run" / "config.yaml")
    assert (config.data.cell_types, config.data.window) == (("simB",), 64)
    assert (config.method.training.seed, config.method.training.steps, config.method.training.warmup_steps) == (
        22,
        2,
        0,
    )
    assert config.method.objective.alpha == 0.1


def test_doctor_prints_what_a_bug_report_needs(epigx):
    found = json.loads(epigx("doctor", "--json").out)
    assert found["versions"]["torch"].startswith("2.")
    assert found["compute"]["kernel"] in {"native", "cuda", "torch", "reference"}
    assert found["compute"]["why"]
    assert found["resources"]["disk_free_gb"] > 0
    assert {"macs3", "submitit", "distributed", "mamba-ssm"} <= set(found["optional packages"])
    words = epigx("doctor")
    assert words.status == 0
    assert found["compute"]["why"] in words.out


def test_an_official_checkpoint_becomes_a_run(epigx, shared_fixtures, tmp_path):
    ended = epigx("import", "prism", shared_fixtures / "prism_seed0.lightning.ckpt", "-o", tmp_path / "prism")
    assert (ended.status, ended.out) == (0, f"{tmp_path / 'prism'}\n")
    assert "585,681 parameters" in ended.err
    assert json.loads(epigx("info", tmp_path / "prism", "--json").out)["window"] == 2000
    words = [line.split() for line in epigx("info", tmp_path / "prism").out.splitlines()]
    assert ["dataset", "unknown"] in words
    assert "None" not in [word for line in words for word in line]


def test_an_official_checkpoint_of_seq2exp_becomes_a_run(epigx, shared_fixtures, tmp_path):
    weights = shared_fixtures / "seq2exp_hard_L600.weights.pt"
    ended = epigx("import", "seq2exp", weights, "-o", tmp_path / "hard", "--pool", 200, "--cell-type", "K562")
    assert (ended.status, ended.out) == (0, f"{tmp_path / 'hard'}\n")
    assert "382,217 parameters" in ended.err
    assert json.loads(epigx("info", tmp_path / "hard", "--json").out)["window"] == 600
    ended = epigx("import", "seq2exp", weights, "-o", tmp_path / "none")
    assert ended.status == 2
    assert "a pooled centre of 2,000 bp" in ended.errors[0]
