// A notification when a clip that was requested in this browser is finished, if people want that.
import { signal } from './dom.js';
import { ask, whenRequested } from './api.js';
import { nameOf } from './clip_store.js';
import { hearFirst } from './live.js';

const WANTED = 'cutback.notify';
const MINE = 'cutback.requested';
const MOST = 200;

export const canNotify = 'Notification' in globalThis;
export const notifies = signal(canNotify && localStorage.getItem(WANTED) === 'yes' && Notification.permission === 'granted');

/** Turn notifications on, if the browser is allowed to, or off. @param {boolean} on @returns {Promise<string>} why it cannot be turned on */
export async function useNotifications(on) {
  if (on && (await Notification.requestPermission()) !== 'granted') return 'This browser does not allow notifications of this page. Allow them in its settings.';
  localStorage.setItem(WANTED, on ? 'yes' : 'no');
  notifies.value = on;
  return '';
}

/** @returns {string[]} */
const requested = () => JSON.parse(localStorage.getItem(MINE) || '[]');

/** @param {string[]} ids */
const remember = (ids) => localStorage.setItem(MINE, JSON.stringify(ids.slice(-MOST)));

/** Begin to notify. */
export function notify() {
  whenRequested((clip) => remember([...requested().filter((id) => id !== clip.id), clip.id]));
  hearFirst(async (event) => {
    if (!['clip.ready', 'clip.failed'].includes(event.type)) return;
    const ids = requested();
    if (!ids.includes(event.subject)) return;
    remember(ids.filter((id) => id !== event.subject));
    if (localStorage.getItem(WANTED) !== 'yes' || Notification.permission !== 'granted') return;
    const clip = await ask(`/clips/${encodeURIComponent(event.subject)}`).catch(() => null);
    if (!clip) return;
    const shown = new Notification(event.type === 'clip.ready' ? 'The clip is ready' : 'The clip could not be made', { body: clip.failure?.message || nameOf(clip), tag: clip.id });
    shown.onclick = () => {
      focus();
      location.href = `/clips/${encodeURIComponent(clip.id)}`;
    };
  });
}
