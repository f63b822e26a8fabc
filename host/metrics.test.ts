import { expect } from 'chai';
import type { Outcome, Usage } from '../sandbox/index.ts';
import { createMetrics } from './metrics.ts';

const usage: Usage = {
  cpuMs: 2.5,
  wallMs: 10,
  turns: 1,
  hostCalls: 0,
  heapMiB: 3,
  externalMiB: 0,
  logBytes: 0,
  inputBytes: 1,
  outputBytes: 1,
  queuedMs: 1,
  executions: 1,
};
const faulted: Outcome = {
  status: 'faulted',
  fault: { code: 'cpu-limit', message: '' },
  usage: { ...usage, executions: 3 },
};

describe('createMetrics', () => {
  it('counts requests by route template, method and status', async () => {
    const metrics = createMetrics();
    metrics.httpRequest('GET', '/v1/releases/:id', 200, 12);
    metrics.httpRequest('GET', '/v1/releases/:id', 200, 12);
    const { text, mediaType } = await metrics.expose();
    expect(mediaType).to.include('text/plain');
    expect(text).to.include(
      'gatehouse_http_request_seconds_count{method="GET",route="/v1/releases/:id",status="200"} 2',
    );
    expect(text).to.include(
      'gatehouse_http_request_seconds_sum{method="GET",route="/v1/releases/:id",status="200"} 0.024',
    );
  });

  it('counts invocations, faults by code, metered CPU and repeated executions', async () => {
    const metrics = createMetrics();
    metrics.invocation('http', { status: 'completed', output: '', usage });
    metrics.invocation('hook', faulted);
    metrics.cordonDeath({ reason: 'overdue' });
    metrics.extraCpu({ why: 'start-up', cpuMs: 12 });
    metrics.cordonStartFailed();
    metrics.invocationRefused('cpu-budget-exhausted');
    const { text } = await metrics.expose();
    expect(text).to.include('gatehouse_invocations_total{kind="http",status="completed"} 1');
    expect(text).to.include('gatehouse_invocations_total{kind="hook",status="faulted"} 1');
    expect(text).to.include('gatehouse_plugin_faults_total{code="cpu-limit"} 1');
    expect(text).to.include('gatehouse_invocation_refusals_total{code="cpu-budget-exhausted"} 1');
    expect(text).to.include('gatehouse_invocation_cpu_ms_total 5');
    expect(text).to.include('gatehouse_reexecutions_total 2');
    expect(text).to.include('gatehouse_cordon_deaths_total{reason="overdue"} 1');
    expect(text).to.include('gatehouse_extra_cpu_ms_total{why="start-up"} 12');
    expect(text).to.include('gatehouse_cordon_start_failures_total 1');
  });

  it('shows the event loop delay, and the sandbox as it is at the scrape', async () => {
    let isolates = 1;
    const cordon = {
      ...{ kind: 'pool' as const, pid: 1, startedAtMs: 0, lanes: 1, running: 0 },
      ...{ residentMiB: 100, installationId: null },
    };
    const cordons = [
      { ...cordon, state: 'ready' as const },
      { ...cordon, state: 'dying' as const },
    ];
    const rest = { running: 4, cordonDeaths: 0, cordonsRecycled: 0, alarm: null };
    const metrics = createMetrics({ sandboxStatus: () => ({ cordons, isolates, ...rest }) });
    isolates = 7;
    const { text } = await metrics.expose();
    expect(text).to.include('gatehouse_isolates 7');
    expect(text).to.include('gatehouse_invocations_running 4');
    expect(text).to.include('gatehouse_cordons_ready 1');
    expect(text).to.include('gatehouse_cordons{kind="pool"} 2');
    expect(text).to.include('gatehouse_cordons{kind="solitary"} 0');
    expect(text).to.include(`gatehouse_cordon_resident_bytes{kind="pool"} ${2 * 100 * 1024 * 1024}`);
    expect(text).to.include('gatehouse_cordons_degraded 0');
    expect(text).to.include('nodejs_eventloop_lag_p99_seconds');
  });

  it('shows how much the host has to do, and what it refused because of it', async () => {
    const loadStatus = () => ({ inFlight: 3, delayMs: 250, shedding: 'event-loop-delay' as const });
    const metrics = createMetrics({ loadStatus });
    metrics.requestShed('event-loop-delay');
    const { text } = await metrics.expose();
    expect(text).to.include('gatehouse_requests_shed_total{reason="event-loop-delay"} 1');
    expect(text).to.include('gatehouse_requests_in_flight 3');
    expect(text).to.include('gatehouse_event_loop_delay_seconds 0.25');
    expect(text).to.include('gatehouse_shedding 1');
  });

  it('counts strikes, and shows who runs alone or not at all because of them', async () => {
    const metrics = createMetrics({ conductCounts: () => ({ solitary: 2, suspended: 1 }) });
    metrics.strike();
    const { text } = await metrics.expose();
    expect(text).to.include('gatehouse_strikes_total 1');
    expect(text).to.include('gatehouse_installations_solitary 2');
    expect(text).to.include('gatehouse_installations_suspended 1');
  });

  it('shares no counter with another host in the same process', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.cordonDeath({ reason: 'killed' });
    expect((await other.expose()).text).not.to.include('reason="killed"');
  });
});
