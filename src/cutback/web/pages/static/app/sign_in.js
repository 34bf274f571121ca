// Asks for a key where one is needed, and trades it for a session that scripts cannot read.
import { html, useState } from './dom.js';
import { ask } from './api.js';

/** @param {{done: () => void, again?: boolean}} props `again`: over a page that goes on afterwards */
export function SignIn({ done, again = false }) {
  const [fault, setFault] = useState('');
  const [sending, setSending] = useState(false);
  const enter = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    setSending(true);
    setFault('');
    try {
      await ask('/session', { method: 'POST', body: { key: /** @type {any} */ (event.target).elements.key.value.trim() } });
      done();
    } catch (error) {
      setFault(/** @type {any} */ (error).status === 401 ? 'This key is not valid. It may have been revoked.' : /** @type {Error} */ (error).message);
      setSending(false);
    }
  };
  if (again) {
    return html`<p class="sub">Sign in again to go on. Nothing is lost.</p><${Form} enter=${enter} sending=${sending} fault=${fault} />`;
  }
  return html`<main class="face">
    <h2>Sign in</h2>
    <p>This installation asks for a key. The operator makes one with <code>cutback keys create</code>.</p>
    <${Form} enter=${enter} sending=${sending} fault=${fault} />
  </main>`;
}

/** @param {{enter: (event: SubmitEvent) => void, sending: boolean, fault: string}} props */
const Form = ({ enter, sending, fault }) => html`<form onSubmit=${enter} class="act">
    <input class="field" name="key" type="password" autocomplete="current-password" aria-label="Key" placeholder="ck_…" required autofocus />
    <button class="button primary" disabled=${sending}>Sign in</button>
  </form>
  ${!isSecureContext && html`<p class="why">Sign-in needs HTTPS, or this machine itself.</p>`}
  ${fault && html`<p class="why" role="alert">${fault}</p>`}`;
