"""``epigx simulate``: a small simulated genome in real file formats."""

from __future__ import annotations

from cyclopts import App

from epigx.cli.console import emit, say
from epigx.cli.options import Force, Out, Settings
from epigx.cli.progress import Progress

app = App(
    name="simulate",
    help_epilogue=(
        "Example:\n"
        "  epigx simulate -o toy --genes 600 --seed 1\n"
        "  epigx simulate -o toy-flip --flip --set confounding=1\n\n"
        "Prints the path of the manifest, for `epigx check` and `epigx build`."
    ),
)


@app.default
def simulate(
    *,
    out: Out,
    genes: int | None = None,
    seed: int | None = None,
    flip: bool = False,
    settings: Settings = (),
    force: Force = False,
) -> None:
    """Simulate a small genome with a known confounder, in real file formats.

    Parameters
    ----------
    out : Path
        Folder to write.
    genes : int, optional
        Number of genes.
    seed : int, optional
        Random seed.
    flip : bool
        Reverse the confounding on the test chromosomes.
    settings : tuple of str
        A setting of the simulation, as key=value (confounding=2); may be repeated.
    force : bool
        Replace an existing folder.
    """
    from epigx.simulator.simulate import Simulation
    from epigx.simulator.simulate import simulate as write

    given = {"genes": genes, "seed": seed, "flip": flip or None}
    assignments = {key: f"{key}={value}" for key, value in given.items() if value is not None}
    typed = {assignment: f"--{key} {given[key]}" for key, assignment in assignments.items()}
    simulation = Simulation().override(*assignments.values(), *settings, typed=typed)
    with Progress("Simulating") as progress:
        manifest = write(simulation, out, force=force, progress=progress)
    say(f"Simulated {simulation.genes:,} genes (seed {simulation.seed}). The true effects are in truth.json.")
    emit(str(manifest))
