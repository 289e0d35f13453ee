/** How long an error that was told is not told again, in milliseconds. */
const quietMs = 10_000

/**
 * Tells each error once: a server that goes away breaks a dozen connections, which try again every
 * second and all say the same. `now` is a monotonic clock in milliseconds.
 */
export function calm(
  onError: (error: unknown) => void,
  now: () => number = () => performance.now(),
): (error: unknown) => void {
  const told = new Map<string, number>()
  return (error) => {
    const at = now()
    for (const [message, before] of told) if (at - before >= quietMs) told.delete(message)
    const message = String(error)
    if (told.has(message)) return
    told.set(message, at)
    onError(error)
  }
}
