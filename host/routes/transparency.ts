import { Type } from 'typebox';
import { ENTRIES_PAGE_MAX, type Transparency } from '../../registry/index.ts';
import { type Route, route } from '../http/route.ts';
import { Digest, nullable, page, pageFields, strict, Timestamp } from './fields.ts';

const Size = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const size = (description: string) => Type.Optional({ ...Size, description });

const Head = Type.Object(
  {
    size: { ...Size, description: 'How many entries.' },
    root: { ...Digest, description: 'Root of the Merkle tree over them (RFC 9162), lower-case hex.' },
    signedAt: Timestamp,
    keyId: Digest,
    signature: Type.String({
      description: 'Base64; Ed25519 over `gatehouse transparency head\\n<size>\\n<root>\\n<signedAt>\\n`.',
    }),
  },
  { title: 'SignedTreeHead' },
);

const proof = {
  entry: Type.String({ description: 'Canonical JSON: exactly what the leaf is over.' }),
  index: Size,
  path: Type.Array(Digest, { description: 'From the leaf to the root.' }),
};
const Proof = Type.Object(proof, { title: 'LogProof' });

export const Envelope = Type.Object(
  {
    payloadType: Type.String(),
    payload: Type.String({ description: 'Base64.' }),
    signatures: Type.Array(Type.Object({ keyid: Digest, sig: Type.String() })),
  },
  { title: 'SignedEnvelope', description: "DSSE, with the publisher's signature and the registry's." },
);

export const KeyLink = Type.Object(
  {
    version: Type.Literal(1),
    from: Type.String({ description: 'Ed25519, SPKI.' }),
    to: Type.String({ description: 'Ed25519, SPKI.' }),
    at: Timestamp,
    retiresAt: { ...Timestamp, description: 'Until then the old key may sign beside the new one.' },
    signatures: Type.Object({ from: Type.String(), to: Type.String() }),
  },
  {
    title: 'KeyLink',
    description:
      "The registry goes on under another key; both sign `gatehouse registry key\\n<from's id>\n<to's id>\\n<at>\\n<retiresAt>\\n`.",
  },
);

export const ReleaseProof = Type.Object(
  {
    version: Type.Literal(1),
    envelope: Envelope,
    publisherKey: Type.Object({ publicKeyPem: Type.String(), proof: Proof }),
    approval: Proof,
    head: Head,
    keys: Type.Optional(Type.Array(KeyLink)),
  },
  { title: 'ReleaseProof', description: 'Save it beside the archive: `gate verify` needs no more but the public key.' },
);

const Item = Type.Object({ index: Size, entry: Type.String() }, { title: 'LogItem' });

export interface TransparencyRoutePorts {
  transparency: Pick<
    Transparency,
    'publicKey' | 'keyLinks' | 'head' | 'entries' | 'inclusion' | 'consistency' | 'proveRelease'
  >;
}

const consumer = 'Everybody';
const allow = 'public';

/** What everybody may check, without a token. */
export const transparencyRoutes = ({ transparency }: TransparencyRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/transparency',
    consumer,
    summary:
      'The newest head of the transparency log, and the key that signs it. Compare the key with one that you got elsewhere.',
    allow,
    reply: {
      200: Type.Object(
        {
          keyId: Digest,
          publicKeyPem: Type.String({ description: 'Ed25519, SPKI.' }),
          head: Head,
          keys: Type.Array(KeyLink),
        },
        { title: 'TransparencyLog' },
      ),
    },
    refuses: ['log-inconsistent', 'signing-key-retired'],
    handle: async () => ({
      ...transparency.publicKey,
      head: await transparency.head(),
      keys: await transparency.keyLinks(),
    }),
  }),
  route({
    method: 'GET',
    path: '/v1/transparency/entries',
    consumer,
    summary: 'The entries of the log in their order, from the first one.',
    allow,
    query: Type.Object(
      {
        from: size('Index of the first one; default: 0. A cursor comes before it.'),
        cursor: pageFields.cursor,
        count: Type.Optional(Type.Integer({ minimum: 1, maximum: ENTRIES_PAGE_MAX, description: 'Default 1,000.' })),
      },
      strict,
    ),
    reply: { 200: page(Item, 'LogItems') },
    refuses: ['cursor-invalid', 'log-inconsistent'],
    handle: ({ query: { count, ...page } }) => transparency.entries({ ...page, limit: count }),
  }),
  route({
    method: 'GET',
    path: '/v1/transparency/inclusion/:index',
    consumer,
    summary: 'Prove that an entry is in the log of this size; by default in the newest one, whose head comes along.',
    allow,
    params: Type.Object({ index: Size }),
    query: Type.Object({ size: size('Default: that of the newest head.') }, strict),
    reply: { 200: Type.Object({ ...proof, size: Size, head: nullable(Head) }, { title: 'InclusionProof' }) },
    refuses: ['log-entry-unknown', 'log-inconsistent'],
    handle: ({ params, query }) => transparency.inclusion({ ...params, ...query }),
  }),
  route({
    method: 'GET',
    path: '/v1/transparency/consistency/:from',
    consumer,
    summary: 'Prove that the log of `from` entries is the beginning of that of `to`.',
    allow,
    params: Type.Object({ from: Size }),
    query: Type.Object({ to: size('Default: that of the newest head.') }, strict),
    reply: {
      200: Type.Object({ from: Size, to: Size, path: Type.Array(Digest) }, { title: 'ConsistencyProof' }),
    },
    refuses: ['log-entry-unknown', 'log-inconsistent'],
    handle: ({ params, query }) => transparency.consistency({ ...params, ...query }),
  }),
  route({
    method: 'GET',
    path: '/v1/transparency/releases/:digest',
    consumer,
    summary: "Everything that proves a release without a network, by its archive's digest.",
    allow,
    params: Type.Object({ digest: Digest }),
    reply: { 200: ReleaseProof },
    refuses: ['release-unknown', 'release-not-logged', 'log-inconsistent'],
    handle: ({ params }) => transparency.proveRelease(params.digest),
  }),
];
