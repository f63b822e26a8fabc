import type { CapabilityName } from './capabilities/index.ts';
import type { ListingLocale } from './listing.ts';
import { type Manifest, routeKey } from './manifest.ts';

/** One thing that a plugin could do once it is installed, for people. */
export interface ReachLine {
  /** A capability, or what else of the manifest reaches out of the plugin. */
  of: CapabilityName | 'routes' | 'schedule' | 'personal';
  text: string;
  /** Why, as its publisher says; null where the manifest does not ask for a reason. */
  reason: string | null;
  /** The plugin works without it as well. */
  optional: boolean;
}

type Words = Record<ListingLocale, string>;
type InWords = (manifest: Manifest) => Words;

const same =
  (en: string, zh: string): InWords =>
  () => ({ en, zh });
const listed = (names: readonly string[]): Words => ({ en: names.join(', '), zh: names.join('、') });
const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`);

/** What every capability lets a plugin do, in plain words; one without words does not compile. */
export const REACH_WORDS: Record<CapabilityName, InWords> = {
  kv: same('may keep data of its own at your Gatehouse', '可以在您的 Gatehouse 上保存它自己的数据'),
  config: same('may read the settings that you enter for it', '可以读取您为它填写的设置'),
  log: same('may write log lines, which you and its publisher can read', '可以写日志，您和它的发布者都能看到'),
  events: ({ events: { publishes = [], subscribes = [] } = {} }) => {
    const tells = listed(quoted(publishes));
    const hears = listed(
      subscribes.map(({ topic, from }) => (from === undefined ? `"${topic}"` : `"${topic}" (${from})`)),
    );
    return {
      en:
        joined('; ', [
          publishes.length > 0 && `may tell your other plugins of ${tells.en}`,
          subscribes.length > 0 && `hears from your other plugins of ${hears.en}`,
        ]) ?? 'may exchange events with your other plugins',
      zh:
        joined('；', [
          publishes.length > 0 && `可以向您的其他插件通知：${tells.zh}`,
          subscribes.length > 0 && `会收到您的其他插件的通知：${hears.zh}`,
        ]) ?? '可以与您的其他插件交换事件',
    };
  },
  plugins: ({ dependencies = [] }) => {
    const names = listed(dependencies.map(({ plugin }) => plugin));
    if (dependencies.length === 0) return { en: 'may call your other plugins', zh: '可以调用您的其他插件' };
    return { en: `may call these of your other plugins: ${names.en}`, zh: `可以调用您的这些插件：${names.zh}` };
  },
  notify: same('may send you messages', '可以向您发送消息'),
  queue: same('may put work off and do it later, in the background', '可以把工作留到以后，在后台完成'),
  fetch: ({ fetchHosts = [] }) => {
    if (fetchHosts.length === 0) return { en: 'may call no host of the internet', zh: '不能访问任何互联网主机' };
    return { en: `may call ${listed(fetchHosts.map(hostEn)).en}`, zh: `可以访问 ${listed(fetchHosts.map(hostZh)).zh}` };
  },
  secrets: ({ secrets = [] }) => {
    const each = secrets.map(({ name, send }) => ({ name, hosts: listed(send?.hosts ?? []) }));
    if (each.length === 0)
      return { en: 'may use secrets that you enter, without reading them', zh: '可以使用您填写的密钥，但不能读取' };
    const en = each.map(({ name, hosts }) => (hosts.en === '' ? name : `${name} (sent to ${hosts.en})`)).join(', ');
    const zh = each.map(({ name, hosts }) => (hosts.zh === '' ? name : `${name}（发送到 ${hosts.zh}）`)).join('、');
    return {
      en: `may use these secrets of yours, without reading them: ${en}`,
      zh: `可以使用您的这些密钥，但不能读取：${zh}`,
    };
  },
  'secret-values': ({ secrets = [] }) => {
    const names = listed(secrets.map(({ name }) => name));
    if (secrets.length === 0)
      return { en: 'may read the secrets that you enter for it', zh: '可以读取您为它填写的密钥' };
    return {
      en: `may read the values of these secrets of yours: ${names.en}`,
      zh: `可以读取您的这些密钥的内容：${names.zh}`,
    };
  },
};

/** All that the manifest lets a plugin do, in plain words: capabilities first, then what it does by itself and for strangers. */
export function reachLines(manifest: Manifest, locale: ListingLocale): ReachLine[] {
  const { capabilities = [], routes = [], schedule = [], personal = [] } = manifest;
  const open = routes.filter(({ access }) => access === 'public').map(routeKey);
  const jobs = schedule.map(({ name, cron }) => `${name} (${cron} UTC)`);
  const further = (of: ReachLine['of'], words: Words): ReachLine => ({
    of,
    text: words[locale],
    reason: null,
    optional: false,
  });
  return [
    ...capabilities.map(({ name, reason, optional = false }) => ({
      of: name,
      text: REACH_WORDS[name](manifest)[locale],
      reason,
      optional,
    })),
    ...(open.length === 0
      ? []
      : [
          further('routes', {
            en: `answers anybody, without a token, at ${listed(open).en}`,
            zh: `任何人无需令牌即可访问：${listed(open).zh}`,
          }),
        ]),
    ...(jobs.length === 0
      ? []
      : [further('schedule', { en: `runs by itself: ${listed(jobs).en}`, zh: `会自行定时运行：${listed(jobs).zh}` })]),
    ...(personal.length === 0 ? [] : [further('personal', { en: 'handles personal values', zh: '会处理个人数据' })]),
  ];
}

const CONFIGURED = 'config:';
const hostEn = (host: string): string =>
  host.startsWith(CONFIGURED) ? `the host that you enter as "${host.slice(CONFIGURED.length)}"` : host;
const hostZh = (host: string): string =>
  host.startsWith(CONFIGURED) ? `您在“${host.slice(CONFIGURED.length)}”中填写的主机` : host;

/** Null where there are none. */
function joined(separator: string, parts: (string | false)[]): string | null {
  const there = parts.filter((part) => part !== false);
  return there.length === 0 ? null : there.join(separator);
}
