"""From settings and the data of a run to predictions of the genes that a network is scored on."""

from __future__ import annotations

import pandas as pd

from epigx.baselines.base import Reference
from epigx.dataset.windows import Windows
from epigx.runs.config import DataConfig
from epigx.runs.gene_selection import Part, rows_of
from epigx.runs.training_data import choose_examples

__all__ = ["fit_reference"]


def fit_reference(reference: Reference, data: DataConfig, *, split: Part = "test") -> pd.DataFrame:
    """Fit a reference on the training genes of a network's data, and predict the genes of one part of the split.

    Parameters
    ----------
    reference : Reference
        What to fit.
    data : DataConfig
        The data of the network that it is compared with: same genes, inputs and split.
    split : {"train", "valid", "test", "all"}
        Which genes to predict.

    Returns
    -------
    DataFrame
        ``gene_id``, ``chrom``, ``observed`` and ``predicted``, log10(1 + x), one row for each labelled gene and cell
        type: the columns of :attr:`~epigx.evaluation.evaluate.Evaluation.genes`.

    Raises
    ------
    DatasetError
        The dataset lacks something, or no gene of the training or the validation chromosomes has a label.
    RunError
        scikit-learn is needed and not installed.
    """
    examples = choose_examples(data)
    predict = reference.fit(examples.train, examples.valid)
    dataset = examples.dataset
    rows = rows_of(
        dataset, split, examples.split,
        min_dna_coverage=data.min_dna_coverage, coverage_window=data.coverage_window,
    )  # fmt: skip
    windows = Windows(dataset, data.cell_types, rows, examples.inputs).labelled()
    return pd.DataFrame(
        {
            "gene_id": windows.gene_id,
            "chrom": dataset.genes["chrom"].to_numpy()[windows.row],
            "observed": windows.expression,
            "predicted": predict(windows),
        }
    )
