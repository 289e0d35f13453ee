/** What one statement of a report may hold; longer ones are findings. Characters are UTF-16 units. */
export const statementLimits = {
  itemCharacters: 700,
  summaryCharacters: 500,
  citations: 20,
} as const
