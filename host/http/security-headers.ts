import helmet from 'helmet';

/**
 * The platform's own pages load nothing from elsewhere and run no inline code, so one policy fits them and the API.
 * Transport is not forced by CSP: a host on a plain address of a local network must work too.
 */
const POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};

/** Helmet has no header for this: the platform's pages, and plugins', use none of these powers. */
const PERMISSIONS_POLICY = 'camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()';

type Headers = Readonly<Record<string, string>>;

const PLATFORM: Headers = Object.freeze({
  ...said(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: POLICY },
      crossOriginEmbedderPolicy: true,
      crossOriginOpenerPolicy: { policy: 'same-origin' },
      crossOriginResourcePolicy: { policy: 'same-origin' },
      frameguard: { action: 'deny' },
      referrerPolicy: { policy: 'no-referrer' },
      strictTransportSecurity: false,
    }),
  ),
  'Permissions-Policy': PERMISSIONS_POLICY,
});

/** Only https can promise https (RFC 6797, section 7.2). */
const TRANSPORT = said(helmet.strictTransportSecurity({ maxAge: 31_536_000, includeSubDomains: false }));
const PLATFORM_HTTPS: Headers = Object.freeze({ ...PLATFORM, ...TRANSPORT });

/**
 * Of every answer of the platform itself: pages, the API, streams, and problems, also of what could not be read as HTTP.
 * `https`: whether callers reach this host by https.
 */
export const platformHeaders = (https: boolean): Headers => (https ? PLATFORM_HTTPS : PLATFORM);

/**
 * Of every answer of a plugin. Callers' browsers must not treat a stranger's page as the
 * platform's own: opaque origin, no scripts, no frames around it, no sniffing.
 */
const PLUGIN: Headers = {
  'Content-Security-Policy': "sandbox; frame-ancestors 'none'",
  ...Object.fromEntries(
    [
      'X-Content-Type-Options',
      'Referrer-Policy',
      'X-Frame-Options',
      'Cross-Origin-Opener-Policy',
      'Cross-Origin-Embedder-Policy',
      'Origin-Agent-Cluster',
      'Permissions-Policy',
    ].map((name) => [name, PLATFORM[name]!]),
  ),
};
const PLUGIN_LINES = linesOf(PLUGIN);
const PLUGIN_HTTPS_LINES = linesOf({ ...PLUGIN, ...TRANSPORT });

/** Header lines; see PLUGIN. `Cross-Origin-Resource-Policy` and `Cache-Control` are the plugin's to say, and strict where it says nothing. */
export const pluginAnswerLines = (https: boolean): string => (https ? PLUGIN_HTTPS_LINES : PLUGIN_LINES);

function linesOf(headers: Headers): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

/** What a middleware of helmet would set on any answer. */
function said(middleware: (req: never, res: never, next: () => void) => void): Record<string, string> {
  const headers: Record<string, string> = {};
  const res = {
    setHeader: (name: string, value: string) => {
      headers[name] = value;
    },
    removeHeader: () => {},
  };
  middleware({} as never, res as never, () => {});
  return headers;
}
