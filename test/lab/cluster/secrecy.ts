import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formsOf, leaked, type Secret, secretsOf } from "../support/secrets";
import type { Suite } from "../support/suite";

/** Who does not hold the stack's passphrase, and is not root on a host, sees no password and no key. */
export function secrecy({ promise, cluster }: Suite): void {
  promise("no secret is in the output of `up`, or of a preview in any form", async () => {
    const { stack } = cluster;
    const password = "correct horse battery staple";
    const restore = stack.configure({
      "hastack:postgres": { ttl: 30, roles: [{ name: "auditor", connectionLimit: 7 }] },
    });
    try {
      await stack.configureSecrets({ "hastack:postgres.roles[0].password": password });
      const shown = await stack.succeeds(stack.preview("--diff"));
      assert.match(shown, /\+ +"?ttl"?: 30/, "the preview shows what changes");
      assert.match(shown, /auditor/);
      await stack.succeeds(stack.preview("--json"));
    } finally {
      restore();
    }
    const secrets = await knownSecrets(cluster);
    const given = { what: "password of auditor", value: password };
    for (const [command, printed] of stack.transcript) {
      assert.deepEqual(leaked(printed, [...secrets, given]), [], `printed by \`${command}\``);
    }
  });

  promise("a reviewer sees every line of what goes to a host but the secrets", async () => {
    const hidden = (await cluster.stack.resources())
      .filter(
        ({ urn, inputs }) =>
          urn.includes("command:remote:Command") && !["string", "undefined"].includes(typeof inputs?.stdin),
      )
      .map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2));
    assert.deepEqual(
      hidden.filter((name) => !name.endsWith("-secrets")),
      [],
    );
    assert.notEqual(hidden.length, 0);
  });

  promise("the stack's state holds secrets only encrypted", async () => {
    const secrets = await knownSecrets(cluster);
    const directory = join(cluster.lab.state, "pulumi-state");
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.some(({ name }) => name === "postgres.json"));
    for (const { path, name } of files) {
      assert.deepEqual(leaked(readFileSync(join(path, name), "utf8"), secrets), [], `in ${name}`);
    }
  });

  promise("no process on a host carries a secret in its command line, at any moment of an `up`", async () => {
    const secrets = await knownSecrets(cluster);
    const seen = [...cluster.commandLines, ...Object.values(await cluster.hosts.all("ps axww -o args"))];
    for (const program of ["converge apply", "etcdctl", "psql"]) {
      assert.ok(
        seen.some((lines) => lines.includes(program)),
        `${program} was seen`,
      );
    }
    for (const lines of seen) assert.deepEqual(leaked(lines, secrets), []);
  });

  promise("no user of a host but root and those who run the services can read a secret", async () => {
    const secrets = await knownSecrets(cluster);
    const patterns = secrets.flatMap(({ value }) => formsOf(value)).join("\n");
    const paths = "/etc /var /run /tmp /home /root /opt /srv /usr/local /dev/shm";
    const asNobody = `LC_ALL=C setpriv --reuid=65534 --regid=65534 --clear-groups grep -rlsaF -D skip -f - ${paths} || true`;
    const [host = ""] = cluster.hosts.names;
    const [secret] = secrets;
    await cluster.hosts.sh(host, "umask 022; cat >/var/tmp/left-behind", secret?.value);
    const found = await cluster.hosts.all(asNobody, patterns);
    await cluster.hosts.sh(host, "rm /var/tmp/left-behind");
    assert.deepEqual(found, {
      ...Object.fromEntries(cluster.hosts.names.map((name) => [name, ""])),
      [host]: "/var/tmp/left-behind\n", // planted, so that the search is known to find
    });
  });

  promise("no secret is in the journals of the hosts", async () => {
    const secrets = await knownSecrets(cluster);
    for (const [host, journal] of Object.entries(await cluster.hosts.all("journalctl --no-pager --all -o cat"))) {
      assert.match(journal, /database system is ready to accept/, `PostgreSQL's log of ${host} is in its journal`);
      assert.deepEqual(leaked(journal, secrets), [], host);
    }
  });
}

/** All secrets of the stack, and of each kind at least one: else a search for them would find nothing anywhere. */
async function knownSecrets({ stack }: Suite["cluster"]): Promise<Secret[]> {
  const secrets = await secretsOf(stack);
  const kinds = [/^password of postgres$/, /^password of workspad$/, /verifier-/, /rest-password/, /-seed result/];
  for (const kind of [...kinds, /server\.key/, /ca-key privateKeyPem/, /etcd-password/, /^SSH key$/]) {
    assert.ok(
      secrets.some(({ what }) => kind.test(what)),
      `${kind} is among the secrets`,
    );
  }
  return secrets;
}
