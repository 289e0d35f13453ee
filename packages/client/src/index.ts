export { createClient, type CallInput, type Client, type ClientOptions } from './client.ts'
export { readServerSentEvents, type ServerSentEvent } from './server-sent-events.ts'
