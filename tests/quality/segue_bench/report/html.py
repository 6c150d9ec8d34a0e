"""The report as one HTML page that needs nothing beside it: figures, spectrograms, and players."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from segue_bench.report.columns import COLUMNS, KEY, Column
from segue_bench.report.content import Content, Group
from segue_bench.report.figures import DEFAULT
from segue_bench.report.listening import Heard, Scene
from segue_bench.report.markdown import cost
from segue_bench.report.table import Line, Table
from segue_bench.report.targets import Target, interval
from segue_bench.report.words import Finding, Opening, counted, grouped, small
from segue_bench.sound import MIME, as_text

_HERE = Path(__file__).parent


def page(content: Content, scenes: Iterable[Scene]) -> Iterator[str]:
    """The page, piece by piece: scenes are large, and made one at a time."""
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{escape(content.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
    yield f'<header class="top">\n<h1>{escape(content.title)}</h1>\n'
    yield "".join(f"<p>{_code(line)}</p>\n" for line in content.lead)
    yield f"{_contents(content)}</header>\n<main>\n"
    yield f'<h2 id="losses">Where a baseline beats our default</h2>\n{_opening(content.opening)}'
    yield '<h2 id="targets">Targets of the project</h2>\n' + "".join(map(_target, content.targets))
    yield '<h2 id="listen">To listen to</h2>\n'
    yield "<p>The gap lies between the dashed lines. All methods of an excerpt are at one level; MP3. A click into a "
    yield "spectrogram (40 Hz to 20 kHz) plays from there.</p>\n"
    for scene in scenes:
        yield from _scene(scene)
    yield '<h2 id="tables">Tables</h2>\n' + _list(content.reading)
    for group in content.groups:
        yield from _group(group)
    yield '<h2 id="meanings">Scores and methods</h2>\n' + _meanings(content)
    yield f'<h2 id="failures">What failed, and what could not be done</h2>\n{_list(content.trouble_lines)}'
    yield f'<h2 id="data">Data</h2>\n{_list(content.data)}'
    yield f'<h2 id="again">How to make it again</h2>\n{_list(filter(None, content.again))}'
    yield f"</main>\n<script>\n{script}</script>\n</body>\n</html>\n"


def _contents(content: Content) -> str:
    links = [("losses", "Losses"), ("targets", "Targets"), ("listen", "Listen")]
    links += [(f"table-{group.table.condition}", group.table.condition) for group in content.groups]
    links += [("meanings", "Scores and methods"), ("failures", "Failures"), ("data", "Data"), ("again", "Again")]
    items = "".join(f'<li><a href="#{escape(anchor)}">{escape(name)}</a></li>' for anchor, name in links)
    return f"<nav><ul>{items}</ul></nav>\n"


def _opening(said: Opening) -> str:
    none = " none" if said.compared and not said.lost else ""
    lost = _findings(said.lost) or f"<p>{escape(said.none_lost)}</p>\n"
    text = f'<div class="findings{none}">\n{lost}</div>\n'
    if said.behind:
        text += "<h3>Ahead of our default by what may be chance, in the scores of the targets</h3>\n"
        text += _findings(said.behind)
    if said.own:
        text += "<h3>Not baselines, but ahead of our default beyond chance</h3>\n" + _findings(said.own)
    return text


def _findings(findings: Sequence[Finding]) -> str:
    lines = [
        f"<li>{escape(place)}: <b>{escape(name)}</b>: {escape(text)}.</li>\n"
        for place, by in grouped(findings)
        for name, text in by
    ]
    return f"<ul>\n{''.join(lines)}</ul>\n" if lines else ""


def _target(target: Target) -> str:
    kind = target.verdict.replace(" ", "-")
    return (
        f'<div class="target"><p><span class="badge {kind}">{target.verdict.capitalize()}</span>'
        f"{escape(target.promise)}.</p>\n{_list(target.figures)}</div>\n"
    )


def _group(group: Group) -> Iterator[str]:
    condition = escape(group.table.condition)
    yield f'<section id="table-{condition}">\n<h3>{condition}</h3>\n<p>{escape(group.about)}</p>\n'
    yield _table(group.table)
    for parts in group.splits:
        yield f"<details><summary>{escape(', '.join(part.part for part in parts))}</summary>\n{_split(parts)}"
        for part in parts:
            size = f"{counted(part.excerpts, 'excerpt')} of {counted(part.tracks, 'track')}"
            yield f"<h3>{escape(part.part)}: {size}</h3>\n{_table(part)}"
        yield "</details>\n"
    yield "</section>\n"


def _table(table: Table) -> str:
    heads = "".join(_head(column, column.title) for column in table.columns)
    costs = "".join(f"<th>{name}</th>" for name in ("clips", "units", "s", "MB"))
    width = len(table.columns) + 5
    rows, family = [], ""
    for line in table.lines:
        if line.method.family != family:
            family = line.method.family
            rows.append(f'<tr class="family"><th colspan="{width}">{escape(family)}</th></tr>\n')
        cells = "".join(_cell(table, line, column) for column in table.columns)
        cells += "".join(f"<td>{escape(text)}</td>" for text in cost(line))
        kind = ' class="ours-default"' if line.method.name == DEFAULT else ""
        rows.append(f'<tr{kind}><th title="{escape(line.method.about)}">{escape(line.method.name)}</th>{cells}</tr>\n')
    head = f"<tr><th>method</th>{heads}{costs}</tr>"
    return f'<div class="scroll"><table>\n<thead>{head}</thead>\n<tbody>\n{"".join(rows)}</tbody>\n</table></div>\n'


def _split(parts: Sequence[Table]) -> str:
    columns = [c for c in COLUMNS if c.name in KEY and any(c in part.columns for part in parts)]
    heads = "".join(_head(c, f"{c.title}, {part.part}") for c in columns for part in parts)
    rows = []
    for name in dict.fromkeys(line.method.name for part in parts for line in part.lines):
        cells = "".join(
            _cell(part, part.by_method[name], c) if name in part.by_method else "<td>-</td>"
            for c in columns
            for part in parts
        )
        kind = ' class="ours-default"' if name == DEFAULT else ""
        rows.append(f"<tr{kind}><th>{escape(name)}</th>{cells}</tr>\n")
    head = f"<tr><th>method</th>{heads}</tr>"
    return f'<div class="scroll"><table>\n<thead>{head}</thead>\n<tbody>\n{"".join(rows)}</tbody>\n</table></div>\n'


def _head(column: Column, title: str) -> str:
    arrow = {"higher": "↑", "lower": "↓", "none": ""}[column.best]
    below = " ".join(filter(None, (column.unit, arrow)))
    return f'<th title="{escape(column.meaning)}">{escape(title)}<small>{escape(below)}</small></th>'


def _cell(table: Table, line: Line, column: Column) -> str:
    figure = line.cells.get(column.name)
    if figure is None:
        return "<td>-</td>"
    best = {
        family: line.method.name == table.best(column, name)
        for family, name in (("best-ours", "ours"), ("best-baseline", "baselines"))
    }
    kind = "".join(f' class="{name}"' for name, is_best in best.items() if is_best)
    between = interval(column, figure)
    versus = figure.versus
    p = "" if versus is None or versus.p is None else f"; against our default: p {small(versus.p)}"
    title = f"{figure.clips} excerpts{between and f'; 95 % interval{between}'}{p}"
    compared = table.compared(column, line.method.name)
    mark = ""
    if compared is not None and (compared.wins or compared.loses):
        mark = ' <span class="up">▲</span>' if compared.wins else ' <span class="down">▼</span>'
    shown = f'<span class="range">{escape(between)}</span>' if column.kind == "set" else ""
    return f'<td{kind} title="{escape(title)}">{column.text(figure.value)}{shown}{mark}</td>'


def _scene(scene: Scene) -> Iterator[str]:
    one = scene.excerpt
    heard = "other tracks of this artist were trained on" if one.heard else "no track of this artist was trained on"
    yield f'<section class="scene">\n<h3>{escape(scene.condition)}: {escape(one.title)}, {escape(one.artist)}</h3>\n'
    recall = f"{escape(one.name)}; recall {one.recall} ({one.distance_db:.1f} dB)"
    source = f"{one.split} track of {escape(one.package)}, {escape(one.licence)}"
    yield f'<p class="soft">{recall}; {source}; {heard}.</p>\n'
    for take in scene.heard:
        yield _take(take)
    yield "</section>\n"


def _take(take: Heard) -> str:
    row = take.row
    figures = [
        f"{c.title} {c.text(row.scores[c.score])}{f' {c.unit}' if c.unit else ''}"
        for c in COLUMNS
        if c.name in KEY and c.score in row.scores
    ]
    clipped = f"; {row.clipped} samples clipped" if row.clipped else ""
    label = f"{row.method}: {row.excerpt.title}"
    return (
        f'<div class="take"><div><b>{escape(row.method)}</b><small>{escape("; ".join(figures))}{clipped}</small></div>'
        f'<div class="picture"><img alt="spectrogram of {escape(label)}" '
        f'src="data:image/png;base64,{as_text(take.png)}"><div class="head"></div></div>'
        f'<div><audio controls preload="none" aria-label="{escape(label)}" '
        f'src="data:{MIME["mp3"]};base64,{as_text(take.mp3)}"></audio><small>{escape(row.how)}</small></div></div>\n'
    )


def _meanings(content: Content) -> str:
    scores = "".join(
        f"<tr><th>{escape(c.title)}</th><td>{escape(c.unit)}</td><td>{escape(c.best)}</td><td>{escape(c.meaning)}</td></tr>\n"
        for c in content.columns
    )
    methods = "".join(
        f"<tr><th>{escape(m.name)}</th><td>{escape(m.family)}</td><td>{escape(m.about)}</td></tr>\n"
        for m in content.methods
    )
    return "".join(
        f'<div class="scroll"><table class="words"><tbody>\n{body}</tbody></table></div>\n<p></p>\n'
        for body in (scores, methods)
    )


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{_code(line.removeprefix('- '))}</li>\n" for line in lines)
    return f"<ul>\n{items}</ul>\n" if items else ""


def _code(line: str) -> str:
    """Escaped, with what stands between back ticks as code."""
    parts = escape(line).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
