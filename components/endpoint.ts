import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { adoNet, conninfo, url } from "./formats";

/** What an application needs to reach its database. */
export interface DatabaseEndpoint {
  /** Name or address. */
  host: pulumi.Output<string>;
  port: pulumi.Output<number>;
  database: pulumi.Output<string>;
  user: pulumi.Output<string>;
  /** Secret. */
  password: pulumi.Output<string>;
  /** PEM of the certificates that a client must trust. */
  caCertificate: pulumi.Output<string>;
  /** `postgresql://…` for libpq (PostgreSQL manual, 34.1.1.2), with `sslmode=verify-full`. Secret. */
  url: pulumi.Output<string>;
  /** `host=… port=…` for libpq (PostgreSQL manual, 34.1.1.1), with `sslmode=verify-full`. Secret. */
  conninfo: pulumi.Output<string>;
  /** For Npgsql, with `SSL Mode=VerifyFull`. Secret. */
  npgsql: pulumi.Output<string>;
  /** For the PostgreSQL JDBC driver, with `sslmode=verify-full`. Secret. */
  jdbc: pulumi.Output<string>;
}

/** The database that an application is given: what an endpoint says, or a database of your own. */
export interface DatabaseEndpointArgs {
  /** Name or address. */
  host: pulumi.Input<string>;
  /** TCP port. */
  port: pulumi.Input<number>;
  /** Name of the database. */
  database: pulumi.Input<string>;
  /** Who logs in. */
  user: pulumi.Input<string>;
  /** Secret. */
  password: pulumi.Input<string>;
  /** PEM of the certificates that a client must trust. */
  caCertificate: pulumi.Input<string>;
}

/** What an application needs to reach Redis. */
export interface RedisEndpoint {
  /** Name or address. */
  host: pulumi.Output<string>;
  port: pulumi.Output<number>;
  /** Secret. */
  password: pulumi.Output<string>;
  /** Whether the port speaks TLS. */
  tls: pulumi.Output<boolean>;
  /** PEM of the certificates that a client must trust. */
  caCertificate: pulumi.Output<string>;
  /** `rediss://:PASSWORD@HOST:PORT`, without TLS `redis://…` (IANA's registration of the scheme). Secret. */
  url: pulumi.Output<string>;
}

/** The Redis that an application is given: what an endpoint says, or one of your own. */
export interface RedisEndpointArgs {
  /** Name or address. */
  host: pulumi.Input<string>;
  /** TCP port. */
  port: pulumi.Input<number>;
  /**
   * User of Redis's access control lists.
   * @default Redis's own user `default`
   */
  user?: pulumi.Input<string>;
  /** Secret. */
  password: pulumi.Input<string>;
  /**
   * The port speaks TLS.
   * @default false
   */
  tls?: pulumi.Input<boolean>;
  /** PEM of the certificates that a client must trust; with `tls`. */
  caCertificate?: pulumi.Input<string>;
}

/** Plain values of an endpoint. */
export interface DatabaseAccess {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  caCertificate: string;
}

/**
 * The endpoint with its connection strings; the client adds where it keeps the CA's certificate.
 * @param ready the endpoint answers when these are there: who uses its password comes after them
 */
export function databaseEndpoint(access: pulumi.Output<DatabaseAccess>, ready: remote.Command[]): DatabaseEndpoint {
  const open = <T>(pick: (values: DatabaseAccess) => T) => pulumi.unsecret(access.apply(pick));
  const served = pulumi.all([access, ready.map((command) => command.id)]);
  const secret = (render: (values: DatabaseAccess) => string) => pulumi.secret(served.apply(([a]) => render(a)));
  return {
    host: open((a) => a.host),
    port: open((a) => a.port),
    database: open((a) => a.database),
    user: open((a) => a.user),
    caCertificate: open((a) => a.caCertificate),
    password: secret((a) => a.password),
    url: secret(libpqUrl),
    conninfo: secret(libpqConninfo),
    npgsql: secret(npgsqlString),
    jdbc: secret(jdbcUrl),
  };
}

/**
 * A client whose server lost power while it waited for an answer hears nothing any more: without these it would wait for
 * two hours, and with them for 8 s (PostgreSQL manual, 34.1.2).
 */
const liveness = { keepalives_idle: "5", keepalives_interval: "1", keepalives_count: "3", tcp_user_timeout: "8000" };

export function libpqUrl({ host, port, database, user, password }: DatabaseAccess): string {
  const options = Object.entries({ sslmode: "verify-full", ...liveness }).map(([key, value]) => `${key}=${value}`);
  return `postgresql://${url(user)}:${url(password)}@${host}:${port}/${url(database)}?${options.join("&")}`;
}

export function libpqConninfo({ host, port, database, user, password }: DatabaseAccess): string {
  const values = { host, port: String(port), dbname: database, user, password, sslmode: "verify-full", ...liveness };
  return Object.entries(values)
    .map(([key, value]) => `${key}=${conninfo(value)}`)
    .join(" ");
}

export function npgsqlString({ host, port, database, user, password }: DatabaseAccess): string {
  const values = {
    Host: host,
    Port: String(port),
    Database: database,
    Username: user,
    Password: password,
    "SSL Mode": "VerifyFull",
    // seconds since version 5, and VerifyFull is of version 6; the system has the count, 9 of Linux
    "Tcp Keepalive Time": liveness.keepalives_idle,
    "Tcp Keepalive Interval": liveness.keepalives_interval,
  };
  return Object.entries(values)
    .map(([key, value]) => `${key}=${adoNet(value)}`)
    .join(";");
}

/** The driver takes keepalives on or off; after which time they begin is the system's business (`net.ipv4.tcp_keepalive_*`). */
export function jdbcUrl({ host, port, database, user, password }: DatabaseAccess): string {
  const options = `user=${url(user)}&password=${url(password)}&sslmode=verify-full&tcpKeepAlive=true`;
  return `jdbc:postgresql://${host}:${port}/${url(database)}?${options}`;
}

/** Plain values of an endpoint of Redis. */
export interface RedisAccess {
  host: string;
  port: number;
  password: string;
  tls: boolean;
  caCertificate: string;
}

/** @param ready the endpoint answers when these are there: who uses its password comes after them */
export function redisEndpoint(access: pulumi.Output<RedisAccess>, ready: remote.Command[]): RedisEndpoint {
  const open = <T>(pick: (values: RedisAccess) => T) => pulumi.unsecret(access.apply(pick));
  const served = pulumi.all([access, ready.map((command) => command.id)]);
  return {
    host: open((a) => a.host),
    port: open((a) => a.port),
    tls: open((a) => a.tls),
    caCertificate: open((a) => a.caCertificate),
    password: pulumi.secret(served.apply(([a]) => a.password)),
    url: pulumi.secret(served.apply(([a]) => redisUrl(a))),
  };
}

export function redisUrl({ host, port, password, tls }: RedisAccess): string {
  return `${tls ? "rediss" : "redis"}://:${url(password)}@${host}:${port}`;
}
