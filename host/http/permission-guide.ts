import { can, PERMISSIONS, type Permission, ROLES_OF_KIND, type Role } from '../../registry/index.ts';
import { allRoutes, type RoutePorts } from '../routes/index.ts';

/** docs/permissions.md: who may do what, by the very table that is enforced, and which routes need it. */
export function permissionGuide(): string {
  const roles = Object.keys(PERMISSIONS).filter((role) => role !== 'user') as Role[];
  const permissions = [...new Set(Object.values(PERMISSIONS).flat())].sort() as Permission[];
  // Only the table is read; no handler runs.
  const routes = allRoutes({ rateLimits: undefined, metricsPublic: false } as unknown as RoutePorts);
  const needing = (permission: Permission) =>
    routes
      .filter(({ allow }) => Array.isArray(allow) && allow.includes(permission))
      .map(({ method, path }) => `\`${method} ${path}\``);
  const kinds = Object.entries(ROLES_OF_KIND).map(
    ([kind, [owner, ...others]]) => `| ${kind} | \`${owner}\` | ${others.map((role) => `\`${role}\``).join(', ')} |`,
  );
  return `# Permissions

Made from the table that is enforced (\`registry/rules/permissions.ts\`) by
\`node host/http/permission-guide.ts > docs/permissions.md\`; a test keeps it current. \`GET /v1/permissions\` answers the same.

A person has one role in each organisation that they belong to; a token has one role in one organisation. A person who acts for no
organisation has the role \`user\`, which may do nothing but what concerns their own account. \`caller\` is for programs only.

| kind of organisation | role of its owners | other roles |
|---|---|---|
${kinds.join('\n')}

Nobody gives a role that holds more than their own; owners give every role of their kind. The last owner of an organisation with
members stays.

## Roles

${roles.map((role) => `- \`${role}\`: ${PERMISSIONS[role].map((permission) => `\`${permission}\``).join(', ')}`).join('\n')}

## Permissions

| permission | roles | routes |
|---|---|---|
${permissions
  .map((permission) => {
    const holders = roles.filter((role) => can(role, permission)).map((role) => `\`${role}\``);
    return `| \`${permission}\` | ${holders.join(', ')} | ${needing(permission).join('<br>')} |`;
  })
  .join('\n')}

## Tokens

A token does what its role **and** its scopes **and** the member who answers for it may do now. Somebody who issues a token in a
session answers for it: when their role becomes smaller, so does the token; when they are removed, leave or are deactivated, it is
revoked with them, and coming back does not bring it back. An owner can take over a token first, so that what is in production
goes on: \`POST /v1/tokens/{id}/adoption\`. Tokens that an organisation got from the platform's admin belong to the organisation
itself, and so do those which these issue.

| restriction | what it does | where it bites |
|---|---|---|
| \`scopes\` | leaves some of the role's permissions | every route; calls of plugins need \`installation:invoke\`, hooks \`hook:deliver\` |
| \`installationIds\` | these installations only | calls of plugins, hooks, every route below \`/v1/installations/{id}\`; the list shows these alone |
| \`plugin\` | publishes this plugin only | \`POST /v1/releases\` by the manifest in the archive, and reading its releases |
| \`addressRanges\` | from these addresses only (CIDR, IPv4 and IPv6) | every route and every call; the address is the one that trusted proxies vouch for |
| \`expiresAt\` | ends then | everywhere, at that moment |

A token that is restricted to installations or to a plugin is kept from every route that is about something else, also from those
that come later: the answer is \`token-restricted\`. It issues, rotates and ends no other token.

Secrets look like \`gh_<role>_<49 letters and digits>\`, of which the last six are a checksum. Scanners for leaked secrets find them by

    gh_(?:pub|dev|op|opm|opv|call|mod|adm|fins|finm|fina|ana)_[0-9A-Za-z]{49}

and those of invitations (\`ghi_\`) and of waiting devices (\`ghd_\`) by \`gh[id]_[A-Za-z0-9_-]{43}\`. A leaked token ends itself:
\`DELETE /v1/tokens/{id}\` with the token, after \`GET /v1/whoami\` has told its id.
`;
}

if (import.meta.main) process.stdout.write(permissionGuide());
