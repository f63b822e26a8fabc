import type { MemberRole } from '../../../registry/index.ts';
import type { ApiClient, Member } from '../api-client.ts';
import { type Cli, verb } from '../command-line.ts';
import { CliError } from '../errors.ts';
import type { Paint } from '../terminal.ts';

/** The member with this name or id. Refuses with: usage. */
export const findMember =
  (api: Pick<ApiClient, 'listMembers'>) =>
  async (wanted: string): Promise<Member> => {
    const { items } = await api.listMembers();
    const found = items.find(
      ({ accountId, username }) => accountId === wanted || username.toLowerCase() === wanted.toLowerCase(),
    );
    if (found) return found;
    throw new CliError(
      'usage',
      `"${wanted}" is no member. Members: ${items.map(({ username }) => username).join(', ')}`,
    );
  };

const memberText = (paint: Paint, { username, role, since, accountId }: Member): string =>
  `${paint('bold', username)} ${role} since ${since} ${paint('dim', accountId)}`;

export function membersCommand(cli: Cli): void {
  const command = verb(cli, {
    name: 'members',
    summary: 'List, invite and remove members of your organisation, and change their roles',
    examples: [
      'gate members list',
      'gate members invite ada@example.com --role operator-manager',
      'gate members invite --role developer',
      'gate members role ada operator-viewer',
      'gate members remove ada',
    ],
  });
  command.command('list').action(
    cli.answer(async () => {
      const { items } = await (await cli.api()).listMembers();
      return {
        value: { items },
        text: (paint) =>
          items.length === 0
            ? 'There are no members: tokens alone act here.'
            : items.map((each) => memberText(paint, each)).join('\n'),
      };
    }),
  );
  command
    .command('invite')
    .argument('[address]', 'address of mail; without one you get a code to hand over')
    .requiredOption('--role <role>', 'what they shall be')
    .option('--as-link', 'send no mail: show the code, which only the owner of the address can use')
    .action(
      cli.answer(async (address: string | undefined, { role, asLink }: { role: string; asLink?: true }) => {
        const wish = { role: role as MemberRole, ...(address !== undefined && { address }), ...(asLink && { asLink }) };
        const issued = await (await cli.api()).invite(wish);
        const { invitation, secret } = issued;
        return {
          value: issued,
          text: (paint) =>
            secret === null
              ? `${paint('green', '✔')} Invited ${invitation.addressHint} until ${invitation.expiresAt}`
              : `Hand over this code; it works once, until ${invitation.expiresAt}:\n${secret}`,
        };
      }),
    );
  command
    .command('role')
    .argument('<member>', 'name or id')
    .argument('<role>', 'what they shall be')
    .action(
      cli.answer(async (member: string, role: string) => {
        const api = await cli.api();
        const { accountId } = await findMember(api)(member);
        const changed = await api.changeMember(accountId, role as MemberRole);
        return { value: changed, text: (paint) => memberText(paint, changed) };
      }),
    );
  command
    .command('remove')
    .argument('<member>', 'name or id')
    .action(
      cli.answer(async (member: string) => {
        const api = await cli.api();
        const { accountId, username } = await findMember(api)(member);
        await api.removeMember(accountId);
        return {
          value: { accountId, username },
          text: (paint) => `${paint('green', '✔')} Removed ${username}; tokens of theirs are revoked`,
        };
      }),
    );
}
