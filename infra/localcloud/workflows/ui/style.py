"""The style of all pages: light and dark, wide and narrow, without anything from elsewhere."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--back:#f6f7f9;--card:#fff;--ink:#1b1f24;--soft:#5c6672;--line:#d9dee5;--faint:#eef1f5;
--ran:#1769aa;--ran-back:#eaf3fb;--good:#1a7f4b;--good-back:#e6f5ec;--bad:#b3261e;--bad-back:#fdecea;--open:#8a5a00;
--open-back:#fff4dc;--idle:#a3acb7;--quiet:#6f7985}
@media(prefers-color-scheme:dark){:root{--back:#12151a;--card:#1a1e25;--ink:#e6e9ee;--soft:#9aa5b3;--line:#333b46;
--faint:#222831;--ran:#6cb4f0;--ran-back:#16293a;--good:#5cc98c;--good-back:#143022;--bad:#ff8a80;--bad-back:#3b1a1a;
--open:#f0bf62;--open-back:#372a10;--idle:#5d6773;--quiet:#8893a1}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1400px;margin:0 auto;padding:20px}
h1{font-size:1.35rem;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:0 0 12px}
a{color:var(--ran)}
nav{font-size:.9rem;margin-bottom:12px;overflow-wrap:anywhere}
pre,code,.graph text,.what,.took,.mono{
font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{margin:0;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;margin:16px 0;min-width:0}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:16px}.pair .card{margin:0}
.facts{display:flex;flex-wrap:wrap;gap:6px 22px;margin:10px 0 0;color:var(--soft);font-size:.9rem}
.facts b{color:var(--ink);font-weight:600}
.pill{display:inline-block;white-space:nowrap;border-radius:99px;padding:1px 11px;font-size:.8rem;font-weight:650;
vertical-align:2px;background:var(--faint);color:var(--soft)}
.pill.SUCCEEDED{background:var(--good-back);color:var(--good)}.pill.FAILED{background:var(--bad-back);color:var(--bad)}
.pill.ACTIVE{background:var(--open-back);color:var(--open)}
.box{max-height:320px;overflow:auto;background:var(--faint);border-radius:6px;padding:8px 10px}
.bad{color:var(--bad)}.note{color:var(--soft);font-size:.88rem;margin:10px 0 0}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:0 0 12px;color:var(--soft);font-size:.85rem}
.legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px;background:var(--idle)}
.legend .ran i{background:var(--ran)}.legend .failed i{background:var(--bad)}.legend .open i{background:var(--open)}
.routines{display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start}
.routine{max-width:100%;border:1px solid var(--line);border-radius:10px;background:var(--back)}
.routine h3{margin:0;padding:8px 12px;font-size:.95rem;border-bottom:1px solid var(--line)}
.routine h3 small{color:var(--soft);font-weight:400}
.scroll{overflow-x:auto}
.graph{display:block}
.graph text{font-size:12px;fill:var(--ink)}
.graph .name{font-weight:650}.graph .detail,.graph .label{fill:var(--soft)}
.graph a .detail{fill:var(--ran);text-decoration:underline}
.graph .count,.graph .target{font-size:11px;fill:var(--soft)}.graph .step .count,.graph .step .target,
.graph .section .count{text-anchor:end}
.step>rect{fill:var(--card);stroke:var(--line)}.step>.mark{fill:var(--idle);stroke:none;opacity:0}
.step.idle>text{fill:var(--quiet)}.step.idle>rect:first-of-type{stroke-dasharray:4 3}
.step.ran>rect:first-of-type{stroke:var(--ran)}.step.ran>.mark{fill:var(--ran);opacity:1}
.step.failed>rect:first-of-type{stroke:var(--bad);fill:var(--bad-back);stroke-width:1.6}
.step.failed>.mark{fill:var(--bad);opacity:1}.step.failed>.count{fill:var(--bad)}
.step.open>rect:first-of-type{stroke:var(--open);fill:var(--open-back)}.step.open>.mark{fill:var(--open);opacity:1}
.step.cancelled>rect:first-of-type{stroke:var(--soft);stroke-dasharray:2 3}
.section>rect{fill:var(--faint);stroke:none}.section.idle>text{fill:var(--quiet)}
.section.ran>rect{fill:var(--ran-back)}.section.ran>.label{fill:var(--ink)}
.section.failed>rect{fill:var(--bad-back)}
.section.open>rect{fill:var(--open-back)}
.way path{fill:none;stroke:var(--idle);stroke-width:1.2;stroke-dasharray:3 3}
.way .head{fill:var(--idle);stroke:none}
.way.taken path{stroke:var(--ran);stroke-width:1.8;stroke-dasharray:none}.way.taken .head{fill:var(--ran);stroke:none}
.timeline{font-size:13px}
.row{display:grid;grid-template-columns:minmax(180px,30%) 1fr 92px;gap:12px;align-items:center;padding:2px 6px;
border-radius:5px}
details>summary{cursor:pointer;list-style:none}details>summary::-webkit-details-marker{display:none}
.row:hover{background:var(--faint)}summary.row .what::before{content:"▸";color:var(--soft);margin-right:4px}
details[open]>summary.row .what::before{content:"▾"}
.what{padding-left:calc(var(--depth)*13px);overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.what small{color:var(--soft)}.what i{color:var(--soft)}
.track{position:relative;height:14px;background:var(--faint);border-radius:3px}
.bar{position:absolute;top:2px;bottom:2px;min-width:2px;border-radius:2px;background:var(--ran)}
.failed .bar{background:var(--bad)}.open .bar{background:var(--open)}.cancelled .bar{background:var(--idle)}
.failed .what b{color:var(--bad)}
.took{text-align:right;color:var(--soft);white-space:nowrap;font-size:12px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 14px;margin:4px 0 10px 26px;padding:8px 12px;
border-left:2px solid var(--line)}
dt{color:var(--soft);overflow-wrap:anywhere}dd{margin:0;min-width:0;max-height:220px;overflow:auto}
.source{overflow-x:auto;white-space:pre;line-height:1.55}.source .line{display:block;width:max-content;min-width:100%}
.source .number,.source .times{display:inline-block;color:var(--soft);user-select:none;text-align:right}
.source .number{width:3.2em;margin-right:1em}.source .times{width:4em;margin-right:1em;color:var(--ran)}
.source .ran{background:var(--ran-back)}.source .failed{background:var(--bad-back)}
.source .idle{color:var(--soft)}.source .caret{color:var(--bad);font-weight:700}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;padding:7px 12px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600}td{overflow-wrap:anywhere}
summary.head{font-weight:650;font-size:1.05rem}summary.head::before{content:"▸ ";color:var(--soft)}
details[open]>summary.head::before{content:"▾ "}details[open]>summary.head{margin-bottom:12px}
@media(max-width:720px){main{padding:12px}.pair{grid-template-columns:1fr}.card{padding:12px}
.row{grid-template-columns:1fr 76px;gap:2px 8px}.track{grid-column:1/-1;grid-row:2;height:8px}
.routine{width:100%}dl{grid-template-columns:1fr;margin-left:6px}dd{margin-bottom:6px}
.source .times{width:2.6em}tr>:nth-last-child(-n+2){display:none}}
@media print{.box,dd{max-height:none}}
"""
