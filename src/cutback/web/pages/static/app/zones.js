// Wall clock times: in the camera's zone with the zone named, in the viewer's, or in UTC. Instants are milliseconds.
import { signal } from './dom.js';

/** Whose clock times are shown on: `camera`, `viewer` or `utc`. */
export const clockOf = signal(localStorage.getItem('cutback.clock') || 'camera');

/** @param {string} whose */
export function useClock(whose) {
  clockOf.value = whose;
  localStorage.setItem('cutback.clock', whose);
}

const VIEWER = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The zone in which times of a camera are shown. @param {string} [camera] the camera's zone */
export const zoneFor = (camera) => ({ camera: camera || VIEWER, viewer: VIEWER, utc: 'UTC' })[clockOf.value] || 'UTC';

/** @type {Map<string, Intl.DateTimeFormat>} */
const made = new Map();

/** @param {string} zone @param {Intl.DateTimeFormatOptions} options */
function formatter(zone, options) {
  const name = zone + JSON.stringify(options);
  let found = made.get(name);
  if (!found) made.set(name, (found = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', ...options })));
  return found;
}

const CLOCK = /** @type {const} */ ({ hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** `17:03:12` @param {number} at @param {string} zone */
export const clock = (at, zone) => formatter(zone, CLOCK).format(at);

/** `17:03:12.480` @param {number} at @param {string} zone */
export const exactClock = (at, zone) => formatter(zone, { ...CLOCK, fractionalSecondDigits: 3 }).format(at);

/** `17:03` @param {number} at @param {string} zone */
export const hour = (at, zone) => formatter(zone, { hour: '2-digit', minute: '2-digit' }).format(at);

/** `Tuesday 24 November 2026` @param {number} at @param {string} zone */
export const day = (at, zone) => formatter(zone, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }).format(at).replace(',', '');

/** `24 Nov` @param {number} at @param {string} zone */
export const shortDay = (at, zone) => formatter(zone, { day: 'numeric', month: 'short' }).format(at);

/** `24 Nov 17:03:12` @param {number} at @param {string} zone */
export const moment = (at, zone) => `${shortDay(at, zone)} ${clock(at, zone)}`;

/** `2026-11-24` @param {number} at @param {string} zone */
export function date(at, zone) {
  const { year, month, day: number } = parts(at, zone);
  return `${year}-${month}-${number}`;
}

/** `Sydney time (UTC+11)`; over a night when clocks change, both offsets. @param {number} at @param {string} zone @param {number} [until] */
export function zoneName(at, zone, until = at) {
  if (zone === 'UTC') return 'UTC';
  const place = zone.split('/').at(-1)?.replaceAll('_', ' ');
  const [before, after] = [utc(at, zone), utc(until, zone)];
  return `${place} time (${before}${after === before ? '' : `, then ${after}`})`;
}

/** `UTC+11` @param {number} at @param {string} zone */
export const utc = (at, zone) => `UTC${offsetText(offset(at, zone))}`;

/** @param {number} minutes */
function offsetText(minutes) {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '−' : '+'}${hours}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`;
}

/** @param {number} at @param {string} zone @returns {Record<string, string>} */
function parts(at, zone) {
  const found = formatter(zone, { year: 'numeric', month: '2-digit', day: '2-digit', ...CLOCK }).formatToParts(at);
  return Object.fromEntries(found.map(({ type, value }) => [type, value]));
}

/** Minutes that the zone is ahead of UTC at an instant. @param {number} at @param {string} zone */
export function offset(at, zone) {
  const p = parts(at, zone);
  const shown = Date.UTC(+p.year, +p.month - 1, +p.day, +p.hour, +p.minute, +p.second);
  return Math.round((shown - Math.floor(at / 1000) * 1000) / 60000);
}

/**
 * The instant at which a local date (and time) begins. A time that is skipped gives the instant of the change, one that
 * comes twice the first.
 * @param {string} text `2026-11-24` or `2026-11-24T17:03`
 * @param {string} zone
 */
export function instant(text, zone) {
  const { right, candidates } = instantsOf(text, zone);
  return right.length ? Math.min(...right) : Math.max(...candidates);
}

/** The instants at which clocks show a local time: one, two where clocks are put back, none where they are put forward. @param {string} text @param {string} zone */
export const instants = (text, zone) => [...new Set(instantsOf(text, zone).right)];

/** @param {string} text @param {string} zone */
function instantsOf(text, zone) {
  const [days, time = '00:00:00'] = text.split('T');
  const [year, month, number] = days.split('-').map(Number);
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
  const shown = Date.UTC(year, month - 1, number, hours, minutes, seconds);
  const candidates = [shown - 86400000, shown, shown + 86400000].map((near) => shown - offset(near, zone) * 60000);
  const right = candidates.filter((each) => each + offset(each, zone) * 60000 === shown);
  return { right, candidates };
}

/** The day of an instant: from its local midnight to the next; 23, 24 or 25 hours. @param {number} at @param {string} zone */
export function dayOf(at, zone) {
  return daysFrom(date(at, zone), 1, zone);
}

/** @param {string} first @param {number} count @param {string} zone */
export function daysFrom(first, count, zone) {
  return { begins: instant(first, zone), ends: instant(shifted(first, count), zone) };
}

/** A date some days later. @param {string} text @param {number} days */
export function shifted(text, days) {
  const [year, month, number] = text.split('-').map(Number);
  return new Date(Date.UTC(year, month - 1, number + days)).toISOString().slice(0, 10);
}

/** RFC 3339, in UTC. @param {number} at */
export const iso = (at) => new Date(Math.round(at)).toISOString();
