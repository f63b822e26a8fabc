/** What the supervisor says to a host process. */
export type Order =
  | { op: 'begin'; number: number; appUrl: string; port: number; adminPort: number | null }
  /** All hosts have been ready once. */
  | { op: 'all-ready' }
  | { op: 'drain' }
  /** Asks for the host's own metrics. */
  | { op: 'expose'; ask: number }
  /** The metrics of all hosts, as this host asked for them. */
  | { op: 'merged'; ask: number; text: string };

/** What a host process says to its supervisor. */
export type Report =
  /** It listens to orders. */
  | { op: 'hello' }
  | { op: 'ready'; url: string; adminUrl: string | null }
  | { op: 'exposed'; ask: number; text: string }
  /** Somebody asks it for metrics, and means those of all hosts. */
  | { op: 'merge'; ask: number };
