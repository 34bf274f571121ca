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

/** @type {Set<() => void>} */
const missed = new Set();

/** Be told when events may have been missed: look again at everything that is shown. @param {() => void} call */
export function whenMissed(call) {
  missed.add(call);
}

channel.onmessage = (/** @type {MessageEvent} */ { data }) => {
  if (data.state) connection.value = data.state;
  if (data.event) tell(data.event, data.position);
  if (data.missed) for (const call of missed) call();
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

function tellMissed() {
  for (const call of missed) call();
  channel.postMessage({ missed: true });
}

/** Called with each event in the one tab that listens. @type {(event: Told) => void} */
let onFirst = () => {};

/** Hear events in one tab only, whichever it is. @param {(event: Told) => void} call */
export function hearFirst(call) {
  onFirst = call;
}

let listening = false;

/** Listen, once the lock is ours, until this tab ends. */
export function listen() {
  if (listening) return;
  listening = true;
  if (navigator.locks) navigator.locks.request('cutback.events', () => new Promise(() => begin()));
  else begin(); // over plain HTTP there are no locks: every tab listens for itself
}

const TICK = 5000;
/** A gap between two ticks that is longer means that the machine slept. */
const SLEPT = 30000;

function begin() {
  /** @type {EventSource | null} */
  let stream = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  let opened = false;

  const open = () => {
    clearTimeout(waiting);
    stream?.close();
    // Without a position, it begins with what happens next.
    const mine = new EventSource(`/v1/events${position ? `?after=${encodeURIComponent(position)}` : ''}`);
    stream = mine;
    mine.onopen = () => {
      become('live');
      if (opened) tellMissed(); // progress is no event, and without a position nothing is sent again
      opened = true;
    };
    mine.onerror = () => {
      if (mine !== stream) return;
      if (mine.readyState !== EventSource.CLOSED) return become('lost');
      // It was refused: the session may have ended, in which case this asks for a key.
      ask('/session', { patient: false }).then(() => later(), (error) => {
        if (error.status !== 401) become('lost');
        later();
      });
    };
    for (const type of TYPES) mine.addEventListener(`clip.${type}`, take);
  };
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(open, 2000 + Math.random() * 3000);
  };
  /** @param {MessageEvent} message */
  const take = (message) => {
    const event = JSON.parse(message.data);
    tell(event, message.lastEventId);
    channel.postMessage({ event, position: message.lastEventId });
    onFirst(event);
  };

  // After sleep, or on another network, a connection may look open that is not.
  let last = Date.now();
  setInterval(() => {
    const now = Date.now();
    if (now - last > SLEPT) open();
    last = now;
  }, TICK);
  addEventListener('online', open);
  addEventListener('offline', () => become('lost'));
  open();
}
