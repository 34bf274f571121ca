// Where we are, and going somewhere else without loading a document.
import { signal } from './dom.js';

export const here = signal(new URL(location.href));

/** @param {string} href @param {{replace?: boolean}} [options] */
export function go(href, { replace = false } = {}) {
  const url = new URL(href, location.href);
  if (replace) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  const moved = url.pathname !== here.value.pathname;
  here.value = url;
  if (moved && !replace) scrollTo(0, 0);
}

addEventListener('popstate', () => (here.value = new URL(location.href)));

document.addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link || link.origin !== location.origin || link.target || link.hasAttribute('download')) return;
  if (/^\/(v1|s|assets)\//.test(link.pathname)) return;
  event.preventDefault();
  go(link.href);
});
