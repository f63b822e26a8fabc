import { sha256Hex } from '../../plugins-sdk/contract/index.ts';
import type { Release } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import { may } from '../rules/token-rights.ts';
import { compareVersions } from '../rules/version.ts';
import { type ApprovePorts, approveIn } from './approve-release.ts';
import type { ReviewRound, Reviews } from './contract.ts';
import type { ReviewedRelease, ReviewStores } from './review-ports.ts';
import { againstAutomatic } from './rules/approve-automatically.ts';
import {
  type ComparedRelease,
  compareWithPrevious,
  type ReleaseComparison,
  type ScanFinding,
} from './rules/compare-with-previous.ts';

export interface DescribeStores extends Pick<ReviewStores, 'reviews' | 'filesOf'> {
  findRelease(releaseId: string): Promise<ReviewedRelease | null>;
  /** Releases of the plugin that were ever published. */
  publishedOf(pluginId: string): Promise<{ id: string; version: string }[]>;
  /** What the scan found; null where there was none. */
  findingsOf(releaseId: string): Promise<ScanFinding[] | null>;
}

/** As its publisher sees it: what moderators keep among themselves is left out. */
const forPublisher = (round: ReviewRound): ReviewRound => ({
  ...round,
  assignedTo: null,
  decidedBy: null,
  checklist: {},
});

export const findReview =
  (stores: DescribeStores): Reviews['find'] =>
  async (actor, releaseId) => {
    const found = isUuid(releaseId) ? await stores.findRelease(releaseId) : null;
    const reviews = may(actor, 'release:review');
    if (found === null || !(reviews || found.publisherId === actor.organisation.id))
      throw new RegistryRefusal('release-unknown');
    const rounds = await stores.reviews.rounds(releaseId);
    if (!reviews)
      return { release: found.release, rounds: rounds.map(forPublisher), comparison: null, notAutomatic: [] };
    const judged = await judge(stores, found, rounds);
    const waits = found.release.state === 'in-review';
    return { release: found.release, rounds, comparison: judged.comparison, notAutomatic: waits ? judged.against : [] };
  };

async function judge(
  stores: DescribeStores,
  { release, pluginId, publisherId }: ReviewedRelease,
  rounds: readonly ReviewRound[],
): Promise<{ comparison: ReleaseComparison; against: string[] }> {
  const older = (await stores.publishedOf(pluginId))
    .filter(({ version }) => compareVersions(version, release.version) < 0)
    .sort((left, right) => compareVersions(right.version, left.version));
  const before = older[0] && (await stores.findRelease(older[0].id));
  const compared = await readCompared(stores, release);
  const comparison = compareWithPrevious(before ? await readCompared(stores, before.release) : null, compared);
  const against = againstAutomatic({
    trusted: await stores.reviews.isTrusted(publisherId),
    round: rounds[0]?.round ?? 1,
    version: release.version,
    comparison,
    findings: compared.findings,
  });
  return { comparison, against };
}

async function readCompared(
  { filesOf, findingsOf }: DescribeStores,
  { id, version, manifest }: Release,
): Promise<ComparedRelease> {
  const files = [...(await filesOf(id))].map(
    ([name, bytes]) => [name, { sha256: sha256Hex(bytes), bytes: bytes.length }] as const,
  );
  return { version, manifest, files: new Map(files), findings: await findingsOf(id) };
}

/** What speaks against it is looked at once more while nobody else can change the release. */
export const considerAutomatic =
  (ports: ApprovePorts & { describe: DescribeStores }): Reviews['considerAutomatic'] =>
  async (releaseId) => {
    const seen = isUuid(releaseId) ? await ports.describe.findRelease(releaseId) : null;
    // Reading two archives is for those whom it may help.
    if (seen?.release.state !== 'in-review' || !(await ports.describe.reviews.isTrusted(seen.publisherId)))
      return false;
    return ports
      .systemTransaction(async (stores) => {
        const found = await stores.lockRelease(releaseId);
        if (found?.release.state !== 'in-review') return false;
        const rounds = await stores.reviews.rounds(releaseId);
        const { against } = await judge({ ...ports.describe, reviews: stores.reviews }, found, rounds);
        const [round] = rounds;
        if (against.length > 0 || !round || round.assignedTo !== null) return false;
        await approveIn(ports, stores, { actor: { via: 'system', part: 'reviews' }, found, round });
        return true;
      })
      .catch((error) => {
        // Its key was revoked meanwhile: people see that when they look.
        if (error instanceof RegistryRefusal) return false;
        throw error;
      });
  };
