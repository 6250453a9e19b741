/**
 * The script of the status page, as browsers get it. It puts what the agent sends in the place of what is shown, part
 * by part and only where something but the passing of time has changed, so that a selection of text stays; between
 * two messages it keeps times and bars true.
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
      const text = ms > 0 ? 'in ' + briefly(ms) : briefly(ms) + ' ago';
      if (time.textContent !== text) time.textContent = text;
    }
    for (const bar of document.querySelectorAll('.bar')) {
      const from = Number(bar.dataset.from), span = Math.max(1, Number(bar.dataset.until) - from);
      const x = Math.min(100, Math.max(0, (at - from) / span * 100));
      const left = bar.querySelector('.left');
      left.setAttribute('x', x.toFixed(1));
      left.setAttribute('width', (100 - x).toFixed(1));
    }
  };
  const lasting = (part) => {
    const copy = part.cloneNode(true);
    for (const time of copy.querySelectorAll('time')) time.textContent = '';
    for (const bar of copy.querySelectorAll('.bar')) bar.removeAttribute('aria-label');
    for (const moves of copy.querySelectorAll('.left, .strip rect')) { moves.removeAttribute('x'); moves.removeAttribute('width'); }
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
  const follow = () => {
    const source = new EventSource('status/events');
    source.addEventListener('status', (event) => { say('live'); take(JSON.parse(event.data)); });
    source.addEventListener('end', () => { source.close(); say('the agent stops or takes a new configuration; trying again'); setTimeout(follow, 2000); });
    source.onerror = () => {
      say('not live: the agent does not answer; trying again');
      if (source.readyState === EventSource.CLOSED) setTimeout(follow, 10000);
    };
  };
  clock();
  setInterval(tick, 1000);
  follow();
})();
`;
