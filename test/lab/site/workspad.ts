import type { Application } from "./clients";

export const serverName = "workspad.company.com";

/** WorksPad, as its users see it. */
export function workspad({ users, networks }: Pick<Application, "users" | "networks">): Application {
  return {
    serverName,
    users,
    // the second one asks the database
    reads: ["/api/session", "/api/users?name=admin"],
    sessionHeader: { name: "Cookie", prefix: "WorksPad.Session=" },
    networks,
    devices: 0,
    relay: "",
  };
}
