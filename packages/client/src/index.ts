export { createClient, type CallInput, type Client, type ClientOptions } from './client.ts'
export { readServerSentEvents, type ServerSentEvent } from './server-sent-events.ts'
// What users of the client need of the contract: the package that it comes from is not published.
export { isAlmanacError, type AlmanacError, type ErrorCode, type Operation } from '@almanac/domain'
