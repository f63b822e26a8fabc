import { type Cli, createCli, reportError } from './command-line.ts';
import { auditCommand } from './commands/audit.ts';
import { auditLogCommand } from './commands/audit-log.ts';
import { bundleCommand } from './commands/bundle.ts';
import { callCommand } from './commands/call.ts';
import { configureCommand } from './commands/configure.ts';
import { deprecateCommand, listingCommand } from './commands/deprecate.ts';
import { devCommand } from './commands/dev.ts';
import { disableCommand } from './commands/disable.ts';
import { distTagCommand } from './commands/dist-tag.ts';
import { enableCommand } from './commands/enable.ts';
import { eventsCommand } from './commands/events.ts';
import { grantsCommand } from './commands/grants.ts';
import { infoCommand } from './commands/info.ts';
import { initCommand } from './commands/init.ts';
import { installCommand } from './commands/install.ts';
import { installationsCommand } from './commands/installations.ts';
import { keygenCommand } from './commands/keygen.ts';
import { keysCommand } from './commands/keys.ts';
import { loginCommand } from './commands/login.ts';
import { logoutCommand } from './commands/logout.ts';
import { logsCommand } from './commands/logs.ts';
import { membersCommand } from './commands/members.ts';
import { notificationsCommand } from './commands/notifications.ts';
import { outdatedCommand } from './commands/outdated.ts';
import { packCommand } from './commands/pack.ts';
import { profileCommand } from './commands/profile.ts';
import { publishCommand } from './commands/publish.ts';
import { queueCommand } from './commands/queue.ts';
import { recordingsCommand } from './commands/recordings.ts';
import { releasesCommand } from './commands/releases.ts';
import { replayCommand } from './commands/replay.ts';
import { restoreCommand } from './commands/restore.ts';
import { resumeCommand } from './commands/resume.ts';
import { reviewCommand } from './commands/review.ts';
import { reviewsCommand } from './commands/reviews.ts';
import { rollbackCommand } from './commands/rollback.ts';
import { rolloutsCommand } from './commands/rollouts.ts';
import { testCommand } from './commands/run-tests.ts';
import { scanCommand } from './commands/scan.ts';
import { searchCommand } from './commands/search.ts';
import { secretsCommand } from './commands/secrets.ts';
import { statsCommand } from './commands/stats.ts';
import { tailCommand } from './commands/tail.ts';
import { tokensCommand } from './commands/tokens.ts';
import { traceCommand } from './commands/trace.ts';
import { uninstallCommand } from './commands/uninstall.ts';
import { updateCommand } from './commands/update.ts';
import { validateCommand } from './commands/validate.ts';
import { verifyCommand } from './commands/verify.ts';
import { versionsCommand } from './commands/versions.ts';
import { webhooksCommand } from './commands/webhooks.ts';
import { whoamiCommand } from './commands/whoami.ts';
import { yankCommand } from './commands/yank.ts';
import { readSettings } from './settings.ts';

/** Every verb, in the order of the help: authors, operators, moderators. */
export const COMMANDS: ((cli: Cli) => void)[] = [
  loginCommand,
  logoutCommand,
  whoamiCommand,
  initCommand,
  devCommand,
  testCommand,
  profileCommand,
  validateCommand,
  packCommand,
  keygenCommand,
  keysCommand,
  publishCommand,
  releasesCommand,
  searchCommand,
  infoCommand,
  reviewsCommand,
  statsCommand,
  versionsCommand,
  distTagCommand,
  deprecateCommand,
  yankCommand,
  listingCommand,
  installCommand,
  installationsCommand,
  outdatedCommand,
  updateCommand,
  rollbackCommand,
  rolloutsCommand,
  configureCommand,
  enableCommand,
  disableCommand,
  uninstallCommand,
  restoreCommand,
  grantsCommand,
  callCommand,
  logsCommand,
  tailCommand,
  traceCommand,
  recordingsCommand,
  replayCommand,
  resumeCommand,
  secretsCommand,
  queueCommand,
  notificationsCommand,
  eventsCommand,
  webhooksCommand,
  membersCommand,
  tokensCommand,
  auditCommand,
  verifyCommand,
  auditLogCommand,
  bundleCommand,
  reviewCommand,
  scanCommand,
];

/** Runs one command line and resolves with its exit code: 0 fine, 1 refused or failed, 2 not understood. */
export async function main(argv: string[]): Promise<number> {
  const cli = createCli(readSettings(), { out: process.stdout, err: process.stderr, in: process.stdin });
  for (const addCommand of COMMANDS) addCommand(cli);
  // `gate logs | head`: whoever reads has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    await cli.program.parseAsync(argv, { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    return reportError(cli, error, argv);
  }
}
