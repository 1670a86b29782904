/**
 * bcrypt (Provos and Mazières, 1999): Blowfish with an expensive key schedule. Node has no bcrypt, and a native module
 * for one output of one resource is not worth it.
 */
import { randomBytes } from "node:crypto";

const COST = 10;
const ROUNDS = 16;
const P_WORDS = ROUNDS + 2;
const S_WORDS = 4 * 256;
const ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** bcrypt reads at most this much of a password. */
const MAX_BYTES = 72;

/** The modular-crypt form, `$2a$10$` + 22 characters of salt + 31 of hash. */
export function bcrypt(password: string, salt: Buffer = randomBytes(16)): string {
  const key = Buffer.concat([Buffer.from(password, "utf8").subarray(0, MAX_BYTES), Buffer.of(0)]);
  const cipher = new Blowfish();
  cipher.expandKey(key, salt);
  for (let round = 0; round < 2 ** COST; round++) {
    cipher.expandKey(key);
    cipher.expandKey(salt);
  }
  const hash = cipher.encrypt64Times(Buffer.from("OrpheanBeholderScryDoubt"));
  // The last byte of the hash is left out: so every implementation does.
  return `$2a$${COST}$${base64(salt)}${base64(hash.subarray(0, 23))}`;
}

class Blowfish {
  private readonly p: Uint32Array;
  private readonly s: Uint32Array;

  constructor() {
    const words = fractionOfPi();
    this.p = words.slice(0, P_WORDS);
    this.s = words.slice(P_WORDS);
  }

  /** Mixes the key into the state; with a salt, the salt too. */
  expandKey(key: Buffer, salt?: Buffer): void {
    const { p, s } = this;
    for (let i = 0; i < P_WORDS; i++) p[i] = (p[i] as number) ^ cyclicWord(key, i);
    let saltWord = 0;
    let block: [number, number] = [0, 0];
    for (const table of [p, s]) {
      for (let i = 0; i < table.length; i += 2) {
        if (salt) block = [block[0] ^ cyclicWord(salt, saltWord++), block[1] ^ cyclicWord(salt, saltWord++)];
        block = this.encrypt(block[0], block[1]);
        table[i] = block[0];
        table[i + 1] = block[1];
      }
    }
  }

  encrypt64Times(text: Buffer): Buffer {
    const result = Buffer.alloc(text.length);
    for (let at = 0; at < text.length; at += 8) {
      let block: [number, number] = [text.readUInt32BE(at), text.readUInt32BE(at + 4)];
      for (let i = 0; i < 64; i++) block = this.encrypt(block[0], block[1]);
      result.writeUInt32BE(block[0] >>> 0, at);
      result.writeUInt32BE(block[1] >>> 0, at + 4);
    }
    return result;
  }

  private encrypt(left: number, right: number): [number, number] {
    const { p, s } = this;
    let l = left;
    let r = right;
    for (let i = 0; i < ROUNDS; i += 2) {
      l ^= p[i] as number;
      r ^= mix(s, l);
      r ^= p[i + 1] as number;
      l ^= mix(s, r);
    }
    return [r ^ (p[ROUNDS + 1] as number), l ^ (p[ROUNDS] as number)];
  }
}

function mix(s: Uint32Array, x: number): number {
  const sum = (s[x >>> 24] as number) + (s[0x100 + ((x >>> 16) & 0xff)] as number);
  return ((sum ^ (s[0x200 + ((x >>> 8) & 0xff)] as number)) + (s[0x300 + (x & 0xff)] as number)) | 0;
}

/** The `index`-th big-endian word of the bytes, repeated without end. */
function cyclicWord(bytes: Buffer, index: number): number {
  let word = 0;
  for (let i = 0; i < 4; i++) word = (word << 8) | (bytes[(index * 4 + i) % bytes.length] as number);
  return word;
}

let piWords: Uint32Array | undefined;

/** Blowfish starts from the binary digits of pi after the point, so they can be computed instead of listed. */
function fractionOfPi(): Uint32Array {
  if (piWords) return piWords;
  const count = P_WORDS + S_WORDS;
  const guardBits = 64n;
  const bits = BigInt(count * 32);
  const one = 1n << (bits + guardBits);
  // Machin: pi = 16 arctan(1/5) - 4 arctan(1/239)
  const fraction = (16n * arctanOfInverse(5n, one) - 4n * arctanOfInverse(239n, one) - 3n * one) >> guardBits;
  const hex = fraction.toString(16).padStart(count * 8, "0");
  piWords = Uint32Array.from({ length: count }, (_, i) => Number.parseInt(hex.slice(i * 8, i * 8 + 8), 16));
  return piWords;
}

function arctanOfInverse(x: bigint, one: bigint): bigint {
  let power = one / x;
  let sum = power;
  for (let n = 3n, sign = -1n; power > 0n; n += 2n, sign = -sign) {
    power /= x * x;
    sum += (sign * power) / n;
  }
  return sum;
}

/** bcrypt's own base64: another alphabet, no padding. */
function base64(bytes: Buffer): string {
  const standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return bytes
    .toString("base64")
    .replace(/=+$/, "")
    .replace(/./g, (character) => ALPHABET[standard.indexOf(character)] as string);
}
