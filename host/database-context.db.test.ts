import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { v7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../migrations/test-database.ts';
import { type Database, openDatabase } from './database.ts';
import { type DatabaseContext, inContext, keepContext } from './database-context.ts';
import { preparedStatement } from './prepared-statement.ts';

describe('the context of the database', () => {
  let server: TestDatabase;
  /** Fewer connections than there are requests, so that they change hands all the time. */
  let database: Database;
  let statement: () => Promise<{ owner: string }[]>;
  const organisations = [v7(), v7(), v7()];
  const as = (organisationId: string): DatabaseContext => ({ accountId: null, organisationId, role: 'operator-owner' });
  const ownersSeen = () => database.scoped('api_tokens').distinct('organisation_id').pluck('organisation_id');

  before(async () => {
    server = await testDatabase();
    database = await openDatabase({ appUrl: server.appUrl, scopedPoolMax: 2 });
    statement = () =>
      preparedStatement<{ owner: string }>(
        database.scoped,
        'owners',
        'SELECT DISTINCT organisation_id AS owner FROM api_tokens',
      )({});
    for (const [index, id] of organisations.entries()) {
      await server.knex('organisations').insert({ id, slug: `org-${index}`, kind: 'operator', name: 'x' });
      await server.knex('api_tokens').insert(token(id, index));
    }
  });
  after(async () => {
    await database.close();
    await server.close();
  });
  const token = (organisation_id: string, index: number) => ({
    id: v7(),
    organisation_id,
    role: 'operator-owner',
    label: 'x',
    secret_sha256: Buffer.alloc(32, index),
  });

  /** One thing that a request may do; tells whose rows it saw. */
  const ACTS: Record<string, (organisation: string) => Promise<string[]>> = {
    query: ownersSeen,
    raw: async () =>
      (await database.scoped.raw('select distinct organisation_id as owner from api_tokens')).rows.map(
        ({ owner }: { owner: string }) => owner,
      ),
    prepared: async () => (await statement()).map(({ owner }) => owner),
    transaction: () =>
      database.scoped.transaction(async (transaction) => {
        await transaction('api_tokens').update({ label: 'y' });
        return transaction('api_tokens').distinct('organisation_id').pluck('organisation_id');
      }),
    'rolled back': async () => {
      const failed = database.scoped.transaction(async (transaction) => {
        await transaction('api_tokens').update({ label: 'z' });
        await transaction.raw('select 1 / 0');
      });
      expect((await failed.catch((error) => error)).code).to.equal('22012');
      return ownersSeen();
    },
    fails: async () => {
      expect((await database.scoped.raw('select nothing').catch((error) => error)).code).to.equal('42703');
      return ownersSeen();
    },
    'writes for another': async (organisation) => {
      const other = organisations.find((id) => id !== organisation)!;
      const written = await database
        .scoped('api_tokens')
        .insert(token(other, 99))
        .catch((error) => error.code);
      expect(written).to.equal('42501');
      expect(await database.scoped('api_tokens').where({ organisation_id: other }).update({ label: 'taken' })).to.equal(
        0,
      );
      return ownersSeen();
    },
  };

  it('never shows a foreign row, whoever had the connection before and however that ended', async () => {
    const request = fc.record({ who: fc.nat(organisations.length - 1), act: fc.constantFrom(...Object.keys(ACTS)) });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 24 }), async (requests) => {
        await Promise.all(
          requests.map(async ({ who, act }) => {
            const own = organisations[who]!;
            expect(await inContext(as(own), () => ACTS[act]!(own)), act).to.deep.equal([own]);
          }),
        );
        expect(await ownersSeen(), 'outside of a context').to.deep.equal([]);
      }),
      { numRuns: 25 },
    );
  });

  it('gives the next one another connection where one has ended unnoticed', async () => {
    for (const [index, own] of organisations.entries()) {
      const next = organisations[(index + 1) % organisations.length]!;
      const ended = inContext(as(own), () => database.scoped.raw('select pg_terminate_backend(pg_backend_pid())'));
      expect((await ended.catch((error) => error)).code).to.equal('57P01');
      expect(await inContext(as(next), ownersSeen)).to.deep.equal([next]);
    }
  });

  it('shows nothing to somebody outside of a context, and lets nothing be written', async () => {
    expect(await ownersSeen()).to.deep.equal([]);
    const code = await database
      .scoped('api_tokens')
      .insert(token(organisations[0]!, 98))
      .catch((error) => error.code);
    expect(code).to.equal('42501');
  });

  it('shows everything to the host, whose pool nobody else is given, in whatever context it works', async () => {
    const seen = await inContext(as(organisations[0]!), () => database.system('api_tokens').pluck('organisation_id'));
    expect([...seen].sort()).to.deep.equal([...organisations].sort());
  });

  it('gives nobody the role of the host', () => {
    const claimed = () => inContext({ accountId: null, organisationId: null, role: 'system' }, ownersSeen);
    expect(claimed).to.throw('Nobody acts with the role "system"');
  });

  it('holds for a query that somebody else waits for, and for a function that is kept', async () => {
    const lazy = inContext(as(organisations[1]!), () => database.scoped('api_tokens').pluck('organisation_id'));
    expect(await lazy).to.deep.equal([organisations[1]]);
    const kept = inContext(as(organisations[2]!), () => keepContext(ownersSeen));
    const stream = Readable.from(
      (async function* () {
        yield await kept();
      })(),
    );
    const chunks = inContext(as(organisations[0]!), () => stream.toArray());
    expect(await chunks).to.deep.equal([[organisations[2]]]);
    expect(await inContext(as(organisations[0]!), keepContext(ownersSeen))).to.deep.equal([]);
  });

  it('tells the database only when a connection changes hands', async () => {
    const single = await openDatabase({ appUrl: server.appUrl, scopedPoolMax: 1, poolMax: 1 });
    try {
      const told = async (knex: typeof single.scoped) => {
        const { rows } = await knex.raw(
          `select calls from (select generic_plans + custom_plans as calls from pg_prepared_statements where name = 'gatehouse-context') as t`,
        );
        return Number(rows[0].calls);
      };
      const ask = (who: number) => inContext(as(organisations[who]!), () => told(single.scoped));
      expect([await ask(0), await ask(0), await ask(1), await ask(1), await ask(0)]).to.deep.equal([1, 1, 2, 2, 3]);
      expect([await told(single.system), await told(single.system)]).to.deep.equal([1, 1]);
    } finally {
      await single.close();
    }
  });

  it('does not use a connection that was left within a transaction', async () => {
    const single = await openDatabase({ appUrl: server.appUrl, scopedPoolMax: 1 });
    try {
      await inContext(as(organisations[0]!), () => single.scoped.raw('begin'));
      const seen = await inContext(as(organisations[1]!), () => single.scoped('api_tokens').pluck('organisation_id'));
      expect(seen).to.deep.equal([organisations[1]]);
    } finally {
      await single.close();
    }
  });
});
