import { type AuditIn, type AuditOrigin, createAuditIn, createLogIn } from '../../registry/index.ts';
import { type AlertsPorts, openAlerts } from '../alerts/open-alerts.ts';
import { currentActor } from '../http/request-origin.ts';
import { withGrantLog } from '../transparency/log-grants-store.ts';
import { openTransparency } from '../transparency/open-transparency.ts';
import { createAuditInstallation } from './installation-audit-store.ts';
import { type AuditSigningPorts, signAuditHeads } from './sign-heads.ts';

export interface OpenAuditPorts extends AuditSigningPorts, Omit<AlertsPorts, 'auditIn'> {
  newId: () => string;
  origin: () => AuditOrigin | null;
}

/** What a host tells and signs: the audit trail, the alerts that come of it, and the transparency log. */
export async function openAudit(ports: OpenAuditPorts, opened: (() => Promise<unknown>)[]) {
  const auditIn: AuditIn = createAuditIn(ports);
  opened.push(signAuditHeads(ports));
  const { raise, close } = await openAlerts({ ...ports, auditIn });
  opened.push(close);
  const audit = withGrantLog(createAuditInstallation(auditIn, currentActor, 'rollouts'), createLogIn(ports));
  const transparency = openTransparency(ports);
  opened.push(transparency.close);
  const auditConduct = createAuditInstallation(auditIn, () => null, 'conduct');
  return { auditIn, raise, audit, auditConduct, transparency };
}
