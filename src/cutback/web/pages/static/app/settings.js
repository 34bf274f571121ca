// Keys, webhooks, shares and tenants, as far as this key may manage them; and how this browser shows times and colours.
import { html, useEffect, useState } from './dom.js';
import { ask, changingAccess } from './api.js';
import { useNewest } from './newest.js';
import { canNotify, notifies, useNotifications } from './notify.js';
import { ErrorFace, say, sayError } from './pieces.js';
import { clockOf, moment, useClock, zoneFor } from './zones.js';

/** What a list holds, or why it could not be read. @typedef {{items: any[] | null, fault: Error | null}} Listed */

/** @param {string} path @returns {Promise<Listed>} */
const list = (path) => ask(path).then((page) => ({ items: page.items, fault: null }), (fault) => ({ items: null, fault }));

/** Who this is, and all that it may manage: everything is shown at once, so that nothing moves while it is read. */
async function read() {
  const who = await ask('/session');
  const admin = who.scopes?.includes('admin');
  const paths = ['/shares', ...(admin ? ['/keys', '/webhooks', ...(who.tenant ? [] : ['/tenants'])] : [])];
  const lists = await Promise.all(paths.map(list));
  return { who, lists: new Map(paths.map((path, i) => [path, lists[i]])) };
}

const Bones = () => html`<main class="page" aria-busy="true">
  <h1>Settings</h1>
  <div class="two">${[1, 2, 3, 4].map((each) => html`<div class="panelbox bone" key=${each}><p>${'\u00a0'}</p><p>${'\u00a0'}</p><p>${'\u00a0'}</p></div>`)}</div>
</main>`;

export function Settings() {
  const [found, setFound] = useState(/** @type {{who: any, lists: Map<string, Listed>} | null} */ (null));
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  const load = () => {
    setFault(null);
    read().then(setFound, setFault);
  };
  useEffect(load, []);
  const signedIn = () => ask('/session').then((who) => setFound((now) => now && { ...now, who }), sayError);
  if (fault) return html`<main><${ErrorFace} error=${fault} again=${load} /></main>`;
  if (!found) return html`<${Bones} />`;
  const { who, lists } = found;
  const [theme, setTheme] = [document.documentElement.dataset.theme || '', (/** @type {string} */ value) => {
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
    if (value) localStorage.setItem('cutback.theme', value);
    else localStorage.removeItem('cutback.theme');
    setFound({ ...found });
  }];
  const leave = async () => {
    await ask('/session', { method: 'DELETE' }).catch(sayError);
    for (const name of Object.keys(localStorage)) if (name.startsWith('cutback.draft.')) localStorage.removeItem(name);
    location.href = '/';
  };
  return html`<main class="page">
    <h1>Settings</h1>
    <div class="two">
      <section class="panelbox"><h2>This browser</h2>
        <div class="lines">
          <label class="row">Times are shown <${Choice} value=${clockOf.value} options=${{ camera: "in the camera's zone", viewer: 'in your zone', utc: 'in UTC' }} pick=${useClock} /></label>
          <label class="row">Colours <${Choice} value=${theme} options=${{ '': 'as the system', light: 'light', dark: 'dark' }} pick=${setTheme} /></label>
          ${canNotify && html`<label class="row">Tell me when a clip that I requested here is finished <input class="switch" type="checkbox" checked=${notifies.value} onChange=${async (/** @type {any} */ event) => {
            const why = await useNotifications(event.target.checked);
            event.target.checked = notifies.value;
            if (why) say(why, { seconds: 10 });
          }} /></label>`}
          ${who?.key_id && html`<p class="row"><span class="sub">Signed in with the key ${who.key_id}${who.tenant ? ` of ${who.tenant}` : ''}</span><button class="button" onClick=${leave}>Sign out</button></p>`}
        </div>
      </section>
      <${Listing} title="Shared links" path="/shares" listed=${lists.get('/shares')} row=${(/** @type {any} */ each) => [html`<a href=${each.url}>${each.clip}</a>`, `until ${moment(Date.parse(each.expires_at), zoneFor())}`]} remove="Revoke" />
      ${lists.has('/keys') && html`
        <${Listing} title="Keys" path="/keys" listed=${lists.get('/keys')} row=${(/** @type {any} */ each) => [each.name, each.scopes.join(', ')]} remove="Revoke" add=${NewKey} first=${!who?.key_id} signedIn=${signedIn} />
        <${Listing} title="Webhooks" path="/webhooks" listed=${lists.get('/webhooks')} row=${(/** @type {any} */ each) => [each.url, each.paused ? 'paused' : each.states?.join(', ') || 'every state']} remove="Delete" add=${NewWebhook} more=${Deliveries} />
        ${lists.has('/tenants') && html`<${Listing} title="Tenants" path="/tenants" listed=${lists.get('/tenants')} name="name" row=${(/** @type {any} */ each) => [each.name, [...each.cameras, ...each.recordings].join(', ')]} remove="Delete" />`}`}
    </div>
  </main>`;
}

/** What a list is for, while it has nothing. */
const EMPTY = /** @type {Record<string, string>} */ ({
  'Shared links': 'No clip is shared. “Share” on the page of a clip makes a link.',
  Keys: 'There are no keys yet. Programs and people sign in with one.',
  Webhooks: 'There are no webhooks yet. One is told when clips are ready or failed.',
  Tenants: 'There are no tenants. Everybody sees all cameras and clips.',
});

/** @param {{value: string, options: Record<string, string>, pick: (value: string) => void}} props */
const Choice = ({ value, options, pick }) => html`<select class="field" value=${value} onChange=${(/** @type {any} */ event) => pick(event.target.value)}>
  ${Object.entries(options).map(([name, text]) => html`<option value=${name} selected=${name === value}>${text}</option>`)}
</select>`;

/** @param {{title: string, path: string, listed: Listed, row: (each: any) => any[], remove: string, name?: string, add?: any, first?: boolean, signedIn?: () => void, more?: any}} props `first`: nobody needed a key so far; `signedIn` is called once this browser has one */
function Listing({ title, path, listed, row, remove, name = 'id', add, first = false, signedIn, more }) {
  const [{ items, fault }, setListed] = useState(listed);
  const newest = useNewest();
  const load = () => void newest(list(path)).then((next) => (next.items ? setListed(next) : sayError(next.fault))); // what was read stays
  const drop = async (/** @type {any} */ each) => {
    if (!confirm(`${remove}: ${each.name || each.url || each[name]}? This cannot be undone.`)) return;
    try {
      await ask(`${path}/${encodeURIComponent(each[name])}`, { method: 'DELETE' });
      load();
    } catch (error) {
      sayError(error);
    }
  };
  return html`<section class="panelbox"><h2>${title}</h2>
    ${!items ? html`<p class="why" role="alert">${fault?.message}</p><p class="act"><button class="button" onClick=${load}>Try again</button></p>`
      : items.length ? html`<table><tbody>${items.map((each) => html`<tr key=${each[name]}>${row(each).map((cell) => html`<td dir="auto">${cell}</td>`)}<td><button class="button quiet danger" onClick=${() => drop(each)}>${remove}</button></td></tr>${more && html`<tr key=${`${each[name]} more`}><td colspan="4"><${more} of=${each} /></td></tr>`}`)}</tbody></table>`
      : html`<p class="muted">${EMPTY[title]}</p>`}
    ${add && html`<${add} done=${load} first=${first} signedIn=${signedIn} />`}
  </section>`;
}

/** @param {{done: () => void, first: boolean, signedIn: () => void}} props */
function NewKey({ done, first, signedIn }) {
  const [made, setMade] = useState('');
  const [open, setOpen] = useState(first);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const fields = /** @type {any} */ (event.target).elements;
    const body = { name: fields.name.value, scopes: fields.scope.value.split(' ') };
    const make = async () => {
      const { key } = await ask('/keys', { method: 'POST', body });
      setMade(key);
      if (open) await ask('/session', { method: 'POST', body: { key } }); // from now on, this page needs one, too
    };
    try {
      await (open ? changingAccess(make) : make());
      if (open) signedIn();
      setOpen(false);
      done();
    } catch (error) {
      sayError(error);
    }
  };
  return html`${open && html`<p class="sub">From the first key on, everybody needs one. So it may do everything, and this browser signs in with it.</p>`}
  <form class="act" onSubmit=${submit}>
    <input class="field" name="name" placeholder="Name" aria-label="Name of the new key" required />
    <select class="field" name="scope" aria-label="What it may do">${!open && html`<option value="read request">read and request</option><option value="read">read</option>`}<option value="admin read request">everything</option></select>
    <button class="button">Make a key</button>
  </form>
  ${made && html`<p class="sub">Shown only now: <code>${made}</code></p>`}`;
}

/** A webhook's latest deliveries, and a test. @param {{of: any}} props */
function Deliveries({ of }) {
  const [tries, setTries] = useState(/** @type {any[] | null} */ (null));
  const path = `/webhooks/${encodeURIComponent(of.id)}`;
  const newest = useNewest();
  const load = () => newest(ask(`${path}/deliveries?limit=20`)).then((page) => setTries(page.items), sayError);
  const test = async () => {
    try {
      const tried = await ask(`${path}/test`, { method: 'POST' });
      say(tried.status && tried.status < 300 ? `The receiver answered ${tried.status}.` : `The test did not arrive: ${tried.error || `the receiver answered ${tried.status}`}.`, { seconds: 10 });
      load();
    } catch (error) {
      sayError(error);
    }
  };
  return html`<details onToggle=${(/** @type {any} */ event) => event.target.open && load()}><summary>Deliveries</summary><div>
    ${!tries ? html`<p class="bone">${'\u00a0'}</p>`
      : tries.length ? html`<table><tbody>${tries.map((each, i) => html`<tr key=${i}><td class="num">${moment(Date.parse(each.at), zoneFor())}</td><td>${each.type}</td><td class=${each.outcome === 'delivered' ? 'muted' : 'why'}>${each.outcome}${each.status ? ` · ${each.status}` : ''}${each.error ? ` · ${each.error}` : ''}</td></tr>`)}</tbody></table>`
      : html`<p class="muted">Nothing was delivered yet.</p>`}
    <p class="act"><button class="button" onClick=${test}>Send a test</button></p></div></details>`;
}

/** @param {{done: () => void}} props */
function NewWebhook({ done }) {
  const [secret, setSecret] = useState('');
  const make = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {any} */ (event.target);
    try {
      const made = await ask('/webhooks', { method: 'POST', body: { url: form.elements.url.value } });
      form.reset();
      setSecret(made.secret || '');
      done();
    } catch (error) {
      sayError(error);
    }
  };
  return html`<form class="act" onSubmit=${make}>
    <input class="field" name="url" type="url" placeholder="https://example.com/hook" aria-label="Address of the new webhook" required />
    <button class="button">Add</button>
  </form>
  ${secret && html`<p class="sub">Its secret, shown only now: <code>${secret}</code></p>`}`;
}

