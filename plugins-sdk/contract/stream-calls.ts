/**
 * Host calls by which bodies pass piece by piece. They are no capabilities: every invocation of a route may make them, `pieces` of
 * them in all. Being host calls they are recorded, so an execution elsewhere neither reads nor sends a piece twice, and the
 * host answers one only when the other side has room: that is the back-pressure.
 *
 *   request.read    the next piece of the request's body: `{"piece": base64 | null}`, null at its end
 *   response.start  `{"status": n, "headers": [[name, value], ...]}`; once, before any piece
 *   response.write  the next piece of the answer's body: `{"piece": base64}`
 */
export const STREAM_CALLS = ['request.read', 'response.start', 'response.write'] as const;
export type StreamCallName = (typeof STREAM_CALLS)[number];

/** By its first letters, for this is asked of every host call: no capability has one of these names. */
export const isStreamCall = (name: string): name is StreamCallName =>
  name === 'request.read' || name === 'response.write' || name === 'response.start';

/** What `request.read` reads at once, and `response.write` sends, at most. */
export const PIECE_BYTES_MAX = 64 * 1024;
