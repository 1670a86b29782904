import { z } from "zod";

/** `hastack:postgres` of a stack; the component checks the values themselves. */
export const clusterSettings = z.looseObject({
  /** Refuse to delete what holds data. */
  protect: z.boolean().default(true),
});
