// Talks to `/v1`. Reads are repeated while no server answers; a failure is a `Problem` that says what to do.

/** What went wrong, as the API says it (RFC 9457), or as we say it when nobody answers. */
export class Problem extends Error {
  /** @param {{title?: string, detail?: string, status?: number, reason?: string, remedy?: string, retryable?: boolean, errors?: {path: string, problem: string}[]}} said */
  constructor(said) {
    super(said.detail || said.title || 'The request failed.');
    this.title = said.title || 'The request failed.';
    this.status = said.status || 0;
    this.reason = said.reason || '';
    this.remedy = said.remedy || '';
    this.retryable = said.retryable ?? false;
    this.errors = said.errors || [];
  }
}

/** Called when a key is needed. */
let onSignedOut = () => {};

/** @param {() => void} call */
export function whenSignedOut(call) {
  onSignedOut = call;
}

/** How many sessions have begun on this page, and how many changes of the access are under way. */
let sessions = 0;
let changing = 0;

/**
 * Do something that changes who may ask, and ends signed in: what is refused meanwhile asks for no key.
 * @template T @param {() => Promise<T>} act @returns {Promise<T>}
 */
export async function changingAccess(act) {
  changing++;
  try {
    return await act();
  } finally {
    changing--;
  }
}

/** Called with each clip that was requested. @type {(clip: any) => void} */
let onRequested = () => {};

/** @param {(clip: any) => void} call */
export function whenRequested(call) {
  onRequested = call;
}

/** Whether the server has answered a request of this page. */
export let answered = false;

const PAUSES = [300, 1000, 3000];

/**
 * Send a request and return its JSON.
 * @param {string} path below `/v1`
 * @param {{method?: string, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal, patient?: boolean}} [options]
 * @returns {Promise<any>}
 */
export async function ask(path, options = {}) {
  const answer = await send(path, options);
  answered = true;
  if (answer.status === 204 || answer.status === 304) return null;
  const said = await answer.json();
  if (path === '/clips' && options.method === 'POST' && said.id) onRequested(said);
  return said;
}

/**
 * Send a request and return the answer, which is a success.
 * @param {string} path
 * @param {{method?: string, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal, patient?: boolean}} [options]
 */
export async function send(path, { method = 'GET', body, headers = {}, signal, patient = true } = {}) {
  /** @type {RequestInit} */
  const request = { method, signal, headers: { Accept: 'application/json', ...headers }, credentials: 'same-origin' };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { ...request.headers, 'Content-Type': 'application/json' };
  }
  const repeatable = method === 'GET' || headers['Idempotency-Key'];
  for (let tries = 0; ; tries++) {
    const sent = sessions;
    let answer;
    try {
      answer = await fetch(`/v1${path}`, request);
    } catch (error) {
      if (signal?.aborted) throw error;
      if (repeatable && patient && tries < PAUSES.length) {
        await pause(PAUSES[tries]);
        continue;
      }
      throw new Problem({
        title: 'The server does not answer.',
        detail: 'The server does not answer. Nothing is lost; try again when it is back.',
        reason: 'unreachable',
        retryable: true,
      });
    }
    if (answer.ok) {
      if (path === '/session' && method === 'POST') sessions++;
      return answer;
    }
    if ([429, 502, 503].includes(answer.status) && repeatable && patient && tries < PAUSES.length) {
      const wait = Number(answer.headers.get('Retry-After')) * 1000;
      await pause(Math.min(wait || PAUSES[tries], 5000));
      continue;
    }
    const said = await answer.json().catch(() => ({ status: answer.status }));
    // What was sent before this session began says nothing about it.
    if (answer.status === 401 && !changing && sent === sessions) onSignedOut();
    throw new Problem({ status: answer.status, ...said });
  }
}

/** @param {number} milliseconds */
export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** A recording's key in a path. @param {string} key */
export const inPath = (key) => key.split('/').map(encodeURIComponent).join('/');

/** @param {Record<string, string | number | boolean | null | undefined>} values */
export function query(values) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== null && value !== '') found.set(name, String(value));
  const text = found.toString();
  return text ? `?${text}` : '';
}
