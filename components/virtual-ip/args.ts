import { isIPv4 } from "node:net";
import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

/** How hosts agree on who holds a virtual address (VRRP, RFC 5798, by keepalived). */
export interface VrrpArgs {
  /**
   * Virtual router id, 1 to 255: no other VRRP on the network segment may use it.
   * @default the last number of the virtual address
   */
  routerId?: pulumi.Input<number>;
  /**
   * Seconds between two signs of life; after three without one another host takes over.
   * @default 1
   */
  advertInterval?: pulumi.Input<number>;
  /**
   * One for each host, 1 to 254. The higher one wins when nobody holds the address; nobody who holds it is pushed aside.
   * @default [250, 240, 230]
   */
  priorities?: pulumi.Input<pulumi.Input<number>[]>;
  /**
   * 1 to 8 letters and digits, on the network in clear: it keeps mistakes away, not attackers (the firewall does).
   * @default made at random, once
   */
  authPass?: pulumi.Input<string>;
  /**
   * Network interface on all hosts.
   * @default the one whose network holds the virtual address
   */
  interface?: pulumi.Input<string>;
}

export const virtualIpSchema = z
  .cidrv4({ message: 'give address and prefix of the network, e.g. "192.168.1.200/24"' })
  .transform((text) => {
    const [address = "", prefix = ""] = text.split("/");
    return { address, prefix: Number(prefix) };
  })
  .refine(({ address }) => isIPv4(address) && !/\.(0|255)$/.test(address), {
    message: "is the address of a network, not of a host",
  });

export const vrrpSchema = z
  .object({
    routerId: z
      .number()
      .int()
      .min(1)
      .max(255, { message: "VRRP has 8 bits for it: give 1 to 255 (RFC 5798, 5.2.3)" })
      .optional(),
    advertInterval: z
      .number()
      .int({ message: "VRRP with a password counts in whole seconds" })
      .min(1)
      .max(60)
      .default(1),
    priorities: z
      .array(z.number().int().min(1).max(254, { message: "255 is for the address's owner: give at most 254" }))
      .optional(),
    authPass: z
      .string()
      .regex(/^[A-Za-z0-9]{1,8}$/, { message: "give 1 to 8 letters and digits: keepalived ignores what is longer" })
      .optional(),
    interface: z
      .string()
      .regex(/^[A-Za-z0-9_.:-]{1,15}$/, { message: "not an interface's name" })
      .optional(),
  })
  .prefault({});

export type VirtualIp = z.output<typeof virtualIpSchema>;
export type Vrrp = z.output<typeof vrrpSchema>;
