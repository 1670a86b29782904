import type * as pulumi from "@pulumi/pulumi";
import { getStack } from "@pulumi/pulumi";
import { CertificateAuthority, type Host, RedisSecured } from "../components";
import { parse } from "../components/validate";
import { authoritySettings, defined, redisSettings } from "./settings";

/** Redis on all hosts of the stack. */
export function redis(hosts: Record<string, Host>, config: pulumi.Config) {
  const stack = `stack ${getStack()}`;
  const { protect, ...settings } = parse(stack, redisSettings, config.getObject("redis") ?? {});
  const ca = new CertificateAuthority("ca", defined(parse(stack, authoritySettings, config.getObject("ca") ?? {})));
  const cache = new RedisSecured("cache", { hosts: Object.values(hosts), ca, ...settings }, { protect });
  return { ca: ca.certificate, endpoint: cache.endpoint(), adminPassword: cache.adminPassword };
}
