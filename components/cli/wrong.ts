/** What the user has to put right; the command ends with exit code 2. */
export class Wrong extends Error {}
