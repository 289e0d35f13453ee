import { z } from 'zod'

/** The prefix of each noun's TypeID (https://github.com/jetify-com/typeid); an id says what it names. */
export const idPrefixes = {
  tenant: 'ten',
  principal: 'prn',
  key: 'key',
  specification: 'spec',
  run: 'run',
  document: 'doc',
  version: 'ver',
  artifact: 'art',
  event: 'evt',
  audit: 'aud',
  source: 'src',
  module: 'mod',
  delivery: 'dlv',
  worker: 'wrk',
  request: 'req',
  checkpoint: 'chk',
  operator: 'opr',
} as const

export type Noun = keyof typeof idPrefixes
export type Id<N extends Noun> = `${(typeof idPrefixes)[N]}_${string}`

export type TenantId = Id<'tenant'>
export type PrincipalId = Id<'principal'>
export type KeyId = Id<'key'>
export type SpecificationId = Id<'specification'>
export type RunId = Id<'run'>
export type DocumentId = Id<'document'>
export type VersionId = Id<'version'>
export type ArtifactId = Id<'artifact'>
export type EventId = Id<'event'>
export type AuditId = Id<'audit'>
export type SourceId = Id<'source'>
export type ModuleId = Id<'module'>
export type DeliveryId = Id<'delivery'>
export type WorkerId = Id<'worker'>
export type RequestId = Id<'request'>
export type CheckpointId = Id<'checkpoint'>
export type OperatorId = Id<'operator'>

/** Crockford base32 of a UUIDv7, as TypeID writes it: 26 characters, the first at most 7. */
const suffix = z.string().regex(/^[0-7][0-9a-hjkmnp-tv-z]{25}$/)

/** A schema for the TypeID of one noun, such as `run_01jd…`. */
export const typeId = <N extends Noun>(noun: N) =>
  z.templateLiteral([`${idPrefixes[noun]}_`, suffix], {
    error: `must be an id of the form ${idPrefixes[noun]}_ followed by 26 characters`,
  }) as unknown as z.ZodType<Id<N>, Id<N>>

export const tenantId = typeId('tenant')
export const principalId = typeId('principal')
export const keyId = typeId('key')
export const specificationId = typeId('specification')
export const runId = typeId('run')
export const documentId = typeId('document')
export const versionId = typeId('version')
export const artifactId = typeId('artifact')
export const eventId = typeId('event')
export const auditId = typeId('audit')
export const sourceId = typeId('source')
export const moduleId = typeId('module')
export const deliveryId = typeId('delivery')
export const workerId = typeId('worker')
export const checkpointId = typeId('checkpoint')
export const operatorId = typeId('operator')
