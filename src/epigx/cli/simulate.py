"""``epigx simulate``: a toy genome in real file formats."""

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
    """Write a toy genome, in real file formats, with a planted confounder.

    Parameters
    ----------
    out : Path
        The folder to write.
    genes : int, optional
        Number of genes.
    seed : int, optional
        Seed of the draw.
    flip : bool
        Turn the confounding around on the test chromosomes.
    settings : tuple of str
        A value of the simulation, as key=value (confounding=2).
    force : bool
        Replace an existing folder.
    """
    from epigx.simulate.simulate import Simulation
    from epigx.simulate.simulate import simulate as write

    given = {"genes": genes, "seed": seed, "flip": flip or None}
    words = {key: f"{key}={value}" for key, value in given.items() if value is not None}
    typed = {word: f"--{key} {given[key]}" for key, word in words.items()}
    simulation = Simulation().override(*words.values(), *settings, typed=typed)
    with Progress("Simulating") as progress:
        manifest = write(simulation, out, force=force, progress=progress)
    say(f"Simulated {simulation.genes:,} genes (seed {simulation.seed}); truth.json holds what is true of them.")
    emit(str(manifest))
