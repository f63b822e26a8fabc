import { Command, CommanderError } from 'commander';
import { bootstrap } from './roles/bootstrap.ts';
import { keysRotate, keysStatus } from './roles/keys.ts';
import { migrateStatus, migrateUp } from './roles/migrate.ts';
import { explain } from './roles/role.ts';
import { keysRotateRegistry } from './roles/rotate-registry-key.ts';
import { serve } from './roles/serve.ts';
import { HOST_VERSION } from './version.ts';

/** Runs one role of `gatehouse` until it ends; returns the exit code: 0 done, 1 refused or failed, 2 wrong usage. */
export async function main(argv: string[]): Promise<number> {
  let exitCode = 0;
  const run =
    <Options>(role: (options: Options) => Promise<number>) =>
    async (options: Options) => {
      exitCode = await role(options);
    };
  const gatehouse = new Command('gatehouse')
    .description("Runs other people's plugins for money, safely.")
    .version(HOST_VERSION)
    .exitOverride();
  const withData = (command: Command) =>
    command.option('--data <folder>', 'folder of the embedded database and of the signing key (default: .gatehouse)');
  const withServer = (command: Command) =>
    withData(command)
      .option('--port <number>', 'port to listen on; 0 takes a free one (default: 8080)')
      .option('--host <address>', 'address to listen on (default: 127.0.0.1)');

  withServer(gatehouse.command('demo'))
    .description('Bring up everything and do the main job on the examples: publish, install, invoke.')
    .option('--smoke', 'end after the tour with exit code 0 or 1')
    .option('--fresh', 'remove what earlier demos left first')
    .option('--json', 'print one line of JSON instead of the tour')
    .addHelpText('after', '\nExamples:\n  npm start\n  npm start -- --port 9000 --fresh\n  npm start -- --smoke')
    // With the command line of publishers, which no server holds.
    .action(run(async (options) => (await import('./roles/demo.ts')).demo(options)));
  withServer(gatehouse.command('serve'))
    .description('Serve on the PostgreSQL that DATABASE_URL names.')
    .option('--hosts <number>', 'host processes on the one port, kept up and drained together (default: 1)')
    .option('--embedded', 'on the embedded PostgreSQL in the data folder instead')
    .addHelpText(
      'after',
      '\nExample:\n  DATABASE_URL=postgres://gatehouse_app@db/gatehouse npm run gatehouse -- serve --hosts 2',
    )
    .action(run(serve));
  const migrate = gatehouse.command('migrate').description('Bring the database schema up to date.');
  withData(migrate.command('up')).description('Apply what is pending.').action(run(migrateUp));
  withData(migrate.command('status'))
    .description('List migrations; exit code 1 where one is pending or was edited.')
    .option('--json', 'print JSON')
    .action(run(migrateStatus));
  const keys = gatehouse.command('keys').description('The keys that stored secrets are sealed with.');
  withData(keys.command('rotate'))
    .description('Bring everything under the newest key, while hosts run; exit code 1 where something is left.')
    .option('--json', 'print JSON')
    .addHelpText('after', "\nFirst add a key to GATEHOUSE_ENCRYPTION_KEY on every host: '1:<old>,2:<new>'.")
    .action(run(keysRotate));
  withData(keys.command('rotate-registry'))
    .description('Let the registry go on under a new signing key, which the old one names as its successor.')
    .option('--overlap <hours>', 'how long hosts that still have the old key may sign', '168')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nThen copy the key file to every host and start each again.')
    .action(run(keysRotateRegistry));
  withData(keys.command('status'))
    .description('Say which version of the key seals how many values.')
    .option('--json', 'print JSON')
    .action(run(keysStatus));
  withData(gatehouse.command('bootstrap'))
    .description('Make the platform organisation and print a token for an admin.')
    .option('--json', 'print JSON')
    .action(run(bootstrap));
  withServer(gatehouse.command('doctor'))
    .description('Check runtime, sandbox, database, folders and port; say what to do.')
    .option('--audit', 'check the audit trail and the transparency log instead: every entry since the first')
    .option('--json', 'print JSON')
    .action(run(async (options) => (await import('./roles/doctor.ts')).doctor(options)));

  try {
    await gatehouse.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`gatehouse: ${explain(error)}\n`);
    return 1;
  }
}
