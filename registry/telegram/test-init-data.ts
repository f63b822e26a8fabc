import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** What Telegram would do, for tests: init data signed in both forms. */

export const BOT_TOKEN = '4839574812:the-token-of-a-bot-of-tests';
export const BOT_ID = '4839574812';

export const telegramKeys = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKeyHex: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex') };
};

const joined = (fields: Record<string, string>): string =>
  Object.keys(fields)
    .sort()
    .map((name) => `${name}=${fields[name]}`)
    .join('\n');

/** Init data of a person with this id, opened at `atMs`; `key` adds the signature for third parties. */
export function initDataOf(
  { id, atMs, ...more }: { id: number; atMs: number; [field: string]: string | number },
  { botToken = BOT_TOKEN, key }: { botToken?: string; key?: KeyObject } = {},
): string {
  const fields: Record<string, string> = {
    auth_date: String(Math.floor(atMs / 1_000)),
    query_id: 'AAHdF6IQAAAAAN0XohDhrOrc',
    user: JSON.stringify({ id, first_name: 'Ada', username: 'ada' }),
    ...(more as Record<string, string>),
  };
  if (key) {
    const text = `${botToken.split(':')[0]}:WebAppData\n${joined(fields)}`;
    fields.signature = sign(null, Buffer.from(text), key).toString('base64url');
  }
  const secret = createHmac('sha256', 'WebAppData').update(botToken).digest();
  fields.hash = createHmac('sha256', secret).update(joined(fields)).digest('hex');
  return new URLSearchParams(fields).toString();
}
