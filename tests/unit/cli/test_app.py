from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from importlib import import_module

import pytest

import epigx
from epigx.cli import main
from epigx.cli.app import app

COMMANDS = (
    "demo", "doctor", "simulate", "check", "build", "info", "train", "evaluate", "predict", "report", "import"
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


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=" ".join)
def test_no_help_loads_anything_heavy(words):
    code = (
        "import sys, json; from epigx.cli import main; status = main(sys.argv[1:]); "
        f"print(json.dumps([status, [m for m in {HEAVY} if m in sys.modules]]), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert json.loads(ended.stderr.splitlines()[-1]) == [0, []]


def test_help_answers_within_a_second():
    times = []
    for _ in range(3):  # the best of three, in CPU seconds: other work on the machine is not epigx's
        before = os.times()
        assert _run("--help").returncode == 0
        after = os.times()
        times.append(sum(after[2:4]) - sum(before[2:4]))
    assert min(times) < 1.0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example_and_at_most_a_handful_of_flags(name, capsys):
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"Example:\n  epigx {name}" in out
    command = app[name]
    if command.default_command is None:
        return
    # Where the output goes, its form and what to do when it is there are the same for all, and not counted.
    common = {"out", "json", "settings", "force", "resume"}
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
def test_wrong_usage_is_told_with_the_remedy(words, said, capsys):
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


def test_no_color_is_honoured():
    coloured = _run("info", "nowhere", FORCE_COLOR="1", NO_COLOR="")
    plain = _run("info", "nowhere", FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[31m" in coloured.stderr or "\x1b[1;31m" in coloured.stderr
    assert not any(f"\x1b[{code}m" in plain.stderr for code in ("31", "1;31"))


def test_a_reader_that_leaves_early_hears_no_complaint():
    process = subprocess.Popen(
        [sys.executable, "-m", "epigx", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(timeout=60)


@pytest.mark.parametrize("words", [["--help"], ["build", "--help"], ["--version"]])
def test_a_reader_of_help_may_stop(words):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        called = subprocess.run(
            [sys.executable, "-m", "epigx", *words], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(writing)
    assert (called.returncode, called.stderr) == (0, b"")


def test_an_interrupted_command_says_so(monkeypatch, capsys, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("epigx.dataset.manifest.schema.read_manifest", interrupted)
    assert main(["check", str(tmp_path / "manifest.yaml")]) == 130
    assert capsys.readouterr() == ("", "Error: Interrupted.\n")
