import type { Scan } from '../../registry/index.ts';
import type { ScanRoutePorts } from '../routes/scans.ts';

type FakePort = <Args extends unknown[], Value>(name: string, value: Value) => (...args: Args) => Promise<Value>;

const AT = '2026-01-02T03:04:05.678Z';

/** A scan that is done, with one finding. */
export function fakeScans(port: FakePort): ScanRoutePorts {
  const scan: Scan = {
    releaseId: '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11',
    stage: 'done',
    percent: 100,
    requestedAt: AT,
    finishedAt: AT,
    report: {
      verdict: 'second-look',
      findings: [
        {
          family: 'dynamic-code',
          severity: 'high',
          place: { file: 'src/index.ts', line: 1, column: 1 },
          explanation: '`eval` runs text as code.',
          fix: 'Write the code down.',
          evidence: 'eval(text)',
        },
      ],
      omitted: 0,
      dynamic: null,
    },
    acknowledged: { at: AT, reason: 'It was seen.' },
  };
  return { scans: { find: port('scans.find', scan), acknowledge: port('scans.acknowledge', scan) } };
}
