"""How the page looks: one style sheet, light and dark by the reader's own setting, and plain on paper.

Good is blue and poor is orange, which people with any of the common colour deficiencies tell apart.
"""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --ink: #1b2430; --soft: #5b6675; --edge: #dfe3e8; --grid: #e6e9ed;
  --good: #1f6fb8; --poor: #c2600a; --open: #6f7a87; --band: #1f6fb826; --line: #1f6fb8; --amount: #5c7fa3;
  --volume: #c3ccd6; --most: #3f5f82; --some: #a9bed5; --little: #dde3ea; --on: #ffffff;
  --warn: #fff4e2; --shadow: 0 1px 2px #1b243014; }
@media (prefers-color-scheme: dark) { :root {
  --page: #11161c; --card: #1a212a; --ink: #e8ecf1; --soft: #a3afbd; --edge: #2b3542; --grid: #2a333f;
  --good: #5aa9f0; --poor: #f2994a; --open: #6f7b8a; --band: #5aa9f033; --line: #5aa9f0; --amount: #7f9fc2;
  --volume: #3d4958; --most: #9dbbdc; --some: #4d6a8a; --little: #2d3947; --on: #0f141a;
  --warn: #33291a; --shadow: none; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 36px; padding-bottom: 8px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 18px; line-height: 1.3; margin: 0 0 4px; }
p { margin: 0 0 10px; }
p.lead, .soft, footer { color: var(--soft); }
p:last-child { margin-bottom: 0; }
.grid { display: grid; grid-template-columns: repeat(12, minmax(0, 1fr)); gap: 18px; margin: 18px 0; }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 20px 22px;
  grid-column: span 6; box-shadow: var(--shadow); break-inside: avoid; overflow-wrap: anywhere; }
.card.wide { grid-column: 1 / -1; }
.card > p.soft { font-size: 15px; }
.number { font-size: 76px; line-height: 1; font-weight: 700; letter-spacing: -0.03em;
  font-variant-numeric: tabular-nums; }
.meaning { font-size: 21px; line-height: 1.3; font-weight: 600; margin: 8px 0 6px; }
.trend { font-weight: 600; margin-top: 10px; }
svg { display: block; margin-top: 6px; overflow: visible; }
svg text { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
line.grid { stroke: var(--grid); } line.neutral { stroke: var(--soft); stroke-dasharray: 3 3; }
rect.range { fill: var(--most); opacity: 0.38; } .dot { fill: var(--most); stroke: var(--card); stroke-width: 2; }
rect.range.high, .dot.high { fill: var(--good); } rect.range.low, .dot.low { fill: var(--poor); }
rect.good { fill: var(--good); } rect.poor { fill: var(--poor); } rect.undecided { fill: var(--open); }
rect.full, rect.face { fill: var(--most); } rect.partial, rect.voice { fill: var(--some); }
rect.none, rect.text, rect.other { fill: var(--little); } rect.another { fill: var(--amount); }
table.rows td, table.rows th { padding: 3px 10px 3px 0; vertical-align: middle; border: 0; }
table.rows td.name { width: 28%; max-width: 200px; } table.rows .plot { width: 50%; padding: 3px 12px; }
table.rows .plot svg { margin: 0; } table.rows .n { white-space: nowrap; overflow-wrap: normal; }
td.value { font-weight: 600; } table.rows svg text { font-size: 11px; }
ul.legend { list-style: none; margin: 12px 0 10px; padding: 0; display: flex; flex-wrap: wrap; gap: 6px 22px; }
ul.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 8px; }
i.good { background: var(--good); } i.poor { background: var(--poor); } i.undecided { background: var(--open); }
i.full, i.face { background: var(--most); } i.partial, i.voice { background: var(--some); }
i.none, i.text, i.other { background: var(--little); } i.another { background: var(--amount); }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); } th, td { padding: 6px 12px 6px 0; vertical-align: top; }
tr + tr td, tbody tr td { border-top: 1px solid var(--edge); } td.n, th.n { text-align: right; }
.warning { background: var(--warn); }
footer { padding-bottom: 40px; font-size: 14px; }
footer h2 { color: var(--ink); } svg + p, table + p { margin-top: 12px; }
ul.notes { margin: 0; padding-left: 20px; }
.scroll { overflow-x: auto; }
@media (max-width: 760px) { .card { grid-column: 1 / -1; } main, header, footer { padding: 0 14px; }
  .number { font-size: 60px; } .card { padding: 16px 14px; } table.rows td.name { width: 32%; }
  table.rows .plot { padding: 3px 8px; width: 44%; } header { padding-top: 20px; } }
@media print { :root { color-scheme: light;
  --page: #fff; --card: #fff; --ink: #000; --soft: #444; --edge: #bbb; --grid: #ddd; --good: #1f6fb8; --poor: #c2600a;
  --open: #6f7a87; --band: #1f6fb826; --line: #1f6fb8; --amount: #5c7fa3; --volume: #c3ccd6;
  --most: #3f5f82; --some: #a9bed5; --little: #dde3ea; --on: #fff; --warn: #fff;
  --shadow: none; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  body { font-size: 11pt; } main, header, footer { max-width: none; padding: 0; }
  .grid { gap: 10px; margin: 10px 0; } }
"""
