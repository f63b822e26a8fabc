import { htmlPage } from './page.ts';

/** Where a person approves the code that a program shows them; /assets/device.js does the work, through the API. */
export const devicePage = (): string =>
  htmlPage(
    'Approve a device',
    `<main>
<h1>Approve a device</h1>
<p>Type only a code that you see at this moment in a program that <strong>you</strong> have started. Whoever sends you a code wants
to act in your name.</p>
<noscript><p>This page needs scripts. <code>gate login --token</code> works without it.</p></noscript>
<p id="says" role="status"></p>
<form id="login" hidden>
<h2>Log in</h2>
<label>Username or address <input name="login" autocomplete="username" required maxlength="320"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required maxlength="1000"></label>
<button>Log in</button>
</form>
<form id="factor" hidden>
<h2>Confirm that it is you</h2>
<label>Code of your authenticator app <input name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" required></label>
<button>Confirm</button>
</form>
<form id="code" hidden>
<h2>The code</h2>
<label>Code <input name="userCode" autocapitalize="characters" autocomplete="off" required minlength="8" maxlength="20"></label>
<button>Look</button>
</form>
<form id="approval" hidden>
<h2>Is it yours?</h2>
<p>It calls itself <strong id="label"></strong> and asked from <strong id="address"></strong>. For 90 days it will do whatever you may
do in this organisation.</p>
<label>Organisation <select name="organisation" required></select></label>
<button>Approve</button>
<button type="button" id="deny">Deny</button>
</form>
</main>
<script src="/assets/device.js" defer></script>`,
  );
