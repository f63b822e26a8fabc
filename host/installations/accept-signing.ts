import { HostRefusal } from '../errors.ts';
import { line } from '../rollouts/describe-rollout.ts';
import type { Installations } from './contract.ts';
import { unacceptedWeaknesses } from './guard-signing.ts';
import { type MovePorts, write } from './move-release.ts';
import { withLease } from './with-lease.ts';

/** Lets one release come to one installation although it is signed more weakly; nothing is updated by that. */
export const acceptSigning =
  (ports: MovePorts): Installations['acceptSigning'] =>
  async (actor, id, { version, reason }) => {
    const found = await ports.store.byId(id);
    if (found === null || found.operator.id !== actor.organisation.id) throw new HostRefusal('installation-unknown');
    const { release } = await ports.registry.resolveRelease(actor, { plugin: found.plugin, version });
    const accepted = await withLease(ports, id, async ({ installation, revision }) => {
      const weaknesses = await unacceptedWeaknesses(ports, installation, release);
      if (weaknesses.length === 0) return installation;
      const known = await ports.rollouts.acceptedWeaknesses(id, release.id);
      const kinds = weaknesses.map(({ kind }) => kind);
      const text = `${release.version} may come although it is signed more weakly (${kinds.join(', ')}): ${reason}`;
      const facts = { fromVersion: installation.version, toVersion: release.version, weaknesses: kinds, reason };
      await write(ports, {
        installationId: id,
        revision,
        atMs: ports.nowMs(),
        accept: { releaseId: release.id, weaknesses: [...(known as typeof kinds), ...kinds], reason },
        lines: [line(text, 'signing-accepted', facts, 'warn')],
      });
      return ports.store.byId(id);
    });
    if (accepted === null) throw new HostRefusal('installation-unknown');
    return accepted;
  };
