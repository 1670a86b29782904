import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ProbeResult } from "../../components/converge/probe";
import { tokenFor } from "../../components/converge/token";

function answer(units: ProbeResult["units"]): ProbeResult {
  return { units } as ProbeResult;
}

describe("a unit's token", () => {
  test("in order: the stored one, verbatim, so that nothing changes", () => {
    assert.equal(tokenFor("etcd", answer({ etcd: { token: "install:1a", drift: [] } })), "install:1a");
  });

  test("drifted: says what, and is another one each time", () => {
    const drift = ["/etc/default/etcd content", "etcd.service inactive"];
    const first = tokenFor("etcd", answer({ etcd: { token: "initial", drift } }));
    assert.match(first, /^drift:[0-9a-f]{6} \/etc\/default\/etcd content; etcd\.service inactive$/);
    const again = tokenFor("etcd", answer({ etcd: { token: first, drift } }));
    assert.notEqual(again, first, "the same drift a second time would go unnoticed");
    assert.equal(tokenFor("etcd", answer({ etcd: { token: again, drift: [] } })), again, "healed is a fixed point");
  });

  test("the same state gives the same token: preview and update agree", () => {
    const state = answer({ etcd: { token: "initial", drift: ["x"] } });
    assert.equal(tokenFor("etcd", state), tokenFor("etcd", state));
  });

  test("unknown to the host: one that no state can hold", () => {
    assert.match(tokenFor("etcd", answer({})), /^install:[0-9a-f]{8}$/);
    assert.notEqual(tokenFor("etcd", answer({})), tokenFor("etcd", answer({})));
  });

  test("nothing in it means anything to a shell", () => {
    const token = tokenFor("etcd", answer({ etcd: { token: "t", drift: ["role 'a'; $(reboot) `x`\nб"] } }));
    assert.match(token, /^[A-Za-z0-9 ./:;_,=@%+?-]+$/);
  });
});
