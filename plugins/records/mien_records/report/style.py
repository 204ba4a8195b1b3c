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
.card.tile { grid-column: span 3; padding: 16px 20px; }
.card > p.soft { font-size: 15px; }
.tile strong { display: block; font-size: 28px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 14px; }
.number { font-size: 76px; line-height: 1; font-weight: 700; letter-spacing: -0.03em;
  font-variant-numeric: tabular-nums; }
.number small { font-size: 22px; font-weight: 400; color: var(--soft); letter-spacing: 0; }
.number.high { color: var(--good); } .number.low { color: var(--poor); } .number.unsure { color: var(--soft); }
.meaning { font-size: 21px; line-height: 1.3; font-weight: 600; margin: 8px 0 6px; }
.trend { font-weight: 600; margin-top: 10px; }
svg { display: block; width: 100%; height: auto; margin-top: 10px; overflow: visible; }
svg text { fill: var(--soft); font-size: 13px; font-variant-numeric: tabular-nums; }
svg text.small { font-size: 11.5px; } svg text.name, svg text.value { fill: var(--ink); }
svg text.value { font-weight: 600; }
svg text.on { fill: var(--on); font-weight: 600; font-size: 14px; }
line.grid { stroke: var(--grid); } line.neutral { stroke: var(--soft); stroke-dasharray: 4 4; }
line.axis { stroke: var(--soft); } line.whisker { stroke: var(--soft); stroke-width: 2; stroke-linecap: round; }
.track { fill: var(--grid); } .band { fill: var(--band); }
polyline.line { fill: none; stroke: var(--line); stroke-width: 2.5; stroke-linejoin: round; }
rect.high, circle.high { fill: var(--good); } rect.low, circle.low { fill: var(--poor); }
rect.few { opacity: 0.45; } rect.range { opacity: 0.38; } .needle, .dot { stroke: var(--card); stroke-width: 2; }
rect.good { fill: var(--good); } rect.poor { fill: var(--poor); } rect.undecided { fill: var(--open); }
rect.full, rect.face { fill: var(--most); } rect.partial, rect.voice { fill: var(--some); }
rect.none, rect.text, rect.other { fill: var(--little); } rect.another { fill: var(--amount); }
svg text.on.partial, svg text.on.voice, svg text.on.none, svg text.on.text, svg text.on.other { fill: var(--ink); }
.pointer { fill: var(--ink); } .amount { fill: var(--amount); } .volume { fill: var(--volume); }
ul.legend { list-style: none; margin: 12px 0 10px; padding: 0; display: flex; flex-wrap: wrap; gap: 6px 22px; }
ul.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 8px; }
i.good { background: var(--good); } i.poor { background: var(--poor); } i.undecided { background: var(--open); }
i.full, i.face { background: var(--most); } i.partial, i.voice { background: var(--some); }
i.none, i.text, i.other { background: var(--little); } i.another { background: var(--amount); }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); } th, td { padding: 6px 12px 6px 0; vertical-align: top; }
tr + tr td, tbody tr td { border-top: 1px solid var(--edge); } td.n, th.n { text-align: right; }
details { margin-top: 12px; font-size: 14px; } summary { cursor: pointer; color: var(--soft); }
.warning { background: var(--warn); }
footer { padding-bottom: 40px; font-size: 14px; } footer h2 { color: var(--ink); } svg + p { margin-top: 12px; }
ul.notes { margin: 0; padding-left: 20px; }
.scroll { overflow-x: auto; }
@media (max-width: 760px) { .card.wide .scroll > * { min-width: 660px; }
  .card, .card.tile { grid-column: 1 / -1; } main, header, footer { padding: 0 14px; }
  .number { font-size: 60px; } header { padding-top: 20px; } }
@media print { :root { color-scheme: light;
  --page: #fff; --card: #fff; --ink: #000; --soft: #444; --edge: #bbb; --grid: #ddd; --good: #1f6fb8; --poor: #c2600a;
  --open: #6f7a87; --band: #1f6fb826; --line: #1f6fb8; --amount: #5c7fa3; --volume: #c3ccd6;
  --most: #3f5f82; --some: #a9bed5; --little: #dde3ea; --on: #fff; --warn: #fff;
  --shadow: none; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  body { font-size: 11pt; } main, header, footer { max-width: none; padding: 0; } details:not([open]) { display: none; }
  .grid { gap: 10px; margin: 10px 0; } }
"""
