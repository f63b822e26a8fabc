/** What a cordon inherits, beside standard error. */
export const BLACK_BOX_FD = 3;
export const CONTROL_FD = 4;
const FIRST_LANE_FD = 5;
const FDS_PER_LANE = 3;

/** The descriptors of one lane: where it hears the host, by waiting or by looking, and where it speaks. */
export interface LaneFds {
  hearFd: number;
  pollFd: number;
  speakFd: number;
}

/**
 * One way for each direction. With one socket for both, a lane that waits for words of the host was woken whenever the host had read
 * some of its own, for nothing: room to write and something to read are one queue of waiters in the kernel.
 */
export const laneFds = (lane: number): LaneFds => {
  const hearFd = FIRST_LANE_FD + FDS_PER_LANE * lane;
  return { hearFd, pollFd: hearFd + 1, speakFd: hearFd + 2 };
};
