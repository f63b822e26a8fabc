import { createHmac } from 'node:crypto';

/** What one delivery carries. */
export interface SignedDelivery {
  /** Of the delivery. */
  id: string;
  /** Unix time in whole seconds, when it is sent. */
  timestamp: number;
  body: string;
}

/**
 * `t=<seconds>,v1=<hex>`, with one `v1` for each secret: HMAC-SHA256 over `<delivery id>.<seconds>.<body>`. The key is the whole text of
 * the secret. Receivers check it with `verifyWebhook` of the SDK.
 */
export const signatureOf = ({ id, timestamp, body }: SignedDelivery, secrets: readonly string[]): string =>
  [
    `t=${timestamp}`,
    ...secrets.map(
      (secret) => `v1=${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`, 'utf8').digest('hex')}`,
    ),
  ].join(',');
