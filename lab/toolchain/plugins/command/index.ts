/** The stand-in for `@pulumi/command`. */
import { main } from "../shared/main";
import { copyFile, copyToRemote } from "./copy";
import { localCommand, localRun } from "./local-command";
import { remoteCommand } from "./remote-command";

main({
  name: "command",
  resources: {
    "command:remote:Command": remoteCommand,
    "command:remote:CopyToRemote": copyToRemote,
    "command:remote:CopyFile": copyFile,
    "command:local:Command": localCommand,
  },
  functions: { "command:local:run": localRun },
});
