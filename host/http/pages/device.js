// The page /device: logs in if need be, shows what waits with a code, and approves or denies it. Text only ever goes in as text.
const at = (id) => document.getElementById(id);
const says = (text) => {
  at('says').textContent = text;
};
const FORMS = ['login', 'factor', 'code', 'approval'];
const show = (wanted) => {
  for (const id of FORMS) at(id).hidden = id !== wanted;
};

async function send(method, path, body) {
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, ok: response.ok, value: text === '' ? {} : JSON.parse(text) };
}

let challenge = null;
/** What to do again once the person has confirmed a second factor. */
let afterFactor = null;
let userCode = new URLSearchParams(location.search).get('code') ?? '';

async function begin() {
  const memberships = await send('GET', '/v1/memberships');
  if (memberships.status === 401) return show('login');
  if (!memberships.ok) return says(memberships.value.detail);
  const select = at('approval').elements.organisation;
  select.replaceChildren(
    ...memberships.value.items.map(({ organisation, role }) => {
      const option = document.createElement('option');
      option.value = organisation.slug;
      option.textContent = `${organisation.name} (${organisation.slug}) as ${role}`;
      return option;
    }),
  );
  if (memberships.value.items.length === 0)
    return says('You belong to no organisation: there is nothing to approve for.');
  at('code').elements.userCode.value = userCode;
  show('code');
}

const onSubmit = (id, work) =>
  at(id).addEventListener('submit', (event) => {
    event.preventDefault();
    says('');
    work(at(id).elements).catch(() => says('The host does not answer; try again.'));
  });

onSubmit('login', async ({ login, password }) => {
  const answer = await send('POST', '/v1/sessions', { login: login.value, password: password.value, as: 'cookies' });
  password.value = '';
  if (!answer.ok) return says(answer.value.detail);
  if (answer.status !== 202) return begin();
  ({ challenge } = answer.value);
  show('factor');
});

onSubmit('factor', async ({ code }) => {
  const proof = { code: code.value };
  code.value = '';
  const answer =
    challenge === null
      ? await send('POST', '/v1/sessions/current/step-up', proof)
      : await send('POST', '/v1/sessions/second-factor', { challenge, ...proof, as: 'cookies' });
  if (!answer.ok) return says(answer.value.detail);
  challenge = null;
  const next = afterFactor ?? begin;
  afterFactor = null;
  await next();
});

onSubmit('code', async (fields) => {
  userCode = fields.userCode.value;
  const answer = await send('POST', '/v1/device-codes/reading', { userCode });
  if (!answer.ok) return says(answer.value.detail);
  at('label').textContent = answer.value.label;
  at('address').textContent = answer.value.address;
  show('approval');
});

async function approve() {
  const organisation = at('approval').elements.organisation.value;
  const answer = await send('POST', '/v1/device-codes/approval', { userCode, organisation });
  if (answer.value.code === 'step-up-required') {
    afterFactor = approve;
    return show('factor');
  }
  show(null);
  says(answer.ok ? 'Approved. Go back to the program.' : answer.value.detail);
}
onSubmit('approval', approve);

at('deny').addEventListener('click', async () => {
  const answer = await send('POST', '/v1/device-codes/refusal', { userCode });
  show(null);
  says(answer.ok ? 'Denied.' : answer.value.detail);
});

begin().catch(() => says('The host does not answer; load the page again.'));
