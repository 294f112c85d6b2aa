"""Build the C++ kernel when the package is built: beside its sources for an editable install, into the wheel otherwise.

Without a C++ compiler the wheel is pure Python, and epigx says at run time that a slower kernel runs, and why.
"""

from __future__ import annotations

import importlib.util
import shutil
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = Path("epigx", "kernels", "cpu")


class KernelBuildHook(BuildHookInterface):
    """Adds the compiled library to the wheel, which then fits every CPython of one platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; `version` is "editable" or "standard"."""
        if self.target_name != "wheel":
            return
        native = self._recipe()
        self._folder = Path(tempfile.mkdtemp())
        in_place = version == "editable"
        try:
            library = native.build(None if in_place else self._folder / native.LIBRARY)
        except native.BuildError as problem:
            self.app.display_warning(f"The C++ kernel was not built: {problem}. epigx works without it, slower.")
            return
        if not in_place:
            build_data["force_include"][str(library)] = str(NATIVE / native.LIBRARY)
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder."""
        if self.target_name == "wheel":
            shutil.rmtree(self._folder, ignore_errors=True)

    def _recipe(self) -> Any:
        """Load build.py by its path: importing epigx would need torch."""
        path = Path(self.root, "src", NATIVE, "build.py")
        spec = importlib.util.spec_from_file_location("epigx_kernel_build", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
