/** What the worker asks of a logger; pino's has it. Fields first, ids and codes only, no content. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
