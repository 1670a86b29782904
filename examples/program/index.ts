import * as pulumi from "@pulumi/pulumi";
import { type AptSourceArgs, CertificateAuthority, Host, inventory, RedisSecured } from "hastack";

/** One machine, and a Redis on it that only its clients reach. */
const config = new pulumi.Config();
const address = config.require("address");
const apt = config.getObject<AptSourceArgs>("apt");

const box = new Host("box", {
  address,
  connection: {
    host: address,
    user: "deploy",
    privateKey: config.requireSecret("privateKey"),
    hostKey: config.require("hostKey"),
  },
  // Where the machine's own package sources will not do, e.g. a mirror without a way to the internet.
  ...(apt && { apt }),
});
const ca = new CertificateAuthority("ca");
const cache = new RedisSecured("cache", {
  hosts: [box],
  ca,
  clients: config.requireObject<string[]>("clients"),
});

/** What an application needs: `rediss://:PASSWORD@ADDRESS:6379`, and whom to trust. */
export const url = cache.endpoint().url;
export const caCertificate = ca.certificate;
/** What the command `hastack status` reads. */
export const hastack = inventory({ hosts: [box], caches: [cache] });
