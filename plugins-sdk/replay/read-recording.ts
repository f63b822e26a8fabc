import { Ajv, type ValidateFunction } from 'ajv';
import { type DocumentFault, documentFaults, OWN_SCHEMAS } from '../contract/index.ts';
import { RECORDING_FORMAT, type Recording, RecordingSchema } from '../contract/recording.ts';

/** The text is no recording; `faults` names every reason that was found. */
export class RecordingInvalid extends Error {
  override name = 'RecordingInvalid';
  readonly faults: DocumentFault[];
  constructor(message: string, faults: DocumentFault[] = []) {
    super(message);
    this.faults = faults;
  }
}

/** Compiled when it is first used: few commands of `gate` read one. */
let compiled: ValidateFunction<Recording> | undefined;

/** Reads a recording, which may come from a stranger. Throws RecordingInvalid. */
export function readRecording(json: string): Recording {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new RecordingInvalid(`It is not JSON: ${(error as Error).message}`);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (format !== RECORDING_FORMAT) {
    throw new RecordingInvalid(`Its format is ${JSON.stringify(format)}, not "${RECORDING_FORMAT}".`);
  }
  compiled ??= new Ajv({ allErrors: true, ...OWN_SCHEMAS }).compile<Recording>(RecordingSchema);
  const fits = compiled;
  if (!fits(value)) throw new RecordingInvalid('It does not fit the format.', documentFaults(fits.errors ?? []));
  const outOfRange = value.turns.findIndex(({ seq }) => (value.calls[seq - 1]?.result ?? null) === null);
  if (outOfRange >= 0) {
    throw new RecordingInvalid('It does not fit the format.', [
      { pointer: `/turns/${outOfRange}/seq`, message: 'names no call with a result' },
    ]);
  }
  return value;
}
