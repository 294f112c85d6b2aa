"""Fail on words that docs/words.txt lists: the documents, help texts, errors and comments use plain English."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXTS = {
    ".": ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
    "docs": ("**/*.md",),
    "examples": ("**/*.py", "**/*.md"),
    "benchmarks": ("**/*.py",),
    "src": ("**/*.py", "**/*.html", "**/*.hpp", "**/*.cpp"),
}
EXEMPT = ("docs/decisions/",)
"""Records of decisions keep the words that they were written in."""


def read_rules(path: Path) -> list[tuple[re.Pattern[str], str]]:
    """Read the patterns and what to write in their place.

    Parameters
    ----------
    path : Path
        A line for each rule, ``pattern | pattern -> advice``; ``#`` starts a comment line.

    Returns
    -------
    list of (re.Pattern, str)
        Each matches whole words in any case, also across the end of a line.
    """
    rules = []
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            patterns, advice = line.split(" -> ")
            either = "|".join(pattern.strip().replace(" ", r"[\s#*/]+") for pattern in patterns.split(" | "))
            rules.append((re.compile(rf"\b(?:{either})\b", re.IGNORECASE), advice))
    return rules


def findings(path: Path, rules: list[tuple[re.Pattern[str], str]]) -> Iterator[str]:
    """Yield ``file:line: word (advice)`` for each match in a file."""
    text = path.read_text()
    for pattern, advice in rules:
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path.relative_to(ROOT)}:{line}: {' '.join(match[0].split())!r}; write instead: {advice}"


def main() -> None:
    """Check all texts, and exit with 1 if one has a listed word."""
    rules = read_rules(ROOT / "docs" / "words.txt")
    paths = [path for folder, globs in TEXTS.items() for glob in globs for path in sorted((ROOT / folder).glob(glob))]
    kept = [path for path in paths if not str(path.relative_to(ROOT)).startswith(EXEMPT)]
    found = [finding for path in kept for finding in findings(path, rules)]
    print("\n".join(found) or f"{len(kept)} files use plain English.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
