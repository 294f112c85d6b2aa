"""Stores the DNA of datasets in one folder only once: equal ``sequence.npy`` files become hard links of one file."""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from pathlib import Path

from epigx.dataset.store import FileInfo, digest

__all__ = ["share_sequence"]

logger = logging.getLogger(__name__)

_NAME = "sequence.npy"


def share_sequence(folder: Path, siblings: Path, info: FileInfo) -> None:
    """Replace a dataset's DNA by a hard link to the same file of another dataset, if there is one.

    Datasets are read-only, and a linked file exists until its last dataset is deleted. The dataset keeps its own copy
    where links are impossible, such as on some network drives.

    Parameters
    ----------
    folder : Path
        The finished dataset, before it is published.
    siblings : Path
        The folder of the other datasets.
    info : FileInfo
        Size and checksum of the dataset's DNA.
    """
    for description in sorted(siblings.glob("*/dataset.json")):
        with suppress(OSError, ValueError, LookupError, TypeError):  # another dataset may be damaged or not readable
            if json.loads(description.read_text())["files"][_NAME] != info.model_dump():
                continue
            other = (description.parent / _NAME).resolve(strict=True)
            if digest(other) != info:
                continue
            link = folder / f"{_NAME}.link"
            link.unlink(missing_ok=True)
            os.link(other, link)
            link.replace(folder / _NAME)
            logger.info("%s is a hard link to %s: the DNA is the same.", _NAME, other)
            return
