// What happens, as it happens: one event stream for all tabs of this browser. The tab that holds the lock listens and
// tells the others; when it closes or sleeps, another one takes over at the last position.
import { signal } from './dom.js';
import { ask } from './api.js';

/** @typedef {{id: string, type: string, subject: string, data: any}} Told */

const TYPES = ['queued', 'waiting', 'processing', 'ready', 'failed', 'cancelled', 'changed', 'expired'];

/** `live`, or `lost` while no server answers. */
export const connection = signal('live');

/** @type {Set<(event: Told) => void>} */
const hearers = new Set();
const channel = new BroadcastChannel('cutback.events');
/** @type {string} */
let position = '';

/** Hear events until the returned function is called. @param {(event: Told) => void} call */
export function hear(call) {
  hearers.add(call);
  return () => hearers.delete(call);
}

channel.onmessage = (/** @type {MessageEvent} */ { data }) => {
  if (data.state) connection.value = data.state;
  if (data.event) tell(data.event, data.position);
};

/** @param {Told} event @param {string} at */
function tell(event, at) {
  position = at || position;
  for (const call of hearers) call(event);
}

/** @param {string} state */
function become(state) {
  if (connection.value === state) return;
  connection.value = state;
  channel.postMessage({ state });
}

/** Listen, once the lock is ours, until this tab ends. */
export function listen() {
  if (navigator.locks) navigator.locks.request('cutback.events', () => new Promise(() => begin()));
  else begin(); // over plain HTTP there are no locks: every tab listens for itself
}

function begin() {
  // Without a position, it begins with what happens next.
  const stream = new EventSource(`/v1/events${position ? `?after=${encodeURIComponent(position)}` : ''}`);
  stream.onopen = () => become('live');
  stream.onerror = () => {
    if (stream.readyState !== EventSource.CLOSED) return become('lost');
    // It was refused. Without a session, the sign-in is shown, and the page is loaded anew afterwards.
    return ask('/session', { patient: false }).then(
      () => setTimeout(begin, 2000 + Math.random() * 3000),
      (error) => {
        if (error.status === 401) return;
        become('lost');
        setTimeout(begin, 2000 + Math.random() * 3000);
      },
    );
  };
  /** @param {MessageEvent} message */
  const take = (message) => {
    const event = JSON.parse(message.data);
    tell(event, message.lastEventId);
    channel.postMessage({ event, position: message.lastEventId });
  };
  for (const type of TYPES) stream.addEventListener(`clip.${type}`, take);
}
