import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { CordonDeath, CordonKind, ExtraCpu, Outcome, SandboxStatus } from '../sandbox/index.ts';
import type { AlertKind } from './alerts/rules/alert-of.ts';
import type { ConductCounts } from './conduct/contract.ts';
import type { InvocationRefusalCode } from './invocations/contract.ts';
import type { LoadStatus, ShedReason } from './invocations/shed-load.ts';
import type { LifeEvent } from './rollouts/contract.ts';
import { type CounterTally, type HistogramTally, TallyHistogram, tallyCounter } from './tallies.ts';

/** What the host counts. Labels are closed sets: templates, codes and states, never ids. */
export interface Metrics {
  /** `route` is a template such as `/v1/releases/:id/approval`. */
  httpRequest(method: string, route: string, status: number, durationMs: number): void;
  /** One ended invocation; `kind` is that of its GuestInput. */
  invocation(kind: string, outcome: Outcome): void;
  /** One invocation that was not run, or not to its end, through no fault of its plugin. */
  invocationRefused(code: InvocationRefusalCode): void;
  /** One request that was refused because the host has too much to do. */
  requestShed(reason: ShedReason): void;
  /** One attempt or request that came too early, by the name of the limit. */
  rateLimited(limit: string): void;
  /** One connection that was cut at once because its client had too many. */
  connectionRefused(): void;
  cordonDeath(death: Pick<CordonDeath, 'reason'>): void;
  /** CPU time that is part of no outcome. */
  extraCpu(extra: Pick<ExtraCpu, 'why' | 'cpuMs'>): void;
  /** A cordon did not start. */
  cordonStartFailed(): void;
  /** One strike against an installation. */
  strike(): void;
  /** One alert that somebody was told of. */
  securityAlert(kind: AlertKind): void;
  /** One thing that happened in the life of an installation. */
  lifeEvent(event: LifeEvent): void;
  /** One answered call of a capability. */
  capabilityCall(call: { capability: string; code: string | null; bytes: number; wallMs: number }): void;
  /** The text exposition format of Prometheus. */
  expose(): Promise<{ mediaType: string; text: string }>;
}

export interface MetricsPorts {
  /** Read at every scrape; absent where no sandbox runs. */
  sandboxStatus?: () => SandboxStatus;
  /** Read at every scrape; absent where nobody is judged. */
  conductCounts?: () => ConductCounts;
  /** Canaries that run, read at every scrape; absent where there are none. */
  canaries?: () => number;
  /** Read at every scrape; absent where no load is measured. */
  loadStatus?: () => LoadStatus;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Counters of one host, in a registry of their own. Event loop delay, memory and CPU of the process come with it. */
export function createMetrics({ sandboxStatus, loadStatus, conductCounts, canaries }: MetricsPorts = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new TallyHistogram({
    name: 'gatehouse_http_request_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  });
  const invocations = tallyCounter({
    name: 'gatehouse_invocations_total',
    help: 'Ended invocations.',
    labelNames: ['kind', 'status'],
    registers,
  });
  const faults = new Counter({
    name: 'gatehouse_plugin_faults_total',
    help: 'Invocations that a plugin failed, by code.',
    labelNames: ['code'],
    registers,
  });
  const refusals = new Counter({
    name: 'gatehouse_invocation_refusals_total',
    help: 'Invocations that were not run, or not to their end, through no fault of the plugin, by code.',
    labelNames: ['code'],
    registers,
  });
  const cpu = tallyCounter({
    name: 'gatehouse_invocation_cpu_ms_total',
    help: 'CPU milliseconds metered in isolates.',
    registers,
  })({});
  const queued = new TallyHistogram({
    name: 'gatehouse_invocation_queued_seconds',
    help: 'Time between the arrival of an invocation and its first turn: in the queue of its installation, and of its lane.',
    buckets: SECONDS,
    registers,
  }).tally({});
  const reexecutions = new Counter({
    name: 'gatehouse_reexecutions_total',
    help: 'Executions that had to be repeated because a cordon died.',
    registers,
  });
  const deaths = new Counter({
    name: 'gatehouse_cordon_deaths_total',
    help: 'Cordons that died unasked, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const shed = new Counter({
    name: 'gatehouse_requests_shed_total',
    help: 'Requests to plugins that were refused because the host had too much to do, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const limited = new Counter({
    name: 'gatehouse_rate_limited_total',
    help: 'Attempts and requests that came too early, by limit.',
    labelNames: ['limit'],
    registers,
  });
  const connectionsRefused = new Counter({
    name: 'gatehouse_connections_refused_total',
    help: 'Connections that were cut at once because their client had too many.',
    registers,
  });
  const strikes = new Counter({
    name: 'gatehouse_strikes_total',
    help: 'Sandbox processes that died of an invocation, held against its installation.',
    registers,
  });
  const alerts = new Counter({
    name: 'gatehouse_security_alerts_total',
    help: 'Security events that somebody was told of: lockouts, stolen tokens, changes of rights, signatures.',
    labelNames: ['alert'],
    registers,
  });
  const lifeEvents = new Counter({
    name: 'gatehouse_installation_events_total',
    help: 'What happened to installations: installed, updated, rolled back, canaries, changes.',
    labelNames: ['event'],
    registers,
  });
  if (canaries) {
    const gauge = gaugesOf(registers, canaries);
    gauge('gatehouse_canaries_running', 'Canaries that run; the same on every host.', (count) => count);
  }
  if (conductCounts) addConductGauges(registers, conductCounts);
  if (loadStatus) addLoadGauges(registers, loadStatus);
  const extraCpu = new Counter({
    name: 'gatehouse_extra_cpu_ms_total',
    help: 'CPU milliseconds in isolates beside the invocations: start-ups, turns after an end, repeated executions.',
    labelNames: ['why'],
    registers,
  });
  const isolatesStarted = new Counter({
    name: 'gatehouse_isolates_started_total',
    help: 'Isolates that were made. Where it grows without new installations, idle ones had to go: there is too little room.',
    registers,
  });
  const startFailures = new Counter({
    name: 'gatehouse_cordon_start_failures_total',
    help: 'Cordons that did not start.',
    registers,
  });
  if (sandboxStatus) addSandboxGauges(registers, sandboxStatus);

  const requestsKept = new Map<string, Map<string, Map<number, HistogramTally<string>>>>();
  const requestsOf = (route: string, method: string, status: number) =>
    getOrMake(
      getOrMake(
        getOrMake(requestsKept, route, () => new Map()),
        method,
        () => new Map(),
      ),
      status,
      () => requests.tally({ method, route, status: String(status) }),
    );
  const invocationsKept = new Map<string, Map<string, CounterTally>>();
  const invocationsOf = (kind: string, status: string) =>
    getOrMake(
      getOrMake(invocationsKept, kind, () => new Map()),
      status,
      () => invocations({ kind, status }),
    );

  return {
    httpRequest: (method, route, status, durationMs) => requestsOf(route, method, status).observe(durationMs / 1_000),
    invocation: (kind, outcome) => {
      const { cpuMs, queuedMs, executions } = outcome.usage;
      invocationsOf(kind, outcome.status).add(1);
      if (outcome.status === 'faulted') faults.inc({ code: outcome.fault.code });
      cpu.add(cpuMs);
      queued.observe(queuedMs / 1_000);
      if (executions > 1) reexecutions.inc(executions - 1);
    },
    invocationRefused: (code) => refusals.inc({ code }),
    requestShed: (reason) => shed.inc({ reason }),
    rateLimited: (limit) => limited.inc({ limit }),
    connectionRefused: () => connectionsRefused.inc(),
    cordonDeath: ({ reason }) => deaths.inc({ reason }),
    extraCpu: ({ why, cpuMs }) => {
      extraCpu.inc({ why }, cpuMs);
      if (why === 'start-up') isolatesStarted.inc();
    },
    cordonStartFailed: () => startFailures.inc(),
    strike: () => strikes.inc(),
    securityAlert: (alert) => alerts.inc({ alert }),
    capabilityCall: countCapabilityCalls(registers),
    lifeEvent: (event) => lifeEvents.inc({ event }),
    expose: async () => ({ mediaType: registry.contentType, text: await registry.metrics() }),
  };
}

/** Calls, bytes and time by capability; the names of capabilities and `done` or `refused` are all labels that there are. */
function countCapabilityCalls(registers: Registry[]): Metrics['capabilityCall'] {
  const calls = new Counter({
    name: 'gatehouse_capability_calls_total',
    help: 'Host calls of plugins, by capability and how they ended.',
    labelNames: ['capability', 'end'],
    registers,
  });
  const bytes = new Counter({
    name: 'gatehouse_capability_bytes_total',
    help: 'Arguments and results of host calls, by capability.',
    labelNames: ['capability'],
    registers,
  });
  const seconds = new Counter({
    name: 'gatehouse_capability_seconds_total',
    help: 'Time that host calls took, by capability.',
    labelNames: ['capability'],
    registers,
  });
  const kept = new Map<string, Record<'done' | 'refused' | 'bytes' | 'seconds', Counter.Internal>>();
  return ({ capability, code, bytes: size, wallMs }) => {
    const of = getOrMake(kept, capability, () => ({
      done: calls.labels({ capability, end: 'done' }),
      refused: calls.labels({ capability, end: 'refused' }),
      bytes: bytes.labels({ capability }),
      seconds: seconds.labels({ capability }),
    }));
    of[code === null ? 'done' : 'refused'].inc();
    of.bytes.inc(size);
    of.seconds.inc(wallMs / 1_000);
  };
}

/** Makes gauges that are read from a status at every scrape. */
const gaugesOf =
  <Status>(registers: Registry[], status: () => Status) =>
  (name: string, help: string, read: (status: Status) => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(status()));
      },
    });

function addLoadGauges(registers: Registry[], loadStatus: () => LoadStatus): void {
  const gauge = gaugesOf(registers, loadStatus);
  gauge('gatehouse_requests_in_flight', 'Requests to plugins that are being answered.', ({ inFlight }) => inFlight);
  gauge(
    'gatehouse_event_loop_delay_seconds',
    'Mean wait for the event loop within the last second.',
    ({ delayMs }) => delayMs / 1_000,
  );
  gauge('gatehouse_shedding', '1 while requests to plugins are refused because the host has too much to do.', (load) =>
    load.shedding === null ? 0 : 1,
  );
}

function addConductGauges(registers: Registry[], counts: () => ConductCounts): void {
  const gauge = gaugesOf(registers, counts);
  gauge(
    'gatehouse_installations_solitary',
    'Installations that run alone because of their strikes; the same on every host.',
    ({ solitary }) => solitary,
  );
  gauge(
    'gatehouse_installations_suspended',
    'Installations that are not run because of their strikes; the same on every host.',
    ({ suspended }) => suspended,
  );
}

function addSandboxGauges(registers: Registry[], sandboxStatus: () => SandboxStatus): void {
  const gauge = gaugesOf(registers, sandboxStatus);
  gauge('gatehouse_isolates', 'Isolates that are alive.', ({ isolates }) => isolates);
  gauge('gatehouse_invocations_running', 'Invocations that run now.', ({ running }) => running);
  gauge(
    'gatehouse_cordons_ready',
    'Cordons that take invocations of anybody.',
    ({ cordons }) => cordons.filter(({ kind, state }) => kind === 'pool' && state === 'ready').length,
  );
  const cordonsBy = (read: (cordon: SandboxStatus['cordons'][number]) => number) => (kind: CordonKind) =>
    sandboxStatus()
      .cordons.filter((cordon) => cordon.kind === kind)
      .reduce((sum, cordon) => sum + read(cordon), 0);
  gaugeByKind(
    registers,
    'gatehouse_cordons',
    'Cordons that live, by kind.',
    cordonsBy(() => 1),
  );
  const bytes = cordonsBy(({ residentMiB }) => residentMiB * 1024 * 1024);
  gaugeByKind(registers, 'gatehouse_cordon_resident_bytes', 'Memory of the cordons, by kind.', bytes);
  gauge(
    'gatehouse_cordons_recycled',
    'Cordons that were replaced for their age or size.',
    (status) => status.cordonsRecycled,
  );
  gauge('gatehouse_cordons_degraded', '1 while the last start of a cordon has failed.', ({ alarm }) => (alarm ? 1 : 0));
}

const CORDON_KINDS = ['pool', 'spare', 'solitary', 'quarantine', 'probation'] as const satisfies readonly CordonKind[];

/** A gauge with a value for each kind of cordon, read at every scrape. */
function gaugeByKind(registers: Registry[], name: string, help: string, read: (kind: CordonKind) => number): Gauge {
  return new Gauge({
    name,
    help,
    labelNames: ['kind'],
    registers,
    collect() {
      for (const kind of CORDON_KINDS) this.set({ kind }, read(kind));
    },
  });
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
