import path from 'node:path';
import { type ApiClient, createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { callPlugin } from '../../plugins-sdk/cli/commands/call.ts';
import { RoleRefused } from '../roles/role.ts';
import { installStep } from './install-step.ts';
import { type Credentials, OPERATOR_SLUG } from './people.ts';
import { approveStep, decidedRelease, type PublishPorts, packStep, proofStep, publishStep } from './publish-steps.ts';
import type { SecondHost } from './second-host.ts';

const FOLDER = path.join(import.meta.dirname, 'plugins', 'price-watch');
const SLUG = 'prices';
/** What the platform promises. */
const SECONDS_MAX = 5;

export interface TakedownPorts {
  url: string;
  operator: ApiClient;
  tokens: Pick<Credentials, 'caller'>;
  startSecondHost(): Promise<SecondHost>;
}

/** A release is published and used on two hosts, and then stopped on both while it runs. Done once: it stays down. */
export async function showTakedown(ports: PublishPorts, { url, operator, tokens, startSecondHost }: TakedownPorts) {
  const { publisher, moderator, stage } = ports;
  stage.chapter('A release that is taken down, on two hosts at once');
  const packed = await packStep(FOLDER, stage);
  const known = await decidedRelease(publisher, packed);
  const { caller } = tokens;
  if (known?.state === 'suspended') {
    await stage.step('take down', () => statusesAt([url], caller, '/price'), showStopped);
    return;
  }
  const release = known ?? (await approveStep(ports, (await publishStep(ports, packed)).release));
  await proofStep(operator, packed, stage);
  await installStep(operator, release, { slug: SLUG }, stage);
  const second = await stage.step('second host', startSecondHost, (host) => `${host.url}, process ${host.pid}`);
  try {
    const urls = [url, second.url];
    await stage.step(
      'invoke',
      () => statusesAt(urls, caller, '/price'),
      (statuses) => `GET /price on both hosts → ${statuses.join(', ')}; and GET /watch, which takes 20 s`,
    );
    const running = statusesAt(urls, caller, '/watch');
    // Both are inside by the time a later call has been answered.
    await statusesAt(urls, caller, '/price');
    const reason = { code: 'vulnerable-code' as const, message: 'Guests see the prices of others.' };
    await stage.step(
      'take down',
      async () => {
        const fromMs = performance.now();
        await moderator.takeDown(release.id, reason);
        const ended = await running;
        const seconds = (performance.now() - fromMs) / 1_000;
        if (ended.includes(200) || seconds > SECONDS_MAX)
          throw new RoleRefused(`A release that was taken down went on for ${seconds.toFixed(2)} s.`);
        return seconds;
      },
      (seconds) =>
        `${reason.code}: running calls on both hosts ended after ${seconds.toFixed(2)} s (at most ${SECONDS_MAX} s)`,
    );
    await stage.step('invoke', () => statusesAt(urls, caller, '/price'), showStopped);
  } finally {
    await second.close();
  }
}

/** Asked once: a second try would be measured along. */
const statusesAt = (urls: string[], token: string, at: string): Promise<number[]> =>
  Promise.all(
    urls.map(
      async (url) =>
        (
          await callPlugin(createApiClient({ url, token, attempts: 1 }))({
            target: `${OPERATOR_SLUG}/${SLUG}`,
            method: 'GET',
            path: at,
          })
        ).status,
    ),
  );

function showStopped(statuses: number[]): string {
  if (statuses.some((status) => status !== 403)) throw new RoleRefused('A release that was taken down still answers.');
  return `GET /price → ${statuses.join(', ')} release-blocked, until a moderator restores it`;
}
