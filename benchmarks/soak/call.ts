import { Agent, type IncomingHttpHeaders, request } from 'node:http';

/** What came back of one request, or why nothing did. */
export interface Answer {
  /** 0 where there was no answer. */
  status: number;
  /** Code of the problem, or of the connection's failure; empty for a 2xx. */
  code: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface CallOptions {
  url: string;
  token: string;
  method: string;
  body: Buffer | null;
  timeoutMs: number;
}

export const openConnections = (): Agent => new Agent({ keepAlive: true, maxSockets: 256 });

/** One request on loopback, on plain node:http so that the client costs little of what it measures. Never rejects. */
export const call = (agent: Agent, { url, token, method, body, timeoutMs }: CallOptions): Promise<Answer> =>
  new Promise((resolve) => {
    const fail = (code: string) => resolve({ status: 0, code, headers: {}, body: Buffer.alloc(0) });
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-length': body.length, 'content-type': 'application/json' }),
    };
    const sent = request(url, { agent, method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => fail('answer-cut'));
      answer.on('end', () => {
        const whole = Buffer.concat(chunks);
        const status = answer.statusCode!;
        resolve({ status, code: status < 400 ? '' : problemCode(whole, status), headers: answer.headers, body: whole });
      });
    });
    // Unlike the socket's own timeout, this one covers a server that trickles.
    const timer = setTimeout(() => sent.destroy(Object.assign(new Error('timeout'), { code: 'timeout' })), timeoutMs);
    sent.on('close', () => clearTimeout(timer));
    sent.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    sent.end(body ?? undefined);
  });

function problemCode(body: Buffer, status: number): string {
  try {
    const { type } = JSON.parse(body.toString('utf8')) as { type: string };
    return type.replace('/problems/', '');
  } catch {
    return `status-${status}`;
  }
}
