// The frame around every place: the bar, what is lost, the keys that work everywhere.
import { html, render, signal, useEffect } from './dom.js';
import { answered, whenSignedOut } from './api.js';
import { busy, follow } from './clip_store.js';
import { Clip } from './clip.js';
import { Clips } from './clips.js';
import { KeySheet, keySheet } from './keys.js';
import { Library, Recordings } from './library.js';
import { connection, listen } from './live.js';
import { notify } from './notify.js';
import { Boundary, Dialog, Face, Toasts, styled } from './pieces.js';
import { Room } from './room.js';
import { go, here } from './router.js';
import { Settings } from './settings.js';
import { SignIn } from './sign_in.js';
import { Status } from './status.js';

const signedOut = signal(false);
whenSignedOut(() => (signedOut.value = true));

const PLACES = [
  { label: 'Library', href: '/', of: (/** @type {string} */ path) => path === '/' || path.startsWith('/cameras/') || path === '/recordings' },
  { label: 'Cutting room', href: '/cut', of: (/** @type {string} */ path) => path === '/cut' },
  { label: 'Clips', href: '/clips', of: (/** @type {string} */ path) => path.startsWith('/clips') },
  { label: 'Status', href: '/status', of: (/** @type {string} */ path) => path === '/status' },
  { label: 'Settings', href: '/settings', of: (/** @type {string} */ path) => path === '/settings' },
];

/** A part of a path as it was before it was encoded. @param {string} text */
function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function place(/** @type {URL} */ url) {
  const path = url.pathname;
  if (path === '/') return html`<${Library} camera=${null} />`;
  if (path === '/recordings') return html`<${Recordings} />`;
  if (path.startsWith('/cameras/')) return html`<${Library} camera=${plain(path.slice(9))} />`;
  if (path === '/cut') return html`<${Room} key=${url.searchParams.get('recording')} />`;
  if (path === '/clips') return html`<${Clips} />`;
  if (path.startsWith('/clips/')) return html`<${Clip} id=${plain(path.slice(7))} key=${path} />`;
  if (path === '/status') return html`<${Status} />`;
  if (path === '/settings') return html`<${Settings} />`;
  return html`<${Face} title="There is no such page"><a class="button" href="/">To the library</a><//>`;
}

function Tray() {
  const working = busy.value;
  if (!working.length) return null;
  const done = working.reduce((sum, clip) => sum + (clip.progress?.fraction || 0), 0) / working.length;
  return html`<a class="tray num" href="/clips" ref=${styled({ '--done': `${done * 100}%` })} aria-label="Clips being made">
    <i class="ring" ref=${styled({ '--done': `${done * 100}%` })}></i>
    <span>${working.length} ${working.length === 1 ? 'clip' : 'clips'} · ${Math.round(done * 100)} %</span>
  </a>`;
}

function Search() {
  const words = here.value.pathname === '/clips' ? here.value.searchParams.get('text') || '' : '';
  const search = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const text = /** @type {any} */ (event.target).elements.text.value.trim();
    go(text ? `/clips?text=${encodeURIComponent(text)}` : '/clips');
  };
  return html`<form class="search" role="search" onSubmit=${search}>
    <input id="search" name="text" type="search" placeholder="Search clips" aria-label="Search clips" value=${words} />
    <kbd>/</kbd>
  </form>`;
}

function App() {
  const url = here.value;
  useEffect(() => {
    const here = PLACES.find((each) => each.of(url.pathname));
    document.title = here ? `${here.label} · Cutback` : 'Cutback';
  }, [url.pathname]);
  useEffect(() => {
    if (!signedOut.value) {
      follow();
      listen();
      notify();
    }
  }, [signedOut.value]);
  // A session that ends in the middle is renewed over the page: what was typed or marked stays.
  if (signedOut.value && !answered) return html`<${SignIn} done=${() => location.reload()} />`;
  return html`
    <header class="bar">
      <a class="brand" href="/" aria-label="Cutback"><i></i>Cutback</a>
      <nav aria-label="Places">
        ${PLACES.map((each) => html`<a href=${each.href} aria-current=${each.of(url.pathname) ? 'page' : undefined}>${each.label}</a>`)}
      </nav>
      <span class="grow"></span>
      <${Search} />
      <${Tray} />
    </header>
    ${connection.value === 'lost' && html`<div class="lost" role="status">The server does not answer. This page continues when it is back.</div>`}
    <${Boundary} key=${url.pathname}>${place(url)}<//>
    <${Toasts} />
    ${signedOut.value && html`<${Dialog} title="Your session has ended" close=${() => (signedOut.value = false)}><${SignIn} again=${true} done=${() => (signedOut.value = false)} /><//>`}
    ${keySheet.value && html`<${KeySheet} />`}
  `;
}

const root = /** @type {HTMLElement} */ (document.getElementById('app'));
root.replaceChildren();
render(html`<${App} />`, root);
