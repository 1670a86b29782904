import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { notServedBy, type SiteState, type Sites, stateText, unready } from "../../stacks/site-state";

const sites: Sites = {
  scheme: "active-passive",
  activeSite: "south",
  nodes: {
    node1: { site: "north", address: "192.168.1.122", port: 443 },
    node2: { site: "south", address: "192.168.1.123", port: 443 },
  },
  balancers: ["nginx1", "nginx2"],
  url: "https://rudesktop.example.com",
  address: "192.168.1.220",
  healthPath: "/health",
};

/** A balancer that leads to the south. */
function saying(balancer: string, other: Partial<SiteState[number]> = {}): SiteState[number] {
  return {
    balancer,
    leadsTo: ["node2"],
    nodes: { node1: { health: "200", connections: 0 }, node2: { health: "200", connections: 7 } },
    statuses: ["200", "200"],
    answeredBy: ["node2", "node2"],
    ...other,
  };
}
const off: SiteState[number] = {
  balancer: "nginx2",
  unreachable: true,
  leadsTo: [],
  nodes: {},
  statuses: [],
  answeredBy: [],
};

describe("whether one site serves, and nobody else", () => {
  const well = saying("nginx1");

  test("it does when every balancer that can be reached leads there and was answered from there", () => {
    assert.deepEqual(notServedBy(sites, [well, saying("nginx2")], "south"), []);
    assert.deepEqual(notServedBy(sites, [well, off], "south"), []);
  });

  for (const [what, state, reason] of [
    [
      "one balancer leads elsewhere",
      [well, saying("nginx2", { leadsTo: ["node2", "node1"] })],
      "nginx2: leads to node1",
    ],
    ["one leads nowhere", [saying("nginx1", { leadsTo: [] })], "nginx1: leads to no node"],
    ["a request failed", [saying("nginx1", { statuses: ["200", "502"] })], "nginx1: a request got 502"],
    ["another node answered", [saying("nginx1", { answeredBy: ["node2", "node1"] })], "nginx1: node1 answered"],
    ["nobody answered", [saying("nginx1", { answeredBy: [] })], "nginx1: answered no request"],
    [
      "the other site still has connections",
      [saying("nginx1", { nodes: { node1: { health: "200", connections: 3 } } })],
      "nginx1: 3 connections to node1 are open",
    ],
    ["a balancer's answer is none", [saying("nginx1", { complaint: "no curl" })], "nginx1: no curl"],
    ["no balancer can be reached", [off], "no balancer can be reached"],
  ] as const) {
    test(`it does not: ${what}`, () => assert.deepEqual(notServedBy(sites, state, "south"), [reason]));
  }
});

describe("whether a site could serve", () => {
  test("a node that a balancer finds unready is named", () => {
    const sick = saying("nginx1", { nodes: { node2: { health: "503", connections: 0 } } });
    assert.deepEqual(unready(sites, [sick, off], "south"), ["node2: nginx1 gets 503 from it"]);
    assert.deepEqual(unready(sites, [saying("nginx1"), off], "south"), []);
  });

  test("with no balancer to ask, nobody knows", () => {
    assert.deepEqual(unready(sites, [off], "south"), ["no balancer can be reached, so nobody knows"]);
  });
});

test("both sites and the entry are shown", () => {
  const sick = saying("nginx1", {
    nodes: { node1: { health: "000", connections: 0 }, node2: { health: "200", connections: 7 } },
  });
  assert.equal(
    stateText(sites, [sick, off]),
    [
      "site north",
      "  node1  not ready, 0 connections from the entry",
      "site south",
      "  node2  ready, 7 connections from the entry",
      "entry 192.168.1.220",
      "  nginx1  leads to node2; 2 of 2 requests succeeded, answered by node2",
      "  nginx2  cannot be reached",
      "",
    ].join("\n"),
  );
});
