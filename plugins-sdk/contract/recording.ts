import { type Static, type TSchema, Type } from 'typebox';
import { PLUGIN_FAULTS, type PluginFault, type PluginFaultCode } from './errors.ts';
import { LimitsSchema } from './limits.ts';

export const RECORDING_FORMAT = 'gatehouse-recording/1';

/** As JSON text; an invocation that says more is not recorded. */
export const RECORDING_BYTES_MAX = 2 * 1024 * 1024;

/** Why an invocation was recorded: its caller asked for it, it was drawn as a sample, or it failed. */
export const RECORDING_CAUSES = ['requested', 'sampled', 'failed'] as const;
export type RecordingCause = (typeof RECORDING_CAUSES)[number];

/**
 * JSON pointers to personal values, as the manifest names them. The first member says where: `/body`, `/query`, `/headers`,
 * `/params` of a request, `/payload` of a hook, `/config`, or `/results/<call>` for what a host call such as `kv.get` answered.
 * `*` stands for every member or element.
 */
export const PERSONAL_PATTERN =
  '^/(?:body|query|headers|params|payload|config|results/[a-z]+\\.[A-Za-z]+)(?:/[^/\\u0000-\\u001f]{1,64}){0,8}$';

const strict = { additionalProperties: false };
const Text = Type.String();
const Hex64 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Count = Type.Number({ minimum: 0 });
const oneOf = <Name extends string>(names: readonly Name[]) =>
  Type.Unsafe<Name>(Type.Union(names.map((name) => Type.Literal(name))));
const nullable = <Schema extends TSchema>(schema: Schema) =>
  Type.Unsafe<Static<Schema> | null>(Type.Union([schema, Type.Null()]));

const Call = Type.Object(
  {
    name: Type.String({ maxLength: 128 }),
    args: Text,
    result: nullable(Type.Object({ ok: Type.Boolean(), json: Text }, strict)),
  },
  strict,
);

const Fault = Type.Unsafe<PluginFault>(
  Type.Object(
    {
      code: oneOf(Object.keys(PLUGIN_FAULTS) as PluginFaultCode[]),
      message: Text,
      name: Type.Optional(Text),
      stack: Type.Optional(Text),
      limit: Type.Optional(Text),
      allowed: Type.Optional(Type.Number()),
      used: Type.Optional(Type.Number()),
      lastHostCall: Type.Optional(Text),
    },
    strict,
  ),
);

/** One invocation with everything that it depends on: what `gate replay` runs again. */
export const RecordingSchema = Type.Object(
  {
    format: Type.Literal(RECORDING_FORMAT),
    /** That of the invocation; names a file. */
    id: Type.String({ pattern: '^[0-9A-Za-z_-]{1,64}$' }),
    recordedAt: Text,
    why: oneOf(RECORDING_CAUSES),
    plugin: Text,
    version: Text,
    /** SHA-256 of the bundle's code. */
    bundleDigest: Hex64,
    installation: Type.Object({ id: Text, slug: Text, operator: Text }, strict),
    /** `GET /orders/:id`, `hook order.paid`, `schedule tidy` and the like. */
    job: Text,
    /** `guest` is the SHA-256 of the guest runtime: where it or `v8` differs, a replay may differ too. */
    engine: Type.Object({ gatehouse: Text, node: Text, v8: Text, guest: Hex64 }, strict),
    invocation: Type.Object(
      {
        /** A GuestInput as JSON. */
        input: Text,
        seed: Hex64,
        /** Milliseconds since 1970: the clock of the first turn. */
        startedAtMs: Type.Number(),
        limits: LimitsSchema,
      },
      strict,
    ),
    /** Host calls and timers in the order in which they were made; `result` is null where none came in time. */
    calls: Type.Array(Call),
    /** The turns after the first: the call whose result caused it (from 1), and the clock that it showed. */
    turns: Type.Array(Type.Object({ seq: Type.Integer({ minimum: 1 }), nowMs: Type.Number() }, strict)),
    logs: Type.Array(
      Type.Object(
        { source: oneOf(['console', 'log']), level: oneOf(['debug', 'info', 'warn', 'error']), json: Text },
        strict,
      ),
    ),
    outcome: Type.Union([
      /** A GuestOutput as JSON. */
      Type.Object({ status: Type.Literal('completed'), output: Text }, strict),
      Type.Object({ status: Type.Literal('faulted'), fault: Fault }, strict),
    ]),
    usage: Type.Object({ cpuMs: Count, wallMs: Count, executions: Count }, strict),
    /**
     * What was replaced by placeholders before it was stored. The plugin gets the placeholders in a replay, so a divergence may
     * come from there. Null where nothing was.
     */
    redacted: nullable(
      Type.Object({ values: Type.Integer({ minimum: 1 }), places: Type.Array(Text), note: Text }, strict),
    ),
    /** The code that ran; only where it was asked for. */
    bundle: Type.Optional(Type.Object({ code: Text, sourceMap: nullable(Text) }, strict)),
  },
  strict,
);

export type Recording = Static<typeof RecordingSchema>;

export const REDACTION_NOTE =
  'Values were replaced by placeholders before this was stored. A replay gives the plugin the placeholders, so a divergence may come from there.';
