"""Licences that several families share."""

from __future__ import annotations

from segue_export.importers.contract import Licence

STABILITY = Licence(
    "Stability AI Community License",
    "https://stability.ai/community-license-agreement",
    commercial_use=True,
    summary="Free for private use and for commercial use up to a yearly revenue of one million US dollars; above "
    "that Stability AI asks for an enterprise licence. What you make is yours.",
)
