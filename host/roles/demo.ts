import { runDemo } from '../demo/run-demo.ts';
import { configOf, openLog, type ServerFlags } from './role.ts';
import { stayUp } from './stay-up.ts';

interface DemoFlags extends ServerFlags {
  smoke?: true;
  fresh?: true;
  json?: true;
}

/** `gatehouse demo`: everything on one machine, shown step by step; then up until it is asked to end. */
export async function demo({ smoke, fresh, json, ...flags }: DemoFlags): Promise<number> {
  // The demo's people look at the tour; its log speaks up only for trouble.
  const config = configOf(flags, {
    GATEHOUSE_LOG_LEVEL: 'warn',
    GATEHOUSE_METRICS_PUBLIC: 'true',
    GATEHOUSE_DEV_MAILBOX: 'true',
  });
  let onDeath: (message: string) => void = () => {};
  const died = new Promise<string>((resolve) => {
    onDeath = resolve;
  });
  const running = await runDemo({
    config,
    log: openLog(config),
    fresh: fresh === true,
    json: json === true,
    stream: process.stdout,
    onDeath,
  });
  if (smoke) {
    await running.close();
    return 0;
  }
  if (!json) process.stdout.write('Ctrl-C ends it; what was published and installed stays.\n');
  return stayUp(running.close, died);
}
