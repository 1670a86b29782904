import * as pulumi from "@pulumi/pulumi";

/** What a program asked the engine for. */
export interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/**
 * Replaces the engine by one that notes every resource and gives plausible outputs.
 * @param preview nobody may say that hosts are not asked but in a preview
 */
export async function withMocks(config: Record<string, string> = {}, preview = true): Promise<Registered[]> {
  const registered: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        registered.push({ type, name, inputs });
        return { id: `${name}-id`, state: { ...inputs, ...outputsOf(type, name) } };
      },
      call: ({ inputs }) => inputs,
    },
    "hastack",
    "test",
    preview,
  );
  pulumi.runtime.setAllConfig({ "hastack:probe": "off", ...config });
  return registered;
}

function outputsOf(type: string, name: string): Record<string, unknown> {
  switch (type) {
    case "random:index/randomPassword:RandomPassword":
      return { result: pulumi.secret(`SECRET-${name}`) };
    case "tls:index/privateKey:PrivateKey":
      return { privateKeyPem: pulumi.secret(`KEY-${name}`), privateKeyPemPkcs8: pulumi.secret(`KEY-${name}`) };
    case "tls:index/selfSignedCert:SelfSignedCert":
    case "tls:index/locallySignedCert:LocallySignedCert":
      return { certPem: `-----BEGIN CERTIFICATE-----\ncertificate of ${name}\n-----END CERTIFICATE-----\n` };
    case "tls:index/certRequest:CertRequest":
      return { certRequestPem: `request of ${name}` };
    case "command:remote:Command":
      return {
        stdout:
          'MemTotal: 4194304 kB\nID=debian\nVERSION_ID="12"\n2\n2: eth0    inet 192.168.1.130/24 brd 192.168.1.255 scope global eth0\n',
        stderr: "",
      };
    default:
      return {};
  }
}

/** Waits until everything that the program registered has its outputs. */
export async function settled(): Promise<void> {
  // The SDK's own queue of registrations: empty when a turn of the event loop adds nothing.
  for (let quiet = 0; quiet < 5; ) {
    const before = pending();
    await new Promise((resolve) => setTimeout(resolve, 10));
    quiet = pending() === before ? quiet + 1 : 0;
  }
  await pulumi.runtime.disconnect();
}

function pending(): number {
  return process.getActiveResourcesInfo().length;
}

/** A pinned host key. */
export const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKg1bT0n2bCkfB2Rjj0PDGQq6cLw4kEQf0xWqk8FJ8Hq";
