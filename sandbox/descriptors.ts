/** What a cordon inherits, beside standard error. */
export const BLACK_BOX_FD = 3;
export const CONTROL_FD = 4;
const FIRST_LANE_FD = 5;

/** The descriptors of one lane: where it hears the host, and where it speaks. */
export interface LaneFds {
  hearFd: number;
  speakFd: number;
}

/**
 * One socket for each direction. With one for both, a lane that waits for words of the host was woken whenever the host had read
 * some of its own, for nothing: room to write and something to read are one queue of waiters in the kernel.
 */
export const laneFds = (lane: number): LaneFds => ({
  hearFd: FIRST_LANE_FD + 2 * lane,
  speakFd: FIRST_LANE_FD + 2 * lane + 1,
});
