type Write = (facts: object, message: string) => void;

/** A structured log, such as pino's. Facts hold ids, codes and amounts; never secrets, bodies or names of people. */
export interface Log {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
}
