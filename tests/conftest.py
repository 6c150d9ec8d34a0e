"""Shapes and types of every call into the packages are checked at run time while the tests run."""

from __future__ import annotations

from jaxtyping import install_import_hook

_hook = install_import_hook(["segue", "segue_export", "segue_protocol"], "beartype.beartype")

import torch  # noqa: E402

torch.set_num_threads(1)
