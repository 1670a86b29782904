import type { PoolerCluster } from "../pooler/cluster";

/** Something that goes wrong. */
export interface Fault {
  /** What it is called in the table, and by whoever wants only this one. */
  name: string;
  /**
   * Does the damage and waits until whatever it sets off is over; returns what undoes it.
   */
  strike: (cluster: PoolerCluster) => Promise<() => Promise<unknown>>;
  /** Seconds that a client may have to wait for a write, on a machine with other work to do. */
  longest: number;
}

/** Undoes what has mended itself. */
export const nothing = async (): Promise<void> => undefined;
