import { failure, type Result } from "./process";
import type { TestLab } from "./test-lab";

export interface Login {
  /** libpq's list of hosts. */
  host: string;
  user: string;
  password: string;
  /** @default the user's name */
  database?: string;
  sslmode?: string;
  sslrootcert?: string;
  /** More of libpq's connection string. */
  options?: string;
}

/** Everything in variables, where no character means anything. */
export function environmentOf({ host, user, password, database, sslmode, sslrootcert }: Login): NodeJS.ProcessEnv {
  return {
    PGHOST: host,
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database ?? user,
    PGSSLMODE: sslmode ?? "require",
    PGSSLROOTCERT: sslrootcert ?? "",
    PGCONNECT_TIMEOUT: "5",
    PGCLIENTENCODING: "UTF8",
  };
}

export function commandOf({ options }: Login): string[] {
  return ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", ...(options ? ["-d", options] : [])];
}

/** A client in the lab's network. */
export function psql(lab: TestLab, login: Login, query: string): Promise<Result> {
  return lab.exec([...commandOf(login), "-c", query], { env: environmentOf(login) });
}

/** The answer to a query that has to succeed. */
export async function answer(lab: TestLab, login: Login, query: string): Promise<string> {
  const result = await psql(lab, login, query);
  if (result.code !== 0) throw new Error(failure("psql", [login.user, query], result));
  return result.stdout.trim();
}

/** The error of a login that has to be refused. */
export async function refusal(lab: TestLab, login: Login): Promise<string> {
  const result = await psql(lab, login, "SELECT 1");
  if (result.code === 0) throw new Error(`${login.user} logged in at ${login.host}, and should not`);
  return result.stderr;
}
