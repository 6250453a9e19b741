import { HOUR_MS } from './output-hours.ts';
import { MARKS_WIDTH } from './strip.ts';
import { MAX_VIEWERS } from './viewers.ts';

/** A page that hears nothing for so long says so: the agent sends it each 15 seconds, see `BEAT_MS` of the viewers. */
export const SILENT_MS = 25_000;

/** The stream of a page that hears nothing is opened anew after so long: a dead forwarding of a port breaks nothing. */
export const REOPEN_MS = 60_000;

/** How often a page that cannot be followed is loaded and followed again. */
export const AGAIN_MS = 10_000;

/**
 * The script of the status page, as browsers get it. It puts what the agent sends in the place of what is shown, part
 * by part and only where something but the passing of time has changed, so that a selection of text stays; between
 * two messages it keeps times, bars and lines true. When nothing more comes, what is shown is of the past: the verdict
 * and the title say so. A refused stream tells a script no status, so the page is asked whether the agent answers.
 */
export const SCRIPT = `'use strict';
(() => {
  const live = document.getElementById('live');
  let ahead = 0;
  const clock = () => { ahead = Number(document.querySelector('main').dataset.now) - Date.now(); };
  const now = () => Date.now() + ahead;
  const briefly = (ms) => {
    const all = Math.floor(Math.abs(ms) / 1000);
    const d = Math.floor(all / 86400), h = Math.floor(all / 3600) % 24, m = Math.floor(all / 60) % 60, s = all % 60;
    if (d > 0) return h > 0 && d < 10 ? d + 'd ' + h + 'h' : d + 'd';
    if (h > 0) return m > 0 ? h + 'h ' + m + 'm' : h + 'h';
    if (m > 0) return s > 0 && m < 10 ? m + 'm ' + s + 's' : m + 'm';
    return s + 's';
  };
  const tick = () => {
    const at = now();
    for (const time of document.querySelectorAll('time[data-rel]')) {
      const ms = Date.parse(time.dateTime) - at;
      const text = ms > 0 ? 'in ' + briefly(ms) : time.dataset.rel === 'due' ? 'now' : briefly(ms) + ' ago';
      if (time.textContent !== text) time.textContent = text;
    }
    for (const bar of document.querySelectorAll('.bar')) {
      const from = Number(bar.dataset.from), span = Math.max(1, Number(bar.dataset.until) - from);
      const x = Math.min(100, Math.max(0, (at - from) / span * 100));
      const left = bar.querySelector('.left');
      left.setAttribute('x', x.toFixed(1));
      left.setAttribute('width', (100 - x).toFixed(1));
    }
    for (const mark of document.querySelectorAll('.strip [data-at]')) {
      mark.setAttribute('x', ((1 - (at - Number(mark.dataset.at)) / ${HOUR_MS}) * ${MARKS_WIDTH}).toFixed(1));
    }
  };
  const lasting = (part) => {
    const copy = part.cloneNode(true);
    for (const time of copy.querySelectorAll('time')) time.textContent = '';
    for (const bar of copy.querySelectorAll('.bar')) bar.removeAttribute('aria-label');
    for (const moves of copy.querySelectorAll('.left, .strip [data-at]')) { moves.removeAttribute('x'); moves.removeAttribute('width'); }
    return copy.outerHTML;
  };
  const take = (text) => {
    const next = new DOMParser().parseFromString(text, 'text/html').querySelector('main');
    const main = document.querySelector('main');
    main.dataset.now = next.dataset.now;
    clock();
    const parts = [...next.children].map((part) => {
      const old = document.getElementById(part.id);
      return old !== null && lasting(old) === lasting(part) ? old : document.importNode(part, true);
    });
    if (parts.length !== main.children.length || parts.some((part, at) => part !== main.children[at])) main.replaceChildren(...parts);
    document.title = 'Pannier: ' + document.querySelector('#summary .state').lastChild.textContent.trim();
    tick();
  };
  const say = (text) => { if (live.textContent !== text) live.textContent = text; };
  const lost = (why) => {
    const of = new Date(Number(document.querySelector('main').dataset.now)).toISOString().slice(11, 19);
    say('not live: ' + why + '; trying again. What is shown is of ' + of + 'Z');
    document.title = 'Pannier: not live';
    const verdict = document.querySelector('#summary .state');
    if (verdict.dataset.was !== undefined) return;
    verdict.dataset.was = verdict.lastChild.textContent.trim();
    verdict.className = 'state plain';
    verdict.firstElementChild.textContent = '?';
    verdict.lastChild.textContent = ' not known; last seen ' + verdict.dataset.was;
  };
  let source, again, heard, opened;
  const followIn = (ms) => { source.close(); clearTimeout(again); again = setTimeout(follow, ms); };
  const refused = async () => {
    followIn(${AGAIN_MS});
    try {
      const answer = await fetch('status');
      if (!answer.ok) return lost('the agent answers with status ' + answer.status);
      take(await answer.text());
      heard = Date.now();
      say('not live: ${MAX_VIEWERS} browsers follow this agent already; loaded again every ${AGAIN_MS / 1000} seconds');
    } catch {
      lost('the agent does not answer');
    }
  };
  const follow = () => {
    opened = Date.now();
    source = new EventSource('status/events');
    source.addEventListener('status', (event) => { heard = Date.now(); say('live'); take(JSON.parse(event.data)); });
    source.addEventListener('end', () => { say('the agent stops or takes a new configuration; trying again'); followIn(2000); });
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) refused(); else lost('the agent does not answer'); };
  };
  const listen = () => {
    const at = Date.now();
    if (at - heard < ${SILENT_MS}) return;
    lost('nothing comes from the agent');
    if (at - Math.max(heard, opened) >= ${REOPEN_MS}) { opened = at; followIn(0); }
  };
  clock();
  heard = Date.now();
  setInterval(() => { tick(); listen(); }, 1000);
  follow();
})();
`;
