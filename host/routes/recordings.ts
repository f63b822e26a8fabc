import { Type } from 'typebox';
import { RECORDING_CAUSES, type Recording, RecordingSchema } from '../../plugins-sdk/contract/recording.ts';
import { type Route, route } from '../http/route.ts';
import type { Recordings } from '../recordings/contract.ts';
import { RECORDING_CEILING, SHARES } from '../recordings/rules/settings.ts';
import { Digest, Id, nullable, oneOf, page, pageFields, strict, Timestamp } from './fields.ts';

const RecordingEntry = Type.Object(
  {
    id: Type.String({ description: 'That of the invocation.' }),
    installationId: Id,
    releaseId: Id,
    plugin: Type.String(),
    version: Type.String(),
    bundleDigest: Digest,
    at: Timestamp,
    why: oneOf(RECORDING_CAUSES),
    job: Type.String(),
    outcome: Type.String({ description: '`completed`, or the code of the fault.' }),
    redacted: Type.Boolean({ description: 'Whether values were replaced by placeholders.' }),
    bytes: Type.Integer({ description: 'As it is stored, compressed.' }),
  },
  { title: 'RecordingEntry' },
);

const upTo = (maximum: number, minimum: number, description: string) => Type.Integer({ minimum, maximum, description });

const settings = {
  failures: Type.Boolean({ description: 'Whether failures are recorded by themselves.' }),
  sampleRate: Type.Number({ minimum: 0, maximum: 1, description: 'Part of all invocations that is recorded.' }),
  countPerDay: upTo(RECORDING_CEILING.countPerDay, 0, 'Recordings a day (UTC), for each cause by itself.'),
  bytesPerDay: upTo(RECORDING_CEILING.bytesPerDay, 0, 'Compressed bytes a day (UTC), for each cause by itself.'),
  keepDays: upTo(RECORDING_CEILING.keepDays, 1, 'Days that a recording is kept.'),
  keepBytes: upTo(RECORDING_CEILING.keepBytes, 0, 'Compressed bytes of all recordings; the oldest go first.'),
  share: oneOf(SHARES, "Which recordings the plugin's publisher may see."),
};
const RecordingSettings = Type.Object(settings, { title: 'RecordingSettings' });
const Change = Type.Partial(Type.Object(settings), { ...strict, minProperties: 1, title: 'RecordingSettingsChange' });

const Bundle = Type.Object({ code: Type.String(), sourceMap: nullable(Type.String()) }, { title: 'Bundle' });
const ById = Type.Object({ id: Id });

export interface RecordingPorts {
  recordings: Recordings;
}

/** Recorded invocations, to be run again by `gate replay`. */
export const recordingRoutes = ({ recordings }: RecordingPorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/installations/:id/recordings',
    consumer: 'Operators and publishers',
    summary: 'Recorded invocations of an installation, newest first.',
    allow: ['recording:read'],
    params: ById,
    query: Type.Object(pageFields, strict),
    reply: { 200: page(RecordingEntry, 'RecordingEntries') },
    refuses: ['installation-unknown', 'recordings-not-shared', 'cursor-invalid'],
    handle: ({ principal, params, query }) => recordings.list(principal, params.id, query),
  }),
  route({
    method: 'GET',
    path: '/v1/installations/:id/recording-settings',
    consumer: 'Operators and publishers',
    summary: 'What is recorded of an installation, how long it is kept, and who sees it.',
    allow: ['recording:read'],
    params: ById,
    reply: { 200: RecordingSettings },
    refuses: ['installation-unknown'],
    handle: ({ principal, params }) => recordings.settings(principal, params.id),
  }),
  route({
    method: 'PATCH',
    path: '/v1/installations/:id/recording-settings',
    consumer: 'Operators and publishers',
    summary: 'Change what is recorded. Publishers: the sample rate alone, where everything is shared with them.',
    allow: ['recording:configure'],
    params: ById,
    body: Change,
    reply: { 200: RecordingSettings },
    refuses: ['installation-unknown'],
    handle: ({ principal, params, body }) => recordings.configure(principal, params.id, body),
  }),
  route({
    method: 'GET',
    path: '/v1/recordings/:id',
    consumer: 'Operators and publishers',
    summary: 'What is known of a recording. Its id is that of the invocation.',
    allow: ['recording:read'],
    params: ById,
    reply: { 200: RecordingEntry },
    refuses: ['recording-unknown'],
    handle: ({ principal, params }) => recordings.find(principal, params.id),
  }),
  route({
    method: 'GET',
    path: '/v1/recordings/:id/content',
    consumer: 'Operators and publishers',
    summary: 'The recording itself, for `gate replay`.',
    allow: ['recording:read'],
    params: ById,
    reply: { 200: Type.Unsafe<Recording>({ ...RecordingSchema, title: 'Recording' }) },
    refuses: ['recording-unknown'],
    handle: ({ principal, params }) => recordings.read(principal, params.id),
  }),
  route({
    method: 'GET',
    path: '/v1/recordings/:id/bundle',
    consumer: 'Publishers',
    summary: 'The code that ran when it was recorded, for its publisher alone.',
    allow: ['recording:read'],
    params: ById,
    reply: { 200: Bundle },
    refuses: ['recording-unknown', 'release-unknown'],
    handle: ({ principal, params }) => recordings.bundle(principal, params.id),
  }),
  route({
    method: 'DELETE',
    path: '/v1/recordings/:id',
    consumer: 'Operators',
    summary: 'Delete a recording.',
    allow: ['recording:delete'],
    params: ById,
    reply: { 204: null },
    refuses: ['recording-unknown'],
    handle: async ({ principal, params }) => {
      await recordings.remove(principal, params.id);
      return undefined;
    },
  }),
];
