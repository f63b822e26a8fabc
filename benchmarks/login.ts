import { randomBytes } from 'node:crypto';
import bcrypt from 'bcrypt';
import { BCRYPT_COST } from '../registry/index.ts';
import { medianOf } from './measure/in-turn.ts';
import { startHost } from './measure/processes.ts';
import { type Benchmark, figureOf, type Series } from './measure/report.ts';
import { percentile } from './measure/statistics.ts';

const LOGIN = 'login';
const BARE = 'bare bcrypt compare';
const SITUATION = 'one at a time, in turn';
const PASSWORD = 'Correct-Horse-77-Battery';
const SAMPLES = 20;

export const benchmark: Benchmark = {
  question: 'How much longer than bcrypt alone does a login take, from the request to the tokens?',
  run: async ({ rounds, tell }) => {
    const host = await startHost({ GATEHOUSE_RATE_LIMITS: 'login-address=off' });
    try {
      await makePerson(host.url);
      const hash = await bcrypt.hash(randomBytes(48).toString('base64'), BCRYPT_COST);
      const text = randomBytes(48).toString('base64');
      const measured = [];
      for (let round = 0; round < rounds; round += 1) {
        const login: number[] = [];
        const bare: number[] = [];
        for (let at = 0; at < SAMPLES; at += 1) {
          login.push(await timeMs(() => logIn(host.url)));
          bare.push(await timeMs(() => bcrypt.compare(text, hash)));
        }
        measured.push({ login, bare });
        tell(`round ${round + 1} of ${rounds}`);
      }
      const seriesOf = (candidate: string, samples: number[][]): Series => {
        const at = (share: number) =>
          figureOf(
            'ms',
            samples.map((each) =>
              percentile(
                each.toSorted((a, b) => a - b),
                share,
              ),
            ),
          );
        return {
          candidate,
          situation: SITUATION,
          n: samples.flat().length,
          figures: { p50: at(0.5), p95: at(0.95) },
        };
      };
      const series = [
        seriesOf(
          LOGIN,
          measured.map(({ login }) => login),
        ),
        seriesOf(
          BARE,
          measured.map(({ bare }) => bare),
        ),
      ];
      const over = (figure: string) => medianOf(series, LOGIN, figure) / medianOf(series, BARE, figure);
      return {
        setup: { rounds, 'logins per round': SAMPLES, 'cost of bcrypt': BCRYPT_COST },
        series,
        verdicts: [
          { name: 'p95 of a login over that of bcrypt alone', value: over('p95'), target: 1.25, good: 'at most' },
        ],
      };
    } finally {
      await host.close();
    }
  },
};

async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

const post = (url: string, body: object) =>
  fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });

async function logIn(url: string): Promise<void> {
  const answer = await post(`${url}/v1/sessions`, { login: 'measured', password: PASSWORD });
  if (answer.status !== 201) throw new Error(`a login was refused: ${await answer.text()}`);
  await answer.arrayBuffer();
}

async function makePerson(url: string): Promise<void> {
  const email = 'measured@example.com';
  await post(`${url}/v1/accounts`, { username: 'measured', password: PASSWORD, email });
  for (let tried = 0; tried < 100; tried += 1) {
    const { items } = (await (await fetch(`${url}/dev/mailbox`)).json()) as { items: { to: string; text: string }[] };
    const code = /^ {4}(\S+)$/m.exec(items.find(({ to }) => to === email)?.text ?? '')?.[1];
    if (code) {
      await post(`${url}/v1/accounts/verification`, { code });
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('no mail came');
}
