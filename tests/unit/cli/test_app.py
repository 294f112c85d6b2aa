from __future__ import annotations

import inspect
import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

import epigx
from epigx.cli import main
from epigx.cli.app import app

COMMANDS = (
    "demo", "doctor", "simulate", "completion", "check", "build", "info", "train", "evaluate", "predict", "reproduce",
    "report", "import",
)  # fmt: skip
HEAVY = ("torch", "pandas", "pytorch_lightning", "matplotlib", "numpy", "scipy", "pydantic", "jinja2")


def _run(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "epigx", *words],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert all(f"│ {name} " in out for name in COMMANDS)
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=" ".join)
def test_no_help_loads_anything_heavy(words):
    code = (
        "import sys, json; from epigx.cli import main; status = main(sys.argv[1:]); "
        f"print(json.dumps([status, [m for m in {HEAVY} if m in sys.modules]]), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert json.loads(ended.stderr.splitlines()[-1]) == [0, []]


def test_help_is_fast(tmp_path):
    times = []
    # With compiled modules, as after an installation. The best of four in CPU seconds: other work does not count.
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    for _ in range(4):
        before = os.times()
        assert _run("--help", **compiled).returncode == 0
        after = os.times()
        times.append(sum(after[2:4]) - sum(before[2:4]))
    assert min(times) < 0.6


def test_the_package_is_imported_quickly_and_without_torch():
    code = (
        "import time; start = time.process_time(); import epigx, sys; took = time.process_time() - start; "
        f"print(took, [m for m in {HEAVY} if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    took, _, loaded = ended.stdout.strip().partition(" ")
    assert (float(took) < 0.3, loaded) == (True, "[]")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_fits_a_terminal_of_80_columns(name):
    command = app[name]
    example, *paragraphs = command.help_epilogue.split("\n\n")
    assert all(len(line) <= 80 for line in example.splitlines())
    assert all("\n" not in paragraph for paragraph in paragraphs), "rich wraps paragraphs"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["explain", "--help"], 'Unknown command "explain". Available commands: demo, '),
        (["trian", "-h"], 'Unknown command "trian". Did you mean "train"?'),
        (["--quiet", "trian", "--help"], 'Did you mean "train"?'),
        (["import", "prsm", "--help"], 'Unknown command "prsm". Did you mean "prism"?'),
    ],
)
def test_help_of_an_unknown_command_is_an_error(words, said, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_options(shell, capsys):
    assert main(["completion", "--shell", shell]) == 0
    out = capsys.readouterr().out
    for word in ("evaluate", "seq2exp", "max-time", "bootstrap"):
        assert word in out


def test_completion_is_installed(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["completion", "--shell", "bash", "--install"]) == 0
    out, err = capsys.readouterr()
    assert "evaluate" in Path(out.strip()).read_text()
    assert str(tmp_path) in out
    assert "Open a new terminal" in err


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes(capsys, tmp_path):
    assert main(["completion", "--shell", "bash"]) == 0
    (tmp_path / "script").write_text(capsys.readouterr().out)
    for typed, index, expected in (("epigx eval", 1, "evaluate"), ("epigx train --max", 2, "--max-time")):
        state = f"COMP_WORDS=({typed}); COMP_CWORD={index}"
        commands = f"source {tmp_path / 'script'}; {state}; _epigx; echo ${{COMPREPLY[@]}}"
        ended = subprocess.run(["bash", "-c", commands], capture_output=True, text=True, check=True)
        assert ended.stdout.split() == [expected]


def test_a_wrong_recipe_or_cell_type_is_reported_before_torch_is_loaded(tmp_path):
    code = (
        "import sys; from epigx.cli import main; status = main(sys.argv[1:]); "
        "print(status, 'torch' in sys.modules, file=sys.stderr)"
    )
    for words, said in (
        (["infre"], "Did you mean 'infer'?"),
        (["infer", "--data", "nowhere"], "nowhere is not a data"),
    ):
        ended = subprocess.run(
            [sys.executable, "-c", code, "train", *words, "-o", str(tmp_path / "run")], capture_output=True, text=True
        )
        assert said in ended.stderr
        assert ended.stderr.splitlines()[-1] == "2 False"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example_and_at_most_a_handful_of_flags(name, capsys):
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"Example:\n  epigx {name}" in out
    command = app[name]
    if command.default_command is None:
        return
    # Where the output goes, its form, what to do when it is there and where to run are the same for all: not counted.
    common = {"out", "json", "settings", "force", "resume", "engine"}
    flags = [
        parameter.name
        for parameter in inspect.signature(command.default_command).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in common
    ]
    assert len(flags) <= 8


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_list_is_the_first_line_of_the_docstring(name):
    command = app[name]
    if command.default_command is not None:
        assert inspect.getdoc(command.default_command).splitlines()[0] == command.help


@pytest.mark.parametrize("name", COMMANDS)
def test_every_parameter_is_explained(name):
    module = import_module(f"epigx.cli.{'import_' if name == 'import' else name}")
    function = module.prism if name == "import" else getattr(module, name)
    for parameter in inspect.signature(function).parameters:
        assert f"\n{parameter} : " in inspect.getdoc(function)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], 'Unknown command "trian". Did you mean "train"?'),
        (["evaluate", "run", "--spilt", "test"], "Unknown option: --spilt. Did you mean --split?"),
        (["evaluate", "run", "--split", "tset"], 'Invalid value "tset" for --split.'),
        (["build", "manifest.yaml"], "--out"),
        (["build", "manifest.yaml", "-o", "x", "--window", "long"], "--window"),
    ],
)
def test_wrong_usage_is_an_error_that_names_the_remedy(words, said, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Error: ")
    assert said in err
    assert "--help" in err
    assert "Traceback" not in err


def test_version_is_data(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr() == (f"{epigx.__version__}\n", "")


def test_debug_comes_before_or_after_the_command_or_from_the_environment(capsys, monkeypatch):
    for words in (["--debug", "info", "nowhere"], ["info", "nowhere", "--debug"]):
        assert main(words) == 2
        assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("EPIGX_DEBUG", "1")
    assert main(["info", "nowhere"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_no_color_disables_colors():
    coloured = _run("info", "nowhere", FORCE_COLOR="1", NO_COLOR="")
    plain = _run("info", "nowhere", FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[31m" in coloured.stderr or "\x1b[1;31m" in coloured.stderr
    assert not any(f"\x1b[{code}m" in plain.stderr for code in ("31", "1;31"))


def test_a_closed_pipe_is_not_an_error():
    process = subprocess.Popen(
        [sys.executable, "-m", "epigx", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(timeout=60)


@pytest.mark.parametrize("words", [["--help"], ["build", "--help"], ["--version"]])
def test_a_pipe_that_is_closed_while_help_is_printed_is_not_an_error(words):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        called = subprocess.run(
            [sys.executable, "-m", "epigx", *words], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(writing)
    assert (called.returncode, called.stderr) == (0, b"")


def test_ctrl_c_is_reported(monkeypatch, capsys, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("epigx.dataset.manifest.schema.read_manifest", interrupted)
    assert main(["check", str(tmp_path / "manifest.yaml")]) == 130
    assert capsys.readouterr() == ("", "Error: Interrupted.\n")


def test_ctrl_c_during_a_build_names_the_way_to_continue(monkeypatch, capsys, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    manifest = SimpleNamespace(override=lambda *_: None)
    monkeypatch.setattr("epigx.dataset.manifest.schema.read_manifest", lambda _: manifest)
    monkeypatch.setattr("epigx.dataset.build.build.build", interrupted)
    assert main(["build", "manifest.yaml", "-o", str(tmp_path / "data")]) == 130
    assert capsys.readouterr() == ("", "Error: Interrupted. Run the same command again to continue the build.\n")
