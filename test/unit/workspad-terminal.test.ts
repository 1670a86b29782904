/** `terminal.py` with installers of several kinds. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

const program = join(__dirname, "../../components/workspad-node/host/terminal.py");
const password = "jhYg/=\\F \"x\" 'y' $(id) пароль ";

describe("what an installer asks on its terminal", () => {
  const scratch = mkdtempSync(join(tmpdir(), "hastack-terminal-"));
  const answers = join(scratch, "answers");

  /** Runs a shell's text as the command. */
  const install = (script: string, patience = 3) => {
    const code = `import sys, runpy
source = open(${JSON.stringify(program)}).read()
source = source.replace("/etc/hastack/workspad/answers", ${JSON.stringify(answers)}).replace("PATIENCE = 60", "PATIENCE = ${patience}")
sys.argv = ["terminal.py", "bash", "-c", ${JSON.stringify(script)}]
exec(compile(source, "terminal.py", "exec"), {"__name__": "__main__"})`;
    return spawnSync("python3", ["-Bc", code], { encoding: "utf8", input: "" });
  };

  before(() =>
    writeFileSync(
      answers,
      `Database Server host\t192.168.1.200:6432\nDatabase name\tworkspad\nDatabase User\tworkspad\nPassword\t${password}\n`,
    ),
  );
  after(() => rmSync(scratch, { recursive: true }));

  test("is answered, read from standard input or from the terminal itself, echoed or not", () => {
    const { status, stdout } = install(`
echo unpacking; printf 'Database Server host (host:port): '; read -r host
printf 'Database Name? ' >/dev/tty; read -r name </dev/tty
read -r -p 'database user> ' user
IFS= read -rs -p 'Password: ' password; echo; echo "got $host|$name|$user|\${#password} $(printf %s "$password" | md5sum)"; exit 7`);
    const digest = spawnSync("md5sum", { input: password, encoding: "utf8" }).stdout.trim();
    assert.match(
      stdout,
      new RegExp(`^got 192\\.168\\.1\\.200:6432\\|workspad\\|workspad\\|${password.length} ${digest}$`, "m"),
    );
    assert.equal(status, 7, "the exit code is the installer's");
    assert.equal(stdout.includes("jhYg"), false, "no answer is printed");
  });

  test("is not answered before it is asked: an installer may throw away what was typed too early", () => {
    const flush = "import termios; termios.tcflush(0, termios.TCIFLUSH)";
    const { status, stdout } = install(`
printf 'Database name: '; sleep 0.2; python3 -c '${flush}'; read -r name; python3 -c '${flush}'; printf 'Password: '; read -r p; echo "got $name"`);
    assert.match(stdout, /^got workspad$/m);
    assert.equal(status, 0);
  });

  test("an installer that asks nothing just runs, and slow work is no question", () => {
    const { status, stdout } = install("printf 'Unpacking ... '; sleep 1.5; echo done; ls /no/such/file");
    assert.match(stdout, /Unpacking \.\.\. done\n/);
    assert.equal(status, 2);
  });

  test("a question without an answer ends it, and is quoted", () => {
    const { status, stdout } = install("printf 'Accept the licence? [y/N] '; read -r yes; echo accepted", 1);
    assert.match(stdout, /^E: it asks something that has no answer: Accept the licence\? \[y\/N\]$/m);
    assert.equal(status, 1);
    assert.equal(stdout.includes("accepted"), false);
  });

  test("an answer that is refused again and again ends it", () => {
    const { status, stdout } = install("while :; do printf 'Database name: '; read -r n; echo 'cannot connect'; done");
    assert.match(stdout, /^E: it does not accept the answer, and asks again and again: Database name:$/m);
    assert.equal(status, 1);
  });

  test("a command that does not exist is an error", () => {
    const { status, stdout } = install("exec /no/such/command");
    assert.match(stdout, /No such file/);
    assert.equal(status, 127);
  });
});
