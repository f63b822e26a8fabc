import { Type } from 'typebox';
import { openApiDocument } from '../http/openapi.ts';
import { answer, type Route, route } from '../http/route.ts';
import type { Metrics } from '../metrics.ts';
import { oneOf } from './fields.ts';

/** Whether this host can take requests, part by part. */
export interface Readiness {
  ready: boolean;
  /** By name of the part, such as `database`, `migrations`, `cordons`, `load`. */
  checks: Record<string, { ok: boolean; message?: string }>;
}

const ReadinessReply = Type.Object(
  {
    ready: Type.Boolean(),
    checks: Type.Record(
      Type.String(),
      Type.Object({ ok: Type.Boolean(), message: Type.Optional(Type.String()) }, { title: 'ReadinessCheck' }),
    ),
  },
  { title: 'Readiness' },
);

const text = (mediaType: string) => Type.Unsafe<string>({ type: 'string', contentMediaType: mediaType });

export interface ServicePorts {
  ready(): Promise<Readiness>;
  metrics: Metrics;
  /** Without it, reading /metrics takes a token with `host:read`. */
  metricsPublic: boolean;
  /** Version of Gatehouse. */
  version: string;
}

/** What machines ask a host about itself. `routes` gives the whole table, for its description. */
export const serviceRoutes = (ports: ServicePorts, routes: () => readonly Route[]): Route[] => [
  route({
    method: 'GET',
    path: '/healthz',
    consumer: 'Machines',
    summary: 'Answers while the process is alive.',
    allow: 'public',
    reply: { 200: Type.Object({ status: oneOf(['ok']), version: Type.String() }, { title: 'Alive' }) },
    refuses: [],
    handle: () => answer({ status: 'ok', version: ports.version }, { headers: { 'Cache-Control': 'no-store' } }),
  }),
  route({
    method: 'GET',
    path: '/readyz',
    consumer: 'Machines',
    summary: 'Whether this host can take requests: database, migrations, cordons, load.',
    allow: 'public',
    reply: { 200: ReadinessReply, 503: ReadinessReply },
    refuses: [],
    handle: async () => {
      const readiness = await ports.ready();
      return answer(readiness, { status: readiness.ready ? 200 : 503, headers: { 'Cache-Control': 'no-store' } });
    },
  }),
  route({
    method: 'GET',
    path: '/metrics',
    consumer: 'Machines',
    summary: 'Counters in the text format of Prometheus.',
    allow: ports.metricsPublic ? 'public' : ['host:read'],
    forAdmins: true,
    reply: { 200: text('text/plain') },
    refuses: [],
    handle: async () => {
      const { text, mediaType } = await ports.metrics.expose();
      return answer(text, { mediaType, headers: { 'Cache-Control': 'no-store' } });
    },
  }),
  describeRoute(ports, routes),
];

function describeRoute({ version }: ServicePorts, routes: () => readonly Route[]): Route {
  let document: string | undefined;
  return route({
    method: 'GET',
    path: '/openapi.json',
    consumer: 'Machines',
    summary: 'This interface as an OpenAPI 3.1 document.',
    allow: 'public',
    reply: { 200: Type.Unsafe<object>({ type: 'object' }) },
    refuses: [],
    handle: () => {
      document ??= JSON.stringify(openApiDocument(routes(), version));
      return answer(document, { mediaType: 'application/json; charset=utf-8' });
    },
  });
}
