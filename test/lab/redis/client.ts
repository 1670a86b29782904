/**
 * A client of Redis as a program, for it has to run in the lab's network. Standard input is one line of JSON: an `Order`;
 * what it prints is one line of JSON for every reply.
 */
import { createInterface } from "node:readline";
import { Connection, type Reply, type Server } from "./resp";

export interface Order {
  server: Server;
  password?: string;
  user?: string;
  /** Asked one after the other. Without them the client writes numbers until it is ended, and prints those acknowledged. */
  commands?: (string | number)[][];
  /** The writer takes a number for acknowledged only when a replica has it, too. */
  wait?: boolean;
  /** Seconds after which an answer is not waited for any more. @default 2 */
  patience?: number;
}

/** A reply, or why there is none. */
export interface Answer {
  reply?: Reply;
  error?: string;
}

const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`);

createInterface({ input: process.stdin }).once("line", (line) => {
  const order = JSON.parse(line) as Order;
  (order.commands ? askAll(order, order.commands) : write(order)).then(
    () => process.exit(0),
    (error: Error) => {
      say({ error: error.message });
      process.exit(0);
    },
  );
});

async function login({ server, password, user, patience = 2 }: Order): Promise<Connection> {
  const connection = await Connection.open(server, patience);
  if (password !== undefined) await connection.ask(user ? ["AUTH", user, password] : ["AUTH", password]);
  return connection;
}

async function askAll(order: Order, commands: (string | number)[][]): Promise<void> {
  const connection = await login(order);
  for (const command of commands) {
    say(
      await connection.ask(command).then(
        (reply): Answer => ({ reply }),
        (error: Error): Answer => ({ error: error.message }),
      ),
    );
  }
}

/** A number whose fate is unknown is not tried again. */
async function write(order: Order): Promise<void> {
  const { patience = 2 } = order;
  let connection: Connection | undefined;
  for (let number = 1; ; number++) {
    try {
      connection ??= await login(order);
      await connection.ask(["SADD", "ledger", number], patience);
      if (order.wait && Number(await connection.ask(["WAIT", 1, 1000], patience)) < 1) {
        throw new Error("no replica has it");
      }
      say({ number });
    } catch (error) {
      say({ error: (error as Error).message });
      connection?.close();
      connection = undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
