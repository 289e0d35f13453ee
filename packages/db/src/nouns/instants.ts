/** An instant as the API writes it, or null. */
export const isoOrNull = (at: Date | null): string | null => at?.toISOString() ?? null
