/** The four questions of the package's installer, answered without a person: on its terminal, and in debconf. */
import { secret } from "../converge/secrets";
import { ensure, literal } from "../converge/text";
import { formats } from "../formats";
import type { NodeConfig } from "./args";

/** What `terminal.py` reads: a line for each question, its pattern, a tab, the answer. */
export function renderAnswers(config: NodeConfig): string {
  const answers = answersTo(config, "raw");
  return questions.map((name) => `${literal(config.prompts[name])}\t${answers[name]}\n`).join("");
}

/** Puts the answers into debconf, for as long as the package is not installed. */
export function debconfAnswers({ debconf, ...config }: NodeConfig): string[] {
  if (!debconf) return [];
  const answers = answersTo(config, "raw");
  const quotedAnswers = answersTo(config, "shell");
  const installed = `[ "$(dpkg-query --show --showformat '\${db:Status-Status}' ${config.packageName} 2>/dev/null)" = installed ]`;
  return [
    ensure("debconf has the answers to the installer's questions", {
      check: [
        `${installed} && exit 0`,
        ...questions.map((name) => `[ "${asked("GET", debconf[name], config)}" = "0 "${quotedAnswers[name]} ]`),
      ].join("\n"),
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
export function debconfForgets({ debconf, ...config }: NodeConfig): string[] {
  if (!debconf) return [];
  return [
    ensure("debconf keeps no password", {
      check: `[ "${asked("GET", debconf.password, config)}" = "0 " ]`,
      fix: `: "${asked("RESET", debconf.password, config)}"`,
    }),
  ];
}

const questions = ["host", "name", "user", "password"] as const;

/** The answer of debconf: `0 ` and a value where all is well (debconf-devel(7)). */
function asked(command: string, question: string, { packageName }: Pick<NodeConfig, "packageName">): string {
  return `$(echo '${command} ${question}' | debconf-communicate ${packageName} 2>/dev/null)`;
}

function answersTo({ database }: Pick<NodeConfig, "database">, format: "raw" | "shell") {
  const host = database.host.includes(":") ? `[${database.host}]` : database.host;
  const plain = (value: string) => literal(formats[format](value));
  return {
    host: plain(`${host}:${database.port}`),
    name: plain(database.database),
    user: plain(database.user),
    password: secret("database-password", format),
  };
}
