// Asks for a key where one is needed, and trades it for a session that scripts cannot read.
import { html, useState } from './dom.js';
import { ask } from './api.js';

/** @param {{done: () => void}} props */
export function SignIn({ done }) {
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
  return html`<main class="face">
    <h2>Sign in</h2>
    <p>This installation asks for a key. The operator makes one with <code>cutback keys create</code>.</p>
    <form onSubmit=${enter} class="act">
      <input class="field" name="key" type="password" autocomplete="current-password" aria-label="Key" placeholder="ck_…" required autofocus />
      <button class="button primary" disabled=${sending}>Sign in</button>
    </form>
    ${!isSecureContext && html`<p class="why">Sign-in needs HTTPS, or this machine itself.</p>`}
    ${fault && html`<p class="why" role="alert">${fault}</p>`}
  </main>`;
}
