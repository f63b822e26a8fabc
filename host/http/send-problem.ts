import type { ServerResponse } from 'node:http';
import { PROBLEM_MEDIA_TYPE, type ProblemAnswer } from './problems.ts';
import { platformHeaders } from './security-headers.ts';

/** The headers and text of a problem that is sent without Koa. */
export function bareProblem({ problem, headers }: ProblemAnswer, requestId: string, https: boolean) {
  const text = JSON.stringify(problem);
  return {
    text,
    headers: {
      ...platformHeaders(https),
      'Cache-Control': 'no-store',
      'Content-Type': PROBLEM_MEDIA_TYPE,
      'Content-Length': String(Buffer.byteLength(text)),
      'X-Request-Id': requestId,
      ...headers,
    },
  };
}

/**
 * Sends a problem on a plain response; does nothing where the client is gone or an answer is on its way. `https`: whether callers
 * reach this host by https.
 */
export function sendProblem(res: ServerResponse, answer: ProblemAnswer, requestId: string, https = false): void {
  if (res.destroyed) return;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { text, headers } = bareProblem(answer, requestId, https);
  res.writeHead(answer.problem.status, headers).end(text);
}
