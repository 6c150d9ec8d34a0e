"""``segue-bench report``: both forms of the report into a folder."""

from __future__ import annotations

from pathlib import Path

from segue.clip.atomic import replacing
from segue_bench.report.content import Content
from segue_bench.report.html import page
from segue_bench.report.listening import ListenSettings, scenes
from segue_bench.report.markdown import markdown
from segue_bench.report.table import Tables
from segue_bench.results import Results


def write(folder: Path, out: Path, settings: ListenSettings, name: str = "quality") -> tuple[Path, Path]:
    """Write ``name``.md and ``name``.html into ``out``; their paths.

    Raises:
        InvalidRequest: ``folder`` holds no results.
        AudioFileError: kept audio is missing or broken.
    """
    results = Results.read(folder)
    content = Content(Tables.of(results))
    out.mkdir(parents=True, exist_ok=True)
    text, page_path = out / f"{name}.md", out / f"{name}.html"
    with replacing(text) as part:
        part.write_text(markdown(content), encoding="utf-8")
    with replacing(page_path) as part, part.open("w", encoding="utf-8") as f:
        f.writelines(page(content, scenes(results, content.tables, settings)))
    return text, page_path
