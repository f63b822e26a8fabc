import type { Route } from '../http/route.ts';
import { type AccountRoutePorts, accountRoutes } from './accounts.ts';
import { type AuditRoutePorts, auditRoutes } from './audit.ts';
import { type CataloguePorts, catalogueRoutes } from './catalogue.ts';
import { type DeviceCodePorts, deviceCodeRoutes } from './device-codes.ts';
import { type EventRoutePorts, eventRoutes } from './events.ts';
import { type FactorLoginPorts, factorLoginRoutes } from './factor-logins.ts';
import { type FactorRoutePorts, factorRoutes } from './factors.ts';
import { type GrantPorts, grantRoutes } from './grants.ts';
import type { InstallationPorts } from './installation-fields.ts';
import { installationRoutes } from './installations.ts';
import { type InvitationPorts, invitationRoutes } from './invitations.ts';
import { type KeyPorts, keyRoutes } from './keys.ts';
import { type ListingRoutePorts, listingRoutes } from './listing.ts';
import { type MailboxPorts, mailboxRoutes } from './mailbox.ts';
import { type MemberPorts, memberRoutes } from './members.ts';
import { type NotificationPorts, notificationRoutes } from './notifications.ts';
import { type OrganisationPorts, organisationRoutes } from './organisations.ts';
import { pageRoutes } from './pages.ts';
import { type PrivacyRoutePorts, privacyRoutes } from './privacy.ts';
import { type QueuePorts, queueRoutes } from './queues.ts';
import { type RatingRoutePorts, ratingRoutes } from './ratings.ts';
import { type RecordingPorts, recordingRoutes } from './recordings.ts';
import { type ReleaseLifePorts, releaseLifeRoutes } from './release-life.ts';
import { type ReleasePorts, releaseRoutes } from './releases.ts';
import { type ReviewRoutePorts, reviewOfReleaseRoutes } from './reviews-of-releases.ts';
import { rolloutRoutes } from './rollouts.ts';
import { type ScanRoutePorts, scanRoutes } from './scans.ts';
import { type SecretPorts, secretRoutes } from './secrets.ts';
import { type ServicePorts, serviceRoutes } from './service.ts';
import { type SessionRoutePorts, sessionRoutes } from './sessions.ts';
import { type StagingPorts, stagingRoutes } from './stagings.ts';
import { type StatisticsRoutePorts, statisticsRoutes } from './statistics.ts';
import { type TailPorts, tailRoutes } from './tails.ts';
import { type TelegramRoutePorts, telegramRoutes } from './telegram.ts';
import { type TokenPorts, tokenRoutes } from './tokens.ts';
import { type TransferRoutePorts, transferRoutes } from './transfers.ts';
import { type TransparencyRoutePorts, transparencyRoutes } from './transparency.ts';
import { type UploadRoutePorts, uploadRoutes } from './uploads.ts';
import { type WebhookRoutePorts, webhookRoutes } from './webhooks.ts';

export type { Readiness } from './service.ts';

export type RoutePorts = AccountRoutePorts &
  SessionRoutePorts &
  FactorLoginPorts &
  FactorRoutePorts &
  TelegramRoutePorts &
  MailboxPorts &
  MemberPorts &
  InvitationPorts &
  TokenPorts &
  DeviceCodePorts &
  OrganisationPorts &
  KeyPorts &
  ReleasePorts &
  ScanRoutePorts &
  ReviewRoutePorts &
  ReleaseLifePorts &
  TransferRoutePorts &
  UploadRoutePorts &
  InstallationPorts &
  StagingPorts &
  GrantPorts &
  RecordingPorts &
  SecretPorts &
  QueuePorts &
  NotificationPorts &
  EventRoutePorts &
  WebhookRoutePorts &
  AuditRoutePorts &
  CataloguePorts &
  ListingRoutePorts &
  RatingRoutePorts &
  StatisticsRoutePorts &
  PrivacyRoutePorts &
  TailPorts &
  TransparencyRoutePorts &
  ServicePorts;

/**
 * Every route but the data plane's, which is `run.ts`, as far as `serves` says so. Router, validators, OpenAPI, pages and tests all
 * read this table.
 */
export function allRoutes(ports: RoutePorts, serves: (route: Route) => boolean = () => true): readonly Route[] {
  const routes: Route[] = [
    ...accountRoutes(ports),
    ...sessionRoutes(ports),
    ...factorLoginRoutes(ports),
    ...factorRoutes(ports),
    ...telegramRoutes(ports),
    ...organisationRoutes(ports),
    ...memberRoutes(ports),
    ...invitationRoutes(ports),
    ...tokenRoutes(ports),
    ...deviceCodeRoutes(ports),
    ...keyRoutes(ports),
    ...releaseRoutes(ports),
    ...scanRoutes(ports),
    ...reviewOfReleaseRoutes(ports),
    ...releaseLifeRoutes(ports),
    ...transferRoutes(ports),
    ...uploadRoutes(ports),
    ...installationRoutes(ports),
    ...rolloutRoutes(ports),
    ...stagingRoutes(ports),
    ...secretRoutes(ports),
    ...queueRoutes(ports),
    ...recordingRoutes(ports),
    ...grantRoutes(ports),
    ...notificationRoutes(ports),
    ...eventRoutes(ports),
    ...webhookRoutes(ports),
    ...catalogueRoutes(ports),
    ...listingRoutes(ports),
    ...ratingRoutes(ports),
    ...statisticsRoutes(ports),
    ...auditRoutes(ports),
    ...privacyRoutes(ports),
    ...tailRoutes(ports),
    ...transparencyRoutes(ports),
    ...serviceRoutes(ports, () => routes),
    ...pageRoutes(ports),
    ...mailboxRoutes(ports),
  ].filter(serves);
  return routes;
}
