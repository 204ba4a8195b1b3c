"""An evaluation as one HTML page for people: its pictures are inside, and it loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from mien import __version__
from mien_face_lab import counter
from mien_face_lab.evaluation import SUMMARY
from mien_face_lab.judgement import Judgement
from mien_face_lab.plots import draw_calibration, draw_confusion, draw_recall
from mien_face_lab.report import Report
from mien_face_lab.robustness import ALL

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""Even if something slipped through, the browser would run and fetch nothing."""

_NAMES: Final = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "ece": "calibration error",
}

_NO_PERCENTAGES: Final = ("macro_f1", "ece")

_STYLE: Final = """
:root { color-scheme: light; --ink: #22262e; --soft: #5b6675; --edge: #dfe3e8; --card: #fff; }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 70rem; background: #f4f5f7; color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.05rem; margin: 0 0 .6rem }
.soft { color: var(--soft) } header { margin-bottom: 1.25rem } header p { margin: .2rem 0 0 }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)) }
.tiles { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); margin-bottom: 1rem }
section { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 1rem 1.2rem;
  overflow-x: auto }
.wide { grid-column: 1 / -1 } .tile b { display: block; font-size: 1.7rem; line-height: 1.25 }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--edge) }
th:first-child, td:first-child { text-align: left } th { font-weight: 600 } tr:last-child td { border: 0 }
svg { display: block; width: 100%; height: auto; max-width: 36rem; margin: 0 auto }
code { font-size: .9em; overflow-wrap: anywhere }
"""


def build_page(report: Report) -> str:
    """The page.

    Args:
        report: Its first judgement is shown.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    judgement = report.judgements[0]
    title = f"{report.weights['name']} {report.weights['version']}: {judgement.labels.full_name}"
    body = "\n".join(
        [
            f"<header><h1>{escape(title)}</h1><p class='soft'>{_lead(report, judgement)}</p></header>",
            f"<div class='tiles'>{''.join(_tiles(judgement))}</div>",
            "<div class='grid'>",
            _counter(report),
            _section("Each emotion", _classes(judgement), wide=True),
            _section("", draw_recall(judgement).inline_svg()),
            _section("", draw_confusion(judgement).inline_svg()),
            _section(
                "",
                draw_calibration(judgement).inline_svg() + _calibration_note(),
                wide=not judgement.robustness,  # else it would stand beside nothing
            ),
            _section("Poor pictures", _robustness(judgement)) if judgement.robustness else "",
            _section("About these figures", _notes(report), wide=True),
            "</div>",
        ]
    )
    return (
        "<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _lead(report: Report, judgement: Judgement) -> str:
    left_out = report.data["faces"] - judgement.evaluation.n
    without = f", {left_out:,} more have no majority" if left_out else ""
    return f"{judgement.evaluation.n:,} faces of {escape(str(report.data['name']))}{without}"


def _tiles(judgement: Judgement) -> Iterable[str]:
    for name in SUMMARY:
        value, ends = getattr(judgement.evaluation, name), getattr(judgement.intervals, name)
        shown = f"{value:.3f}" if name in _NO_PERCENTAGES else f"{value:.1%}"
        where = "{:.3f} to {:.3f}" if name in _NO_PERCENTAGES else "{:.1%} to {:.1%}"
        where = f"<span class='soft'>{where.format(*ends)}</span>"
        yield f"<section class='tile'>{_NAMES[name]}<b>{shown}</b>{where}</section>"


def _counter(report: Report) -> str:
    if report.counter is None:
        return ""
    found = report.counter.to_json()
    note = f"<p class='soft'>{escape(found['name'])}: {counter.lead(found)}. Intervals are over the persons.</p>"
    return _section("At a counter", _table(counter.rows(found)) + note, wide=True)


def _classes(judgement: Judgement) -> str:
    rows = [("emotion", "precision", "recall", "95 % interval", "F1", "faces")]
    for label, each in judgement.evaluation.per_class.items():
        ends = judgement.intervals.recall.get(label)
        where = f"{ends[0]:.1%} to {ends[1]:.1%}" if ends else "no face"
        rows.append(
            (label, f"{each.precision:.1%}", f"{each.recall:.1%}", where, f"{each.f1:.3f}", f"{each.support:,}")
        )
    return _table(rows)


def _robustness(judgement: Judgement) -> str:
    described = {condition.name: condition.description for condition in ALL}
    rows = [("picture", "accuracy", "lost", "95 % interval")]
    rows.append(("clean", f"{judgement.evaluation.accuracy:.1%}", "", ""))
    for each in judgement.robustness:
        low, high = each.drop_interval
        where = f"{100 * low:.1f} to {100 * high:.1f}"
        rows.append((described[each.condition], f"{each.accuracy:.1%}", f"{100 * each.drop:.1f}", where))
    return _table(rows) + "<p class='soft'>Lost: percentage points of accuracy, the same faces clean and spoilt.</p>"


def _calibration_note() -> str:
    return (
        "<p class='soft'>An answer with confidence 0.8 should be right in 80 % of the cases: points below the dashed "
        "line are too sure of themselves.</p>"
    )


def _notes(report: Report) -> str:
    weights, data = report.weights, report.data
    return (
        "<p>Intervals hold 95 % of 1,000 samples drawn from the faces with replacement; they say how much chance there "
        "is in these faces, not how other people's faces would fare. Calibration error over 15 bins; no resample is "
        "calibrated better than its source, so that its interval leans upwards. Means are over the emotions that "
        "occur.</p>"
        f"<p class='soft'>Weights <code>{escape(weights['network'])}</code>, sha256 <code>{escape(weights['sha256'])}"
        f"</code>. Faces {escape(str(data['name']))}, digest <code>{escape(str(data['digest']))}</code>. "
        f"Made by mien {escape(__version__)}; this page loads nothing from anywhere.</p>"
    )


def _section(title: str, content: str, *, wide: bool = False) -> str:
    heading = f"<h2>{escape(title)}</h2>" if title else ""  # a picture has its own
    return f"<section class='{'wide' if wide else 'half'}'>{heading}{content}</section>"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of plain text, the first of them the head."""
    head, *rest = rows
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rest)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"
