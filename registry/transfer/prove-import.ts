import type { KeyObject } from 'node:crypto';
import {
  type CheckedExport,
  checkReleaseExport,
  isStatusBy,
  keyIdOf,
  type ReleaseExport,
  type ReleaseStatement,
  type ReleaseStatus,
  type TrustedKey,
  trustedKeys,
} from '../../plugins-sdk/contract/index.ts';
import { RegistryRefusal } from '../errors.ts';
import { isEnvelope } from '../rules/release-signatures.ts';

export interface ProvenImport {
  /** Of the root that it was proven with. */
  rootKeyId: string;
  /** The keys of that registry, as they follow from the root. */
  keys: readonly TrustedKey[];
  status: ReleaseStatus;
  checked: CheckedExport;
}

/**
 * Proves an export with one of the registries that are trusted here; none is ever taken from the export itself. By a key that has retired
 * since it counts for nothing: whoever stole it could set a clock back. Refuses with: import-untrusted, import-unproven (`faults` says
 * which parts).
 */
export function proveImport(
  brought: { found: ReleaseStatement; archive: Buffer; exported: ReleaseExport },
  trustRoots: readonly KeyObject[],
  nowMs: number,
): ProvenImport {
  if (trustRoots.length === 0) throw new RegistryRefusal('import-untrusted');
  const failed = ({ steps }: CheckedExport) => steps.filter(({ passed }) => !passed);
  let best: CheckedExport | null = null;
  for (const root of trustRoots) {
    const checked = withoutRetired(checkReleaseExport(brought, brought.exported, root), brought.exported, root, nowMs);
    const { status } = checked;
    if (checked.passed && status !== null && isWhole(brought.exported, status)) {
      return { rootKeyId: keyIdOf(root), keys: trustedKeys(root, brought.exported.keys), status, checked };
    }
    if (best === null || failed(checked).length < failed(best).length) best = checked;
  }
  const faults = failed(best!).map(({ step, message }) => ({ part: step, message }));
  const first = faults[0]?.message ?? 'The parts of the export do not belong together.';
  throw new RegistryRefusal('import-unproven', `The export proves nothing: ${first}`, { faults });
}

/** The check, failed where nobody signed the status who signs now. */
function withoutRetired(
  checked: CheckedExport,
  exported: ReleaseExport,
  root: KeyObject,
  nowMs: number,
): CheckedExport {
  const present = trustedKeys(root, exported?.keys).filter(({ untilMs }) => nowMs < untilMs);
  if (!checked.passed || isStatusBy(exported.status, present)) return checked;
  const message = 'The key that signed the status has retired since; export the release anew.';
  const steps = checked.steps.map((each) => (each.step === 'status' ? { ...each, passed: false, message } : each));
  return { ...checked, steps, passed: false };
}

/** Whether the parts that were proven one by one are about one key. */
const isWhole = ({ proof }: ReleaseExport, { publisherKey }: ReleaseStatus): boolean =>
  isEnvelope(proof.envelope) && proof.envelope.signatures.some(({ keyid }) => keyid === publisherKey.keyId);

/** Whether what was kept of an import still proves the release: asked at every load. */
export const stillProven =
  (trustRoots: readonly KeyObject[], evidenceOf: (releaseId: string) => Promise<ReleaseExport | null>) =>
  async (releaseId: string, found: ReleaseStatement, archive: Buffer): Promise<boolean> => {
    const exported = await evidenceOf(releaseId);
    return (
      exported !== null && trustRoots.some((root) => checkReleaseExport({ found, archive }, exported, root).passed)
    );
  };
