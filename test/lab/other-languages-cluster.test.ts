import assert from "node:assert/strict";
import { copyFileSync, cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { installPython } from "./other-languages/python";
import { OwnProgram, settingsOf } from "./support/own-program";
import { answer } from "./support/psql";
import { repository, TestLab } from "./support/test-lab";

const programs = "test/lab/other-languages/cluster";

/** Part of what `pulumi preview --json` says of a resource. */
interface Step {
  urn: string;
  oldState?: { protect?: boolean };
  newState?: { protect?: boolean };
}

/** Components that are given to each other, with arguments of every kind. */
describe("a database cluster behind its poolers, of a program in Python", () => {
  const lab = new TestLab();
  const program = new OwnProgram(lab, `${programs}/python`);

  before(
    async () => {
      await lab.start("postgres", "--python");
      const { privateKey, hostKey, apt } = settingsOf(lab);
      const topology = JSON.parse(readFileSync(join(repository, "lab/topologies/postgres.json"), "utf8")) as {
        hosts: { name: string; address: string }[];
      };
      const hosts = topology.hosts.map(({ name, address }) => [name, { address, hostKey: hostKey(address) }]);
      await program.install({ hosts: Object.fromEntries(hosts), privateKey, apt });
      await installPython(program);
    },
    { timeout: 20 * 60_000 },
  );
  after(() => {
    lab.stop();
    program.dispose();
  });

  test("comes up as it was said, and a client writes with what the program gives out", async () => {
    await program.up();
    const { address, port, passwords } = await program.outputs();
    assert.deepEqual({ address, port }, { address: "192.168.1.200", port: 6432 });
    const password = (passwords as Record<string, string>).workspad ?? assert.fail("no password of workspad");
    const client = { host: String(address), user: "workspad", password, options: `port=${port}` };
    const ask = (query: string) => answer(lab, client, query);

    await ask("CREATE TABLE notes (text text); INSERT INTO notes VALUES ('written')");
    assert.equal(await ask("SELECT text FROM notes"), "written");
    assert.equal(await ask("SHOW max_connections"), "120");
    assert.match(await ask("SHOW wal_compression"), /^(on|pglz)$/);
    assert.equal(await ask("SELECT extname FROM pg_extension WHERE extname = 'pg_trgm'"), "pg_trgm");
    assert.equal(await ask("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'reader'"), "f");
    const pools = await lab.lab(["ssh", "proxy1", "grep -rh '^workspad *=' /etc/pgbouncer"]);
    assert.match(pools, /pool_mode=transaction.*pool_size=7/);
  });

  test("is the same to the same program in JavaScript: nothing to change, the same protected", async () => {
    const folder = join(program.folder, "javascript");
    cpSync(join(repository, programs, "javascript"), folder, { recursive: true });
    copyFileSync(join(program.folder, program.settingsFile), join(folder, program.settingsFile));
    await program.pulumi("stack", "select", program.stack, "--cwd", folder);
    const preview = ["preview", "--expect-no-changes", "--json", "--cwd", folder];
    const { steps } = JSON.parse(await program.pulumi(...preview)) as { steps: Step[] };
    const otherwise = steps.filter(({ oldState, newState }) => !oldState?.protect !== !newState?.protect);
    assert.deepEqual(
      otherwise.map(({ urn }) => urn),
      [],
    );

    const state = JSON.parse(await program.pulumi("stack", "export")) as {
      deployment: { resources: { urn: string; protect?: boolean }[] };
    };
    const guarded = state.deployment.resources
      .filter(({ protect }) => protect)
      .map(({ urn }) => urn.split("::").at(-1));
    assert.ok(guarded.includes("workspad-psql1"), `protected are: ${guarded.join(" ")}`);
  });
});
