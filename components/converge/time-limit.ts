/**
 * Calls `reached` after so many seconds in which this program could have listened; what is returned ends that. A program
 * of hundreds of hosts computes for longer than a handshake may take: what came in meanwhile is read only after the
 * timers that ran out, and a host that has answered would be taken for dead.
 */
export function timeLimit(seconds: number, reached: () => void): () => void {
  let tenths = 10;
  // However long the program was busy, an interval fires once for it.
  const timer = setInterval(() => {
    if (--tenths > 0) return;
    clearInterval(timer);
    reached();
  }, seconds * 100);
  return () => clearInterval(timer);
}
