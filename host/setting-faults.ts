import { isRange } from './egress/special-ranges.ts';
import { readRateLimits } from './rate-limits/rules/limits.ts';

/** By name, as far as they are set. Where the schema has found a fault, too. */
type Settings = Readonly<Record<string, unknown>>;

/**
 * What is wrong with settings beyond what their schema says, each with the name of its setting. Repeats nothing that may hold a
 * password.
 */
export function settingFaults(settings: Settings, nodeEnv: string | undefined): string[] {
  const text = (name: string): string | null => (typeof settings[name] === 'string' ? settings[name] : null);
  const faults: string[] = [];
  const fault = (name: string, message: string) => faults.push(`${name} ${message}`);

  for (const name of ['GATEHOUSE_EGRESS_ALLOW', 'GATEHOUSE_TRUSTED_PROXIES']) {
    for (const range of listOf(text(name) ?? '')) if (!isRange(range)) fault(name, `${range} is no address range`);
  }
  const publicUrl = text('GATEHOUSE_PUBLIC_URL');
  if (publicUrl !== null && originOf(publicUrl) === null)
    fault('GATEHOUSE_PUBLIC_URL', 'must be an origin such as https://gate.example, and nothing more');
  const smtpUrl = text('GATEHOUSE_SMTP_URL');
  if (smtpUrl !== null && !isServer(smtpUrl))
    fault('GATEHOUSE_SMTP_URL', 'must be smtps://user:password@host; special characters of the password as %40');
  const limits = rateLimitFault(text('GATEHOUSE_RATE_LIMITS') ?? '');
  if (limits !== null) fault('GATEHOUSE_RATE_LIMITS', limits);
  if (Number(settings.GATEHOUSE_STRIKES_SUSPEND) < Number(settings.GATEHOUSE_STRIKES_SOLITARY))
    fault('GATEHOUSE_STRIKES_SUSPEND', 'must be >= GATEHOUSE_STRIKES_SOLITARY');
  if (settings.GATEHOUSE_PROFILE_CORDONS !== undefined && nodeEnv === 'production')
    fault('GATEHOUSE_PROFILE_CORDONS', 'opens sandbox processes to an inspector; unset it in production');
  if (settings.GATEHOUSE_DEV_MAILBOX === true && smtpUrl !== null)
    fault(
      'GATEHOUSE_DEV_MAILBOX',
      'shows everybody the codes of people who get real mail; unset it, or GATEHOUSE_SMTP_URL',
    );
  return faults;
}

/** As browsers write it, without the port that goes without saying; null for what says more than an origin. */
export function originOf(text: string): string | null {
  const url = URL.parse(text);
  return url !== null && url.href === `${url.origin}/` ? url.origin : null;
}

/** Whether an address names a host, and its user and password can be read. */
function isServer(text: string): boolean {
  try {
    const { hostname, username, password } = new URL(text);
    decodeURIComponent(username + password);
    return hostname !== '';
  } catch {
    return false;
  }
}

function rateLimitFault(setting: string): string | null {
  try {
    readRateLimits(setting);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

export const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
