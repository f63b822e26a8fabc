import { Type } from 'typebox';
import { SCAN_FAMILIES, SCAN_SEVERITIES, SCAN_STAGES, SCAN_VERDICTS, type Scans } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import { Id, nullable, oneOf, strict, Timestamp } from './fields.ts';

const Finding = Type.Object(
  {
    family: oneOf(Object.keys(SCAN_FAMILIES) as (keyof typeof SCAN_FAMILIES)[]),
    severity: oneOf(SCAN_SEVERITIES),
    place: nullable(Type.Object({ file: Type.String(), line: Type.Integer(), column: Type.Integer() })),
    explanation: Type.String(),
    fix: Type.String(),
    evidence: Type.String(),
  },
  { title: 'ScanFinding' },
);

const names = Type.Array(Type.String());
const Dynamic = Type.Object(
  {
    entries: Type.Integer({ description: 'Routes, hooks and jobs that were run.' }),
    faults: Type.Integer(),
    skipped: Type.Optional(Type.Integer({ description: 'Handlers that there was no time for.' })),
    started: Type.Boolean(),
    capabilities: names,
    hosts: names,
    undeclaredCapabilities: names,
    undeclaredHosts: names,
    unusedCapabilities: names,
    unusedHosts: names,
  },
  { title: 'DynamicScan', description: 'What was seen when it ran in the sandbox with nothing real around it.' },
);

const Scan = Type.Object(
  {
    releaseId: Id,
    stage: oneOf(SCAN_STAGES),
    percent: Type.Integer({ minimum: 0, maximum: 100 }),
    requestedAt: Timestamp,
    finishedAt: nullable(Timestamp),
    report: nullable(
      Type.Object(
        {
          verdict: oneOf(SCAN_VERDICTS),
          findings: Type.Array(Finding),
          omitted: Type.Integer({ description: 'How many more there were.' }),
          dynamic: nullable(Dynamic),
        },
        { title: 'ScanReport' },
      ),
    ),
    acknowledged: nullable(Type.Object({ at: Timestamp, reason: Type.String() })),
  },
  { title: 'ReleaseScan' },
);

export interface ScanRoutePorts {
  scans: Pick<Scans, 'find' | 'acknowledge'>;
}

/** What was found in a release before anybody reviewed it. */
export const scanRoutes = ({ scans }: ScanRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/releases/:id/scan',
    consumer: 'Publishers',
    summary: 'How far the scan of a release is, and what it found. Publishers see those of their own releases.',
    allow: ['release:publish', 'release:review'],
    params: Type.Object({ id: Id }),
    reply: { 200: Scan },
    refuses: ['scan-unknown'],
    handle: ({ principal, params }) => scans.find(principal, params.id),
  }),
  route({
    method: 'POST',
    path: '/v1/releases/:id/scan/acknowledgement',
    consumer: 'Platform',
    summary: 'Say that the findings have been seen, and why the release may be approved all the same. Safe to repeat.',
    allow: ['release:review'],
    params: Type.Object({ id: Id }),
    body: Type.Object(
      { reason: Type.String({ minLength: 1, maxLength: 1_000 }) },
      { ...strict, title: 'ScanAcknowledgement' },
    ),
    reply: { 200: Scan },
    refuses: ['scan-unknown', 'scan-running', 'review-conflict'],
    handle: ({ principal, params, body }) => scans.acknowledge(principal, params.id, body.reason),
  }),
];
