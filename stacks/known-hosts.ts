/**
 * The pinned keys in the text of a `known_hosts` file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), by host name or address;
 * of several keys the first. Hashed names cannot be looked up and are passed over.
 */
export function knownHosts(text: string): Map<string, string> {
  const keys = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [names, type, key] = line.trim().split(/\s+/);
    if (!names || names.startsWith("#") || names.startsWith("@") || !type || !key) continue;
    for (const name of names.split(",")) if (!keys.has(name)) keys.set(name, `${type} ${key}`);
  }
  return keys;
}
