import { Ajv } from 'ajv';
import { Type } from 'typebox';
import {
  type CapabilityRefusalCode,
  type Limits,
  OWN_SCHEMAS,
  PIECE_BYTES_MAX,
  type StreamCallName,
  type WireResponse,
} from '../../plugins-sdk/contract/index.ts';
import type { HostCallRequest, HostCallResult } from '../../sandbox/index.ts';
import { HostRefusal } from '../errors.ts';
import { type BodyEnds, PluginFaultError } from './contract.ts';
import { wireBody } from './plugin-request.ts';

const strict = { additionalProperties: false } as const;
const ajv = new Ajv(OWN_SCHEMAS);
const fitsStart = ajv.compile<Pick<WireResponse, 'status' | 'headers'>>(
  Type.Object(
    {
      status: Type.Integer({ minimum: 200, maximum: 599 }),
      headers: Type.Array(Type.Array(Type.String(), { minItems: 2, maxItems: 2 }), { maxItems: 1_000 }),
    },
    strict,
  ),
);
const fitsWrite = ajv.compile<{ piece: string }>(
  Type.Object({ piece: Type.String({ maxLength: Math.ceil(PIECE_BYTES_MAX / 3) * 4 }) }, strict),
);

/** The stream calls of one invocation. The guest keeps the same order and sizes, but a plugin shares its isolate. */
export class BodyStreams {
  readonly #invocationId: string;
  readonly #limits: Pick<Limits, 'outputBytes'>;
  readonly #ends: BodyEnds;
  readonly #gathered: Buffer[] = [];
  #head: Pick<WireResponse, 'status' | 'headers'> | null = null;
  #bytes = 0;

  constructor(invocationId: string, limits: Pick<Limits, 'outputBytes'>, ends: BodyEnds) {
    this.#invocationId = invocationId;
    this.#limits = limits;
    this.#ends = ends;
  }

  /** How much of the answer was written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What was answered; without a body where that has been sent. Null where nothing was. */
  get response(): WireResponse | null {
    if (this.#head === null) return null;
    return { ...this.#head, ...wireBody(Buffer.concat(this.#gathered)) };
  }

  /** Never rejects. */
  async answer(name: StreamCallName, { args }: HostCallRequest): Promise<HostCallResult> {
    try {
      const given: unknown = JSON.parse(args);
      if (name === 'request.read') return await this.#read();
      if (name === 'response.start') return this.#start(given);
      return await this.#write(given);
    } catch (error) {
      if (error instanceof HostRefusal) return refused('body-unreadable', error.message);
      if (error instanceof PluginFaultError) return refused('capability-arguments-invalid', error.message);
      return refused('capability-unavailable', 'The body cannot be passed on.');
    }
  }

  async #read(): Promise<HostCallResult> {
    const { read } = this.#ends;
    if (!read) return refused('body-unreadable', 'The body of the request does not come in pieces.');
    const piece = await read();
    return { ok: true, json: piece === null ? '{"piece":null}' : `{"piece":"${piece.toString('base64')}"}` };
  }

  #start(given: unknown): HostCallResult {
    if (!fitsStart(given) || this.#head !== null)
      return refused('capability-arguments-invalid', 'No start of an answer.');
    this.#ends.answer?.start(this.#invocationId, given);
    this.#head = given;
    return DONE;
  }

  async #write(given: unknown): Promise<HostCallResult> {
    if (!fitsWrite(given) || this.#head === null)
      return refused('capability-arguments-invalid', 'No piece of an answer.');
    const piece = Buffer.from(given.piece, 'base64');
    this.#bytes += piece.length;
    if (this.#bytes > this.#limits.outputBytes) {
      return refused('capability-arguments-invalid', `The answer is longer than ${this.#limits.outputBytes} bytes.`);
    }
    if (this.#ends.answer) await this.#ends.answer.write(piece);
    else this.#gathered.push(piece);
    return DONE;
  }
}

const DONE: HostCallResult = { ok: true, json: 'null' };
const refused = (code: CapabilityRefusalCode, message: string): HostCallResult => ({
  ok: false,
  json: JSON.stringify({ code, message }),
});
