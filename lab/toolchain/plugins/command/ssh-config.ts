/** What an endpoint's arguments mean for the SSH client: how to prove who we are, and who the server must be. */
import { createPrivateKey } from "node:crypto";
import { connect } from "node:net";
import type { AuthenticationType, ConnectConfig, ServerHostKeyAlgorithm } from "ssh2";
import { opensshPrivateKey } from "../shared/openssh-key";
import type { Endpoint } from "./connection";

export interface ClientConfig {
  config: ConnectConfig;
  /** Why the server's key was refused, if it was. */
  refusal(): string | undefined;
}

export async function clientConfig(endpoint: Endpoint): Promise<ClientConfig> {
  const { password, privateKeyPassword, perDialTimeout } = endpoint;
  const agent = endpoint.agentSocketPath ?? (process.env.SSH_AUTH_SOCK || undefined);
  const privateKey = endpoint.privateKey && (await readableKey(endpoint.privateKey, privateKeyPassword));
  if (agent) await agentAnswers(agent);
  const methods: [AuthenticationType, unknown][] = [
    ["publickey", privateKey],
    ["password", password],
    ["keyboard-interactive", password],
    ["agent", agent],
  ];
  const config: ConnectConfig = {
    username: endpoint.user,
    authHandler: ["none", ...methods.filter(([, given]) => given !== undefined).map(([method]) => method)],
    readyTimeout: perDialTimeout * 1000,
    ...(privateKey !== undefined && { privateKey }),
    ...(privateKeyPassword !== undefined && { passphrase: privateKeyPassword }),
    ...(password !== undefined && { password, tryKeyboard: true }),
    ...(agent !== undefined && { agent }),
  };
  const { hostKey } = endpoint;
  return hostKey === undefined ? { config, refusal: () => undefined } : pinned(config, hostKey);
}

function pinned(config: ConnectConfig, hostKey: string): ClientConfig {
  const [type, base64] = hostKey.trim().split(/\s+/);
  const expected = Buffer.from(base64 ?? "", "base64");
  if (!type || expected.length === 0) {
    throw new Error(
      `failed to parse host key: expected "TYPE BASE64", as in known_hosts, got ${JSON.stringify(hostKey)}`,
    );
  }
  // Ask for a key of the pinned type: the server may have several and would otherwise choose.
  const algorithms = (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", type] : [type]) as ServerHostKeyAlgorithm[];
  let refusal: string | undefined;
  return {
    refusal: () => refusal,
    config: {
      ...config,
      algorithms: { serverHostKey: algorithms },
      hostVerifier: (presented: Buffer) => {
        if (!presented.equals(expected)) refusal = "ssh: host key mismatch";
        return refusal === undefined;
      },
    },
  };
}

/** `ssh2` reads OpenSSH and traditional PEM files, but no PKCS#8. */
async function readableKey(pem: string, passphrase: string | undefined): Promise<string> {
  const { utils } = await import("ssh2");
  const text = /^-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.test(pem.trim())
    ? opensshPrivateKey(createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) }))
    : pem;
  const parsed = utils.parseKey(text, passphrase);
  if (parsed instanceof Error) throw new Error(`ssh: cannot read "privateKey": ${parsed.message}`);
  return text;
}

/** A stale socket fails at once and by name, even where a key is given: so does the official plugin. */
function agentAnswers(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(`dial unix ${path}: ${error.message} (agentSocketPath or SSH_AUTH_SOCK)`)),
    );
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}
