import type { Command } from "../command";
import { doctor } from "./doctor";
import { drift } from "./drift";
import { review } from "./review";
import { status } from "./status";

export const commands: Readonly<Record<string, Command>> = { doctor, status, drift, review };
