"""The report of a bounce: JSON for programs, and a page with a player for each place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from segue.clip.atomic import replacing
from segue.plain import jsonable

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; media-src 'self' file:; style-src 'unsafe-inline'">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #ddd; vertical-align: middle; }}
audio {{ width: 20rem; max-width: 100%; }} .failed {{ color: #a00; }}
</style></head><body>
"""


def write_report(folder: Path, report: Mapping[str, Any]) -> dict[str, Any]:
    """Write report.json and report.html into the folder of the clips; the report, ready for JSON.

    Raises:
        AudioFileError, ResourceError: the folder cannot be written.
    """
    plain = jsonable(report)
    assert isinstance(plain, dict)
    for name, text in (("report.json", json.dumps(plain, indent=2) + "\n"), ("report.html", page(plain))):
        with replacing(folder / name) as part:
            part.write_text(text, encoding="utf-8")
    return plain


def page(report: Mapping[str, Any]) -> str:
    """The page; its players find the clips beside it."""
    title = f"{report['project']}, bounced to {report['written']}"
    parts = [_HEAD.format(title=escape(title)), f"<h1>{escape(title)}</h1>\n", _list(report["notes"])]
    for track in report["tracks"]:
        parts.append(f"<h2>{escape(track['name'])}</h2>\n")
        if track["places"]:
            parts.append("<table><tr><th>place</th><th>seconds</th><th>in context</th><th>the clip</th></tr>\n")
            parts += [_row(place) for place in track["places"]]
            parts.append("</table>\n")
        else:
            parts.append("<p>Nothing to render.</p>\n")
        parts.append(_list([*track["left"], *track["notes"]]))
    return "".join(parts) + "</body></html>\n"


def _row(place: Mapping[str, Any]) -> str:
    start, stop = place["seconds"]
    head = f"<tr><td>{escape(place['kind'])}</td><td>{start:.3f} to {stop:.3f}, beat {place['beats'][0]:.2f}</td>"
    if "failed" in place:
        return f'{head}<td colspan="2" class="failed">{escape(place["failed"])}</td></tr>\n'
    players = "".join(
        f'<td><audio controls preload="none" src="{quote(place[name])}"></audio></td>' for name in ("listen", "file")
    )
    return f"{head}{players}</tr>\n"


def _list(lines: list[str]) -> str:
    return "".join(["<ul>\n", *(f"<li>{escape(line)}</li>\n" for line in lines), "</ul>\n"]) if lines else ""
