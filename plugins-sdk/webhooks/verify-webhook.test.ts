import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { signatureOf } from '../../host/webhooks/rules/sign-delivery.ts';
import { verifyWebhook, type WebhookRefusalCode, type WebhookRequest } from './verify-webhook.ts';

const ID = '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11';
const NOW_MS = Date.parse('2030-01-01T00:00:00Z');
const timestamp = NOW_MS / 1_000;
const event = {
  id: ID,
  position: 3,
  type: 'key.revoked',
  version: 1,
  at: '2030-01-01T00:00:00.000Z',
  payload: { ä: 1 },
};
const body = JSON.stringify(event);

const request = (change: Partial<WebhookRequest> = {}, secrets = ['whsec_one']): WebhookRequest => ({
  headers: { 'gatehouse-delivery': ID, 'gatehouse-signature': signatureOf({ id: ID, timestamp, body }, secrets) },
  body,
  secrets: 'whsec_one',
  nowMs: NOW_MS,
  ...change,
});
const codeOf = (wish: WebhookRequest): WebhookRefusalCode | 'believed' => {
  try {
    verifyWebhook(wish);
    return 'believed';
  } catch (error) {
    return (error as { code: WebhookRefusalCode }).code;
  }
};

describe('verifyWebhook', () => {
  it('believes what Gatehouse signed, as text, as bytes, and with headers of the Fetch standard', () => {
    expect(verifyWebhook(request())).to.deep.equal(event);
    expect(verifyWebhook(request({ body: Buffer.from(body) }))).to.deep.equal(event);
    const headers = new Headers(request().headers as Record<string, string>);
    expect(verifyWebhook(request({ headers }))).to.deep.equal(event);
  });

  it('is nothing but HMAC-SHA256 over id, time and body, as others would write it', () => {
    const mac = createHmac('sha256', 'whsec_one').update(`${ID}.${timestamp}.${body}`).digest('hex');
    const headers = { 'Gatehouse-Delivery': ID, 'Gatehouse-Signature': `t=${timestamp},v1=${mac}` };
    expect(codeOf(request({ headers }))).to.equal('believed');
  });

  it('believes either secret while one is being exchanged, on both sides', () => {
    const both = request({}, ['whsec_new', 'whsec_one']);
    expect(codeOf(both)).to.equal('believed');
    expect(codeOf({ ...both, secrets: ['whsec_new'] })).to.equal('believed');
    expect(codeOf({ ...both, secrets: ['whsec_other', 'whsec_new'] })).to.equal('believed');
    expect(codeOf({ ...both, secrets: ['whsec_other'] })).to.equal('signature-wrong');
  });

  it('refuses a body, an id, or a time that was not signed', () => {
    expect(codeOf(request({ body: body.replace('3', '4') }))).to.equal('signature-wrong');
    const { headers } = request();
    const other = { ...(headers as Record<string, string>), 'gatehouse-delivery': ID.replace('0199', '0198') };
    expect(codeOf(request({ headers: other }))).to.equal('signature-wrong');
    const later = { ...(headers as Record<string, string>) };
    later['gatehouse-signature'] = later['gatehouse-signature']!.replace(/t=\d+/, `t=${timestamp + 1}`);
    expect(codeOf(request({ headers: later }))).to.equal('signature-wrong');
  });

  it('refuses what was signed too long ago, or ahead of the clock, by its own tolerance', () => {
    expect(codeOf(request({ nowMs: NOW_MS + 300_000 }))).to.equal('believed');
    expect(codeOf(request({ nowMs: NOW_MS + 301_000 }))).to.equal('timestamp-outside-tolerance');
    expect(codeOf(request({ nowMs: NOW_MS - 301_000 }))).to.equal('timestamp-outside-tolerance');
    expect(codeOf(request({ nowMs: NOW_MS + 301_000, toleranceSeconds: 600 }))).to.equal('believed');
    // What Number() makes of a variable that is not set.
    expect(codeOf(request({ toleranceSeconds: Number.NaN }))).to.equal('timestamp-outside-tolerance');
  });

  it('refuses headers that are absent, there twice, or no signature', () => {
    expect(codeOf(request({ headers: {} }))).to.equal('headers-missing');
    const { headers } = request() as { headers: Record<string, string> };
    expect(codeOf(request({ headers: { ...headers, 'Gatehouse-Signature': 't=1,v1=aa' } }))).to.equal(
      'headers-missing',
    );
    const mac = 'a'.repeat(64);
    for (const wrong of [
      '',
      'v1=',
      `v1=${mac}`,
      `t=${timestamp}`,
      `t=x,v1=${mac}`,
      `t=1,t=2,v1=${mac}`,
      'x'.repeat(5_000),
    ]) {
      const signed = { ...headers, 'gatehouse-signature': wrong };
      expect(codeOf(request({ headers: signed })), wrong).to.equal('signature-malformed');
    }
    const many = `t=${timestamp},${Array.from({ length: 21 }, () => `v1=${mac}`).join(',')}`;
    expect(codeOf(request({ headers: { ...headers, 'gatehouse-signature': many } }))).to.equal('signature-malformed');
  });

  it('refuses what is signed and yet no event', () => {
    const text = '{"hello":1}';
    const signature = signatureOf({ id: ID, timestamp, body: text }, ['whsec_one']);
    const headers = { 'gatehouse-delivery': ID, 'gatehouse-signature': signature };
    expect(codeOf(request({ headers, body: text }))).to.equal('body-malformed');
  });

  it('throws where there is no secret: an empty one is one that everybody knows', () => {
    expect(() => verifyWebhook(request({ secrets: [] }))).to.throw(TypeError);
    expect(() => verifyWebhook(request({ secrets: '' }, ['']))).to.throw(TypeError);
  });
});
