import { resolve } from 'node:path';
import type { Scan } from '../../../registry/index.ts';
import type { ApiClient } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { reportText, scanPlugin } from '../scan-plugin.ts';
import { resolveReleaseId } from './releases.ts';

const LOOK_INTERVAL_MS = 250;

/** Waits for the scan of a published release; refuses with: scan-unknown. */
export const followScan =
  (api: Pick<ApiClient, 'findScan'>) =>
  async (releaseId: string, onProgress: (scan: Scan) => void): Promise<Scan> => {
    for (;;) {
      const scan = await api.findScan(releaseId);
      onProgress(scan);
      if (scan.report !== null) return scan;
      await new Promise((passed) => setTimeout(passed, LOOK_INTERVAL_MS));
    }
  };

export function scanCommand(cli: Cli): void {
  verb(cli, {
    name: 'scan',
    summary: 'Look a plugin through as the registry does, or read what the registry found',
    examples: ['gate scan', 'gate scan ./my-plugin --no-run', 'gate scan --release acme-labs/hello-http@1.0.0'],
  })
    .argument('[folder]', 'folder of the plugin', '.')
    .option('--no-run', 'look at the code alone, and do not run it in the sandbox')
    .option(
      '--release <release>',
      '<publisher>/<name>@<version>, or the id: wait for the scan of the registry and show it',
    )
    .option('--acknowledge <reason>', 'with --release: say that you have seen the findings (moderators)')
    .action(
      cli.answer(async (folder: string, options: { run: boolean; release?: string; acknowledge?: string }) => {
        if (options.release !== undefined) return released(cli, options.release, options.acknowledge);
        const { loadLocalPlugin } = await import('../load-plugin.ts');
        const plugin = await loadLocalPlugin(resolve(cli.settings.cwd, folder));
        const report = await scanPlugin(plugin, { run: options.run, onProgress: progressBar(cli) });
        const name = `${plugin.manifest.publisher}/${plugin.manifest.name}@${plugin.manifest.version}`;
        return {
          value: report,
          text: (paint) => reportText(paint, name, report),
          exitCode: report.verdict === 'second-look' ? 1 : 0,
        };
      }),
    );
}

async function released(cli: Cli, text: string, reason: string | undefined) {
  const api = await cli.api();
  const releaseId = await resolveReleaseId(api)(text);
  const bar = progressBar(cli);
  const found = await followScan(api)(releaseId, ({ percent, stage }) => bar(percent, stage));
  const scan = reason === undefined ? found : await api.acknowledgeScan(releaseId, reason);
  const { acknowledged } = scan;
  return {
    value: scan,
    text: (paint: Cli['paint']) =>
      `${reportText(paint, text, scan.report!)}${acknowledged === null ? '' : `\nseen by a moderator: ${acknowledged.reason}`}`,
    exitCode: scan.report!.verdict === 'second-look' && acknowledged === null ? (1 as const) : (0 as const),
  };
}

/** A bar in a terminal, nothing anywhere else. */
function progressBar({ streams, json }: Cli): (percent: number, stage?: string) => void {
  if (json() || streams.err.isTTY !== true) return () => {};
  return (percent, stage = 'scanning') => {
    const full = Math.floor(percent / 5);
    streams.err.write(
      `\r${'█'.repeat(full)}${'░'.repeat(20 - full)} ${percent} % ${stage.padEnd(8)}${percent === 100 ? '\n' : ''}`,
    );
  };
}
