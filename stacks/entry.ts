import * as pulumi from "@pulumi/pulumi";
import { CertificateAuthority, type Host, inventory, NginxBalancer } from "../components";
import { parse } from "../components/validate";
import { authoritySettings, balancerSettings, defined } from "./settings";

/** An entry on all hosts of the stack, in front of servers that are there already. */
export function entry(hosts: Record<string, Host>, config: pulumi.Config) {
  const stack = `stack ${pulumi.getStack()}`;
  const authority = parse(stack, authoritySettings, config.getObject("ca") ?? {});
  const balancer = parse(stack, balancerSettings, config.requireObject("balancer"));

  const ca = new CertificateAuthority("ca", defined(authority));
  const front = new NginxBalancer("front", { hosts: Object.values(hosts), ca, ...balancer });

  return {
    address: front.address,
    url: front.url,
    ca: ca.certificate,
    hastack: inventory({ hosts: Object.values(hosts), balancers: [front] }),
  };
}
