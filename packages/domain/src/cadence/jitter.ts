/** FNV-1a, 32 bit, of the UTF-8 bytes of `text`: a small hash that is the same everywhere. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** A share of `spreadMinutes` in whole seconds, in [0, spread), that depends on `seed` alone. */
export function jitterSeconds(seed: string, spreadMinutes: number): number {
  return Math.floor((fnv1a(seed) / 2 ** 32) * spreadMinutes * 60)
}
