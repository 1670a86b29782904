/** The four questions of the package's installer, answered without a person: on its terminal, and in debconf. */
import { secret } from "../converge/secrets";
import { ensure, literal } from "../converge/text";
import type { NodeConfig } from "./args";

/** What `terminal.py` reads: a line for each question, its pattern, a tab, the answer. */
export function renderAnswers(config: NodeConfig): string {
  const answers = answersTo(config);
  return questions.map((name) => `${literal(config.prompts[name])}\t${answers[name]}\n`).join("");
}

/** Puts the answers into debconf, for as long as the package is not installed. */
export function debconfAnswers({ debconf, ...config }: NodeConfig): string[] {
  if (!debconf) return [];
  const answers = answersTo(config);
  const installed = `[ "$(dpkg-query --show --showformat '\${db:Status-Status}' ${config.packageName} 2>/dev/null)" = installed ]`;
  return [
    ensure("debconf has the answers to the installer's questions", {
      check: installed,
      // One at a time: debconf-set-selections continues a line that ends in a backslash, unless it is the last one.
      fix: questions
        .map((name) => {
          const type = name === "password" ? "password" : "string";
          return `debconf-set-selections <<'ANSWER'\n${config.packageName} ${debconf[name]} ${type} ${answers[name]}\nANSWER`;
        })
        .join("\n"),
    }),
  ];
}

/** Takes the password out of debconf's database again. */
export function debconfForgets({ debconf, packageName }: NodeConfig): string[] {
  if (!debconf) return [];
  const ask = (command: string) =>
    `echo '${command} ${debconf.password}' | debconf-communicate ${packageName} 2>/dev/null`;
  return [
    ensure("debconf keeps no password", {
      check: `[ "$(${ask("GET")})" = "0 " ]`,
      fix: `${ask("RESET")} >/dev/null`,
    }),
  ];
}

const questions = ["host", "name", "user", "password"] as const;

function answersTo({ database }: Pick<NodeConfig, "database">): Record<(typeof questions)[number], string> {
  const host = database.host.includes(":") ? `[${database.host}]` : database.host;
  return {
    host: `${host}:${database.port}`,
    name: literal(database.database),
    user: literal(database.user),
    password: secret("database-password"),
  };
}
