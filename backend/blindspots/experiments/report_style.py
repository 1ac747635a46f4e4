"""The style sheet of a report: the colours of frontend/style/tokens.css, light, dark and on paper."""

LIGHT = """
  --bg: #ffffff; --surface: #f7f7f8; --text: #17181c; --muted: #63666f; --line: #e3e4e8; --edge: #8b8e99;
  --accent: #3557d6; --good: #1d7a4a; --good-bg: #e9f5ee; --bad: #a8480c; --bad-bg: #fdeee2;
  --ours: 53, 87, 214;
"""
DARK = """
  --bg: #101114; --surface: #17181c; --text: #eceef2; --muted: #9a9eab; --line: #2a2c33; --edge: #6b6f7c;
  --accent: #8aa2ff; --good: #67c795; --good-bg: #13251c; --bad: #f2a365; --bad-bg: #2d1f14;
  --ours: 138, 162, 255;
"""
STYLE = (
    ":root {" + LIGHT + "color-scheme: light dark; }\n"
    "@media (prefers-color-scheme: dark) { :root {" + DARK + "} }\n"
    """
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--bg); color: var(--text);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1120px; margin: 0 auto; padding: 48px 24px 80px; }
header { border-bottom: 1px solid var(--line); padding-bottom: 24px; }
.over { color: var(--accent); font-weight: 600; font-size: 13px; letter-spacing: .02em; margin: 0 0 8px; }
h1 { font-size: 34px; line-height: 1.15; letter-spacing: -.02em; margin: 0 0 8px; text-wrap: balance; }
h2 { font-size: 22px; line-height: 1.25; letter-spacing: -.01em; margin: 0 0 4px; }
h3 { font-size: 15px; margin: 28px 0 6px; }
p { margin: 0 0 10px; max-width: 76ch; }
section { margin-top: 56px; }
.muted, .caption { color: var(--muted); }
.caption { max-width: 76ch; margin-bottom: 16px; }
dl.facts { display: flex; flex-wrap: wrap; gap: 8px 32px; margin: 20px 0 0; }
dl.facts dt { color: var(--muted); font-size: 12.5px; }
dl.facts dd { margin: 0; font-weight: 500; }
.verdict { margin-top: 32px; }
.verdict p { font-size: 19px; line-height: 1.45; letter-spacing: -.005em; max-width: 68ch; }
.verdict p.second { font-size: 15px; color: var(--muted); max-width: 84ch; }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 12px;
  margin-top: 20px;
}
.tile {
  display: block; border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px;
  color: inherit; text-decoration: none;
}
.tile strong { display: block; font-size: 14px; }
.tile .big { font-size: 26px; font-weight: 600; letter-spacing: -.02em; line-height: 1.3; }
.tile .big small { font-size: 13px; font-weight: 400; color: var(--muted); letter-spacing: 0; }
.tile .bar { display: flex; gap: 2px; height: 5px; margin: 4px 0 8px; }
.tile .bar i { border-radius: 2px; background: var(--good); }
.tile .bar i + i { background: var(--bad); }
.tile span { display: block; font-size: 12.5px; color: var(--muted); }
.scroll { overflow-x: auto; margin: 0 0 12px; }
table { border-collapse: separate; border-spacing: 0; font-size: 13.5px; }
th { text-align: left; font-weight: 600; }
thead th {
  color: var(--muted); font-size: 12.5px; vertical-align: bottom;
  border-bottom: 1px solid var(--edge);
}
th, td { padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
table.line td { white-space: nowrap; }
table.line td:first-child { white-space: normal; min-width: 150px; }
table.line td b { white-space: nowrap; }
td.number, th.number { text-align: right; }
table.paper { border-spacing: 3px; margin: 0 -3px; }
table.paper th, table.paper td { border: 0; padding: 6px 8px; }
table.paper thead th { font-weight: 500; white-space: nowrap; text-align: right; }
table.paper tbody th {
  white-space: nowrap; position: sticky; left: 0; background: var(--bg); z-index: 1;
  padding-left: 3px;
}
table.paper td { min-width: 118px; text-align: right; border-radius: 5px; background: var(--surface); }
table.paper td b { font-size: 16px; font-weight: 600; white-space: nowrap; }
table.paper td small {
  display: block; font-size: 11.5px; line-height: 1.45; color: var(--muted); white-space: nowrap;
}
table.paper td small.print { color: var(--text); font-size: 12.5px; }
td.consistent { background: var(--good-bg) !important; }
td.differs { background: var(--bad-bg) !important; box-shadow: inset 3px 0 0 var(--bad); }
td .sign { float: left; font-weight: 700; font-size: 14px; }
td.consistent .sign, .key .consistent { color: var(--good); }
td.differs .sign, .key .differs { color: var(--bad); }
td.given .sign, td.given b { color: var(--muted); }
table.paper td.orientation small.print { color: var(--muted); }
.key {
  display: flex; flex-wrap: wrap; gap: 4px 24px; margin: 0 0 12px; padding: 0; list-style: none;
  font-size: 13px; color: var(--muted);
}
.key b { font-weight: 700; }
.drawings {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 28px;
  margin-top: 28px; align-items: start;
}
.drawings figcaption { margin: 0 0 8px; }
svg { display: block; width: 100%; height: auto; font: 11px system-ui, sans-serif; }
svg text { fill: var(--muted); }
svg .value { fill: var(--text); }
svg .axis { stroke: var(--edge); stroke-width: 1; fill: none; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .whisker { stroke-width: 1; opacity: .45; }
svg .consistent { stroke: var(--accent); fill: var(--accent); }
svg .differs { stroke: var(--bad); fill: var(--bad); }
svg .orientation { stroke: var(--edge); fill: var(--edge); }
svg .heat { fill: rgb(var(--ours)); }
figure { margin: 0; }
figure img { display: block; width: 100%; image-rendering: pixelated; border-radius: 4px; }
figcaption { font-size: 13px; color: var(--muted); margin-top: 8px; }
figcaption b { color: var(--text); }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(310px, 1fr)); gap: 28px; }
ul.notes { padding-left: 18px; max-width: 84ch; margin: 0; }
ul.notes li { margin-bottom: 8px; }
ul.notes li.contested::marker { content: "⚑ "; color: var(--bad); }
ul.notes small { display: block; color: var(--muted); font-size: 13px; }
ul.columns { columns: 2; column-gap: 48px; max-width: none; }
.columns li { break-inside: avoid; }
code, pre { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre {
  background: var(--surface); border: 1px solid var(--line); border-radius: 6px;
  padding: 12px 14px; overflow-x: auto; margin: 8px 0 12px;
}
footer {
  margin-top: 56px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--muted);
  font-size: 13px;
}
@media (max-width: 640px) {
  main { padding: 28px 16px 56px; }
  h1 { font-size: 27px; }
  section { margin-top: 44px; }
  .verdict p { font-size: 17px; }
  ul.columns { columns: 1; }
  table.paper td { min-width: 86px; padding: 6px 5px; }
  table.paper td b { font-size: 14px; }
  table.paper td .sign { font-size: 12px; }
  table.paper td small { font-size: 10.5px; }
  table.paper thead th { font-size: 11.5px; }
  table.paper td:first-of-type { min-width: 86px; }
  table.paper tbody th { max-width: 84px; white-space: normal; font-size: 12.5px; }
}
@media print {
"""
    "  :root {" + LIGHT + "color-scheme: light; }\n"
    """
  body { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; zoom: .7; }
  section { margin-top: 28px; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
  tr, figure, .tile, li { break-inside: avoid; }
  pre { white-space: pre-wrap; }
}
"""
)
