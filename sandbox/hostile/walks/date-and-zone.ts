import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'looks for the real clock and the real time zone',
  code: jobIn(`
    const clocks = [Date.now(), +new Date(), Date.parse(Date()), new Date().getTime(), new (new Date().constructor)().getTime(),
      Reflect.construct(Date, []).getTime(), Temporal.Now.instant().epochMilliseconds, new Event('x').timeStamp + Date.now(), performance.timeOrigin,
      Date.parse(new Intl.DateTimeFormat('en-US', { dateStyle: 'short', timeStyle: 'medium' }).format() + ' UTC')];
    globalThis.Proxy = function (target) { return target; };
    const zones = [Intl.DateTimeFormat().resolvedOptions().timeZone, new Intl.DateTimeFormat('de', {}).resolvedOptions().timeZone,
      Temporal.Now.timeZoneId(), Temporal.Now.zonedDateTimeISO().timeZoneId];
    return { clocks: new Set(clocks).size, zones: [...new Set(zones)] };`),
  ends: { answers: { clocks: 1, zones: ['UTC'] } },
} satisfies Attack;
