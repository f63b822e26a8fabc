/**
 * Options of Ajv for schemas of our own. typebox makes them, and the compiler has looked at them: to check them against the schema of all
 * schemas first takes 0.06 s, for each Ajv once.
 */
export const OWN_SCHEMAS = { strict: false, validateSchema: false } as const;
