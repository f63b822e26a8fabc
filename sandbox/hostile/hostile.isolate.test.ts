import { expect } from 'chai';
import { attackerOf, blamedWrongly, mayKill, runAttack, runAttackInStorm } from './check-ends.ts';
import { readCorpus } from './corpus.ts';
import { expectUnharmed, openNeighbour } from './neighbour.ts';
import { openRig, type Rig } from './rig.ts';

const corpus = await readCorpus();
/** Together they keep two cores busy for a minute, and nobody may be refused for having to wait. */
const PATIENT_WALL_MS = 600_000;

describe('The hostile corpus', () => {
  it('has at least 120 attacks, of every family', () => {
    expect(corpus.length).to.be.at.least(120);
    expect([...new Set(corpus.map(({ name }) => name.split('/')[0]))]).to.deep.equal([
      'bodies',
      'coercion',
      'cpu',
      'host-calls',
      'loader',
      'memory',
      'outside',
      'pollution',
      'promises',
      'protocol',
      'tenants',
      'thrown',
      'walks',
    ]);
  });
});

describe('One by one, while its neighbours get their answers, a plugin ends as it must that', () => {
  let rig: Rig;
  const neighbours: ReturnType<typeof openNeighbour>[] = [];
  before(async () => {
    rig = await openRig();
    neighbours.push(...['east', 'west', 'north', 'south'].map((name) => openNeighbour(rig, name)));
  });
  after(() => rig.close());

  for (const attack of corpus) {
    it(`${attack.that} (${attack.name})`, async () => {
      const deathsBefore = rig.deaths.length;
      const asked = neighbours.map(({ ask }) => ask());
      await runAttack(rig, attack);
      await Promise.all(asked);
      for (const neighbour of neighbours) expectUnharmed(neighbour);
      const culprits = new Set(mayKill(attack) ? [attackerOf(attack)] : []);
      expect(blamedWrongly(rig.deaths.slice(deathsBefore), culprits), 'blamed').to.deep.equal([]);
    });
  }
});

describe('All at once', () => {
  it('all attacks end as they must, honest neighbours get every answer, and only culprits are blamed', async function () {
    this.timeout(600_000);
    const rig = await openRig({ cordons: 4 });
    try {
      const neighbours = ['east', 'west', 'north', 'south'].map((name) => openNeighbour(rig, name));
      let attacking = true;
      const polled = neighbours.map(async ({ ask }) => {
        while (attacking) await ask();
      });
      const results = await Promise.allSettled(corpus.map((attack) => runAttackInStorm(rig, attack, PATIENT_WALL_MS)));
      attacking = false;
      await Promise.all(polled);

      const failures = results.flatMap((result, at) =>
        result.status === 'rejected' ? [`${corpus[at]!.name}: ${String(result.reason)}`] : [],
      );
      expect(failures, 'attacks that ended otherwise').to.deep.equal([]);
      for (const neighbour of neighbours) {
        expectUnharmed(neighbour);
        expect(neighbour.tally.answered, 'honest answers').to.be.greaterThan(0);
      }
      const culprits = new Set(corpus.filter(mayKill).map(attackerOf));
      expect(blamedWrongly(rig.deaths, culprits), 'blamed').to.deep.equal([]);
    } finally {
      await rig.close();
    }
  });
});
