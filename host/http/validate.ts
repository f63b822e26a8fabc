import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import type { TSchema } from 'typebox';
import { type DocumentFault, documentFaults, OWN_SCHEMAS } from '../../plugins-sdk/contract/index.ts';
import { HostRefusal } from '../errors.ts';

const dateTime = formats.default.get('date-time') as { validate(text: string): boolean };
/** Also a time that can be computed with: RFC 3339 knows seconds that are the sixtieth, and neither Date nor PostgreSQL does. */
const isTime = (text: string): boolean => dateTime.validate(text) && !Number.isNaN(Date.parse(text));

const withFormats = (ajv: Ajv): Ajv =>
  formats.default(ajv, ['date-time', 'uuid']).addFormat('date-time', { type: 'string', validate: isTime });
const thorough = withFormats(new Ajv({ allErrors: true, ...OWN_SCHEMAS }));
const brief = withFormats(new Ajv({ ...OWN_SCHEMAS }));
const coercing = withFormats(new Ajv({ allErrors: true, ...OWN_SCHEMAS, coerceTypes: true }));

/** Above this size only the first fault is named: a hostile body could otherwise cost a fault object per byte. */
const THOROUGH_BYTES_MAX = 64 * 1024;
const FAULTS_MAX = 50;

/** Checks parsed bodies against a schema. The check refuses with: body-invalid. */
export function bodyValidator(schema: TSchema): (body: unknown, bodyBytes: number) => void {
  const all = compiled(thorough, schema);
  const first = compiled(brief, schema);
  return (body, bodyBytes) => {
    const validate = bodyBytes <= THOROUGH_BYTES_MAX ? all() : first();
    if (!validate(body)) throw new HostRefusal('body-invalid', undefined, { faults: faultsOf(validate) });
  };
}

type Fields = Record<string, unknown>;

/** Reads path parameters and query; both come as text, so numbers and booleans are converted. Refuses with: query-invalid. */
export function addressReader(
  params: TSchema | undefined,
  query: TSchema | undefined,
): (pathParams: Record<string, string>, search: string) => { params?: Fields; query?: Fields } {
  const pathCheck = params && compiled(coercing, params);
  const queryCheck = query && compiled(coercing, query);
  return (pathParams, search) => {
    const fitsPath = pathCheck?.();
    const fitsQuery = queryCheck?.();
    const faults: DocumentFault[] = [];
    const given: Fields = { ...pathParams };
    if (fitsPath && !fitsPath(given)) faults.push(...faultsOf(fitsPath, '/path'));
    const asked = fitsQuery ? searchFields(search, faults) : undefined;
    if (fitsQuery && !fitsQuery(asked)) faults.push(...faultsOf(fitsQuery, '/query'));
    if (faults.length > 0) throw new HostRefusal('query-invalid', undefined, { faults });
    return { params: fitsPath && given, query: asked };
  };
}

/** Checks are written when they are first needed: those of all routes are 2 MB of code, of which a host uses little. */
function compiled(ajv: Ajv, schema: TSchema): () => ValidateFunction<Fields> {
  let validate: ValidateFunction<Fields> | undefined;
  return () => {
    validate ??= ajv.compile<Fields>(schema);
    return validate;
  };
}

function searchFields(search: string, faults: DocumentFault[]): Fields {
  const fields: Fields = Object.create(null);
  for (const [name, value] of new URLSearchParams(search)) {
    if (name in fields) faults.push({ pointer: `/query/${name}`, message: 'is given twice' });
    fields[name] = value;
  }
  return fields;
}

const faultsOf = (validate: ValidateFunction, prefix = ''): DocumentFault[] =>
  documentFaults(validate.errors ?? [])
    .slice(0, FAULTS_MAX)
    .map(({ pointer, message }) => ({ pointer: prefix + pointer, message }));
