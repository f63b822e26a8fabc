import type { ApiToken, Person } from '../contract.ts';

/** What a program without a browser shows to the person in front of it (RFC 8628). */
export interface DeviceCode {
  /** For the program alone. */
  deviceCode: string;
  /** For the person to type: `BCDF-GHJK`. */
  userCode: string;
  expiresInSeconds: number;
  /** It may ask this often. */
  intervalSeconds: number;
}

/** What a person sees before they approve. */
export interface DeviceRequest {
  /** What the program calls itself. Not to be trusted. */
  label: string;
  /** From where it asked. */
  address: string;
  createdAt: string;
  expiresAt: string;
}

/** Logging in a program by a person's approval in a browser. */
export interface Devices {
  begin(command: { label: string; address: string }): Promise<DeviceCode>;
  /** Open requests only. Refuses with: device-code-unknown. */
  read(userCode: string): Promise<DeviceRequest>;
  /** For an organisation that the person belongs to. Refuses with: device-code-unknown, organisation-foreign. */
  approve(person: Person, command: { userCode: string; organisation: string }): Promise<DeviceRequest>;
  /** Refuses with: device-code-unknown. */
  deny(person: Person, userCode: string): Promise<void>;
  /**
   * The token, once. It acts as the person who approved does, and ends after 90 days.
   * Refuses with: device-code-pending, device-code-slow-down (and from then on every 5 seconds less often), device-code-denied,
   * device-code-expired.
   */
  claim(deviceCode: string): Promise<{ token: ApiToken; secret: string }>;
  sweep(): Promise<void>;
}
