"""Whether the packages that read models are installed."""

from __future__ import annotations

import importlib.util

from segue.errors import ResourceError

PACKAGES = ("diffusers", "transformers", "tokenizers", "onnxscript", "tomli_w")


def check_extra() -> None:
    """Refuse with what to install.

    Raises:
        ResourceError: a package of the extra ``import`` is missing.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ResourceError(
            f"importing a model needs {', '.join(missing)}: install them with pip install segue[import]"
        )
