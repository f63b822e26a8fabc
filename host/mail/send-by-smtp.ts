import type { SentMail } from './contract.ts';

const CONNECT_MS = 10_000;
const ANSWER_MS = 30_000;

/**
 * Sends mail by a server such as `smtps://user:password@mail.example.com`. Text only: nothing in it is read as markup. The client is
 * loaded with the first mail: a host that sends none goes without.
 */
export function openSmtp(url: string, from: string) {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  const open = async () =>
    (await import('nodemailer')).createTransport({
      host: hostname,
      port: port === '' ? (secure ? 465 : 587) : Number(port),
      secure,
      // A password never goes over a plain connection.
      requireTLS: !secure && username !== '',
      ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
      pool: true,
      maxConnections: 3,
      connectionTimeout: CONNECT_MS,
      socketTimeout: ANSWER_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  let transport: ReturnType<typeof open> | null = null;
  return {
    send: async ({ id, to, subject, text }: SentMail): Promise<void> => {
      // As an object: of a string, a comma would make two receivers.
      const receiver = { name: '', address: to };
      transport ??= open();
      await (await transport).sendMail({ from, to: receiver, subject, text, messageId: `<${id}@gatehouse>` });
    },
    /** Ends what is being sent too: it fails, and is sent again by whoever comes after. */
    close: () => void transport?.then((opened) => opened.close({ force: true })),
  };
}
