import semver from 'semver';
import { DEFAULT_LIMITS, type Json, type Manifest, type PluginJob } from '../../plugins-sdk/contract/index.ts';
import { GOOD_CONDUCT } from '../conduct/contract.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { bodyBytes, wireBody } from '../invocations/plugin-request.ts';
import type { CapabilityPorts } from './compose.ts';
import { derivedId } from './derived-id.ts';

/** Answers in place of another plugin. A hook comes as POST /hooks/<hook> with the event as JSON. */
export type AnswerPlugin = (request: Request) => Response | Promise<Response>;

type Dependency = NonNullable<Manifest['dependencies']>[number];

/**
 * Other plugins for tests of one that calls them: what it declares is checked as in production, and then `answers` are asked, by
 * `<publisher>/<name>`. Those without an answer are not installed.
 */
export const answeringPlugins = (
  answers: Readonly<Record<string, AnswerPlugin>>,
  dependencyOn: (plugin: string) => Dependency | undefined,
): Pick<CapabilityPorts, 'findInstallations' | 'runPlugin'> => ({
  findInstallations: async (_operatorId, plugin) => {
    const dependency = dependencyOn(plugin);
    return dependency && Object.hasOwn(answers, plugin) ? [installedAs(dependency)] : [];
  },
  runPlugin: async ({ plugin, slug }, job) => {
    const answer = await answers[plugin]!(requestOf(slug, job));
    const invocationId = derivedId(plugin, slug);
    if (job.kind === 'hook') return { invocationId, output: { kind: 'value', value: (await answer.json()) as Json } };
    const response = {
      status: answer.status,
      headers: [...answer.headers],
      ...wireBody(Buffer.from(await answer.arrayBuffer())),
    };
    return { invocationId, output: { kind: 'http', response } };
  },
});

function requestOf(slug: string, job: PluginJob): Request {
  if (job.kind === 'hook') {
    const url = `https://${slug}.plugins.internal/hooks/${job.event.hook}`;
    return new Request(url, { method: 'POST', body: JSON.stringify(job.event) });
  }
  const { method, url, headers, body, bodyEncoding } = (job as Extract<PluginJob, { kind: 'http' }>).request;
  const bytes = bodyBytes({ body, bodyEncoding });
  return new Request(url, { method, headers, body: bytes && new Uint8Array(bytes) });
}

/** An installation with just what the dependency names. */
function installedAs({ plugin, range, routes = [], hooks = [] }: Dependency): InstallationFacts {
  const [publisher, name] = plugin.split('/') as [string, string];
  const version = semver.minVersion(range)?.version ?? '1.0.0';
  const declared = routes.map((route) => {
    const [method, path] = route.split(' ') as [NonNullable<Manifest['routes']>[number]['method'], string];
    return { method, path, access: 'caller' as const };
  });
  return {
    id: derivedId(plugin),
    slug: name,
    plugin,
    version,
    enabled: true,
    installing: false,
    conduct: GOOD_CONDUCT,
    limits: DEFAULT_LIMITS,
    manifest: { name, publisher, version, routes: declared, hooks },
  } as unknown as InstallationFacts;
}
