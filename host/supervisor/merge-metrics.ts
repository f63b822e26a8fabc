/** Metrics of one host process, in the text format of Prometheus; `text` is null where it does not serve now. */
export interface HostMetrics {
  /** From 1; the same through all restarts. */
  number: number;
  restarts: number;
  pid: number | undefined;
  text: string | null;
}

interface Family {
  /** HELP and TYPE. */
  heads: string[];
  samples: string[];
}

const HEAD = /^# (?:HELP|TYPE) (\S+)/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{)?/;

/** One text for all hosts: every sample says by the label `host` whose it is. */
export function mergeMetrics(hosts: HostMetrics[]): string {
  const families = new Map<string, Family>();
  for (const { number, text } of hosts) addTo(families, number, text ?? '');
  const lines = [...families.values()].flatMap(({ heads, samples }) => [...heads, ...samples]);
  const own = [
    '# HELP gatehouse_host_up 1 for each host process on this port that serves.',
    '# TYPE gatehouse_host_up gauge',
    ...hosts.map(({ number, text }) => `gatehouse_host_up{host="${number}"} ${text === null ? 0 : 1}`),
    '# HELP gatehouse_host_pid Process id of each of them.',
    '# TYPE gatehouse_host_pid gauge',
    ...hosts
      .filter(({ text }) => text !== null)
      .map(({ number, pid }) => `gatehouse_host_pid{host="${number}"} ${pid}`),
    '# HELP gatehouse_host_restarts_total Host processes that were started again because one had ended.',
    '# TYPE gatehouse_host_restarts_total counter',
    ...hosts.map(({ number, restarts }) => `gatehouse_host_restarts_total{host="${number}"} ${restarts}`),
  ];
  return `${[...lines, ...own].join('\n')}\n`;
}

/** The samples of a family follow its head, and must do so in the merged text too. */
function addTo(families: Map<string, Family>, number: number, text: string): void {
  let family: Family = { heads: [], samples: [] };
  for (const line of text.split('\n')) {
    const head = HEAD.exec(line);
    if (head) {
      family = families.get(head[1]!) ?? { heads: [], samples: [] };
      families.set(head[1]!, family);
      if (!family.heads.includes(line)) family.heads.push(line);
    } else if (SAMPLE.test(line)) {
      family.samples.push(
        line.replace(SAMPLE, (_whole, name: string, brace?: string) =>
          brace ? `${name}{host="${number}",` : `${name}{host="${number}"}`,
        ),
      );
    }
  }
}
