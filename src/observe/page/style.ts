/** The style of the status page. All colours of text have a contrast of 4.5 to 1 or more, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --bg: #fbfbfa; --card: #fff; --text: #1c1f23; --soft: #565d66; --line: #d9dce0;
  --good: #10703a; --warn: #8a5300; --bad: #b3201f; --plain: #4a5560; --pale: #e3e6ea; --link: #0b57b0; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171a; --card: #1c2025; --text: #e7eaee; --soft: #a6afba;
  --line: #343a42; --good: #5fd08d; --warn: #f0b455; --bad: #ff8f86; --plain: #a8b3c0; --pale: #343b44; --link: #8ab8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 1rem 1.25rem 2rem; background: var(--bg); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline; justify-content: space-between; }
h1 { font-size: 1.15rem; margin: 0; letter-spacing: .01em; }
h2 { font-size: 1rem; margin: 0 0 .5rem; }
#live { margin: 0; color: var(--soft); font-size: .875rem; }
#summary h2 { font-size: 1.5rem; margin-bottom: .75rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1rem; margin-top: 1rem;
  overflow-x: auto; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .6rem 1.5rem; margin: 0; }
dt { color: var(--soft); font-size: .8125rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .8125rem; white-space: nowrap; }
tbody th { font-weight: 600; white-space: nowrap; }
#troubles tbody th, #timeline tbody th { font-weight: 400; }
td { overflow-wrap: break-word; }
.long { display: inline-block; min-width: 6rem; max-width: 16rem; overflow-wrap: anywhere; }
td > time, th > time, .state { white-space: nowrap; }
#timeline .state, #troubles td { white-space: normal; }
code { font-size: .8125em; color: var(--soft); }
.note, .hint, .times, footer { color: var(--soft); font-size: .875rem; }
.note { margin: 0 0 .5rem; }
.good { color: var(--good); fill: var(--good); }
.warn { color: var(--warn); fill: var(--warn); }
.bad { color: var(--bad); fill: var(--bad); }
.plain { color: var(--plain); fill: var(--plain); }
.bar, .strip { display: block; width: 9rem; height: .8rem; margin-top: .3rem; }
.bar .left { fill: currentColor; }
.whole { fill: var(--pale); }
.strip .whole { fill: var(--soft); }
.tick { fill: var(--soft); }
.next { fill: var(--text); }
a { color: var(--link); }
@media (max-width: 44rem) {
  body { padding: .75rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { display: block; padding: .5rem 0; border-top: 1px solid var(--line); }
  tbody tr:first-child { border-top: 0; }
  th, td { display: block; border: 0; padding: .1rem 0; }
  td { position: relative; padding-left: 7rem; overflow-wrap: anywhere; }
  td:empty { display: none; }
  td::before { content: attr(data-head); position: absolute; left: 0; color: var(--soft); font-size: .8125rem; }
}
@media (forced-colors: active) { .bar .left { fill: Highlight; } .whole { fill: GrayText; } }
`;
