import { fault } from "./fault";

/** How a resource that holds data may go. */
export interface Removal {
  /** Pulumi refuses to delete it. */
  protect: boolean;
  /** Its data goes with it. */
  purge: boolean;
}

/** Data is protected unless that is lifted, and outlives what is deleted unless it is to be purged. */
export function removalOf(resource: string, purge = false, protect = true): Removal {
  if (purge && protect) {
    throw fault(
      `${resource}: purge: true: what is protected is never deleted, so nothing could be purged: ` +
        "lift the protection (`protect: false` in the resource's options), or leave purge out",
    );
  }
  return { protect, purge };
}
