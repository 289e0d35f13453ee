import type { AnyDocumentKind } from '@almanac/documents'
import { runPackage, type Json, type RunPackage, type TenantId } from '@almanac/domain'
import { LRUCache } from 'lru-cache'
import type { BudgetLedger } from './calls/money-port.ts'
import type { CommitStage, Content } from './ports.ts'

/** Everything that stores content. */
type Storing = { content: Content; ledger: BudgetLedger } & CommitStage

/**
 * Content with a memory: what this process stored or read lately is not fetched or parsed again.
 * Safe because content never changes under its hash; bounded by characters, in thousands.
 */
export function rememberContent(
  { content: store, ledger, commitStage }: Storing,
  maxKilochars: number,
): Storing {
  const texts = new LRUCache<string, string>({
    maxSize: maxKilochars * 1_000,
    sizeCalculation: (text) => text.length + 100,
  })
  const at = (tenantId: TenantId, hash: string): string => `${tenantId}/${hash}`
  const content: Content = {
    async put(tenantId, contents) {
      const hashes = await store.put(tenantId, contents)
      hashes.forEach((hash, i) => texts.set(at(tenantId, hash), contents[i] ?? ''))
      return hashes
    },
    async get(tenantId, hash) {
      const known = texts.get(at(tenantId, hash))
      if (known !== undefined) return known
      const text = await store.get(tenantId, hash)
      texts.set(at(tenantId, hash), text)
      return text
    },
  }
  return {
    content,
    ledger: {
      ...ledger,
      async settle(call, settlement) {
        await ledger.settle(call, settlement)
        const { answer } = settlement
        if (answer) texts.set(at(call.run.tenantId, answer.hash), answer.text)
      },
    },
    async commitStage(commit) {
      const verdict = await commitStage(commit)
      for (const { hash, text } of commit.texts ?? []) texts.set(at(commit.tenantId, hash), text)
      return verdict
    },
  }
}

const packages = new WeakMap<Content, LRUCache<string, RunPackage>>()

function packagesOf(content: Content): LRUCache<string, RunPackage> {
  let known = packages.get(content)
  if (!known) packages.set(content, (known = new LRUCache({ max: 40 })))
  return known
}

/** Whoever reads this package in this process, once its text is stored, has it without parsing it. */
export function rememberPackage(
  content: Content,
  tenantId: TenantId,
  hash: string,
  runPackage: RunPackage,
): void {
  packagesOf(content).set(`${tenantId}/${hash}`, runPackage)
}

/** The parsed run package of a hash; parsed once a process and hash. */
export async function readPackage(
  content: Content,
  tenantId: TenantId,
  hash: string,
): Promise<RunPackage> {
  const known = packagesOf(content)
  const key = `${tenantId}/${hash}`
  const parsed = known.get(key)
  if (parsed) return parsed
  const fresh = runPackage.parse(JSON.parse(await content.get(tenantId, hash)))
  known.set(key, fresh)
  return fresh
}

const documents = new WeakMap<Content, LRUCache<string, NonNullable<Json>>>()

/** The parsed document of a hash; parsed once a process and hash. */
export async function readDocument(
  content: Content,
  tenantId: TenantId,
  hash: string,
  kind: AnyDocumentKind,
): Promise<Json> {
  let known = documents.get(content)
  if (!known) documents.set(content, (known = new LRUCache<string, NonNullable<Json>>({ max: 40 })))
  const key = `${kind.name}/${tenantId}/${hash}`
  const parsed = known.get(key)
  if (parsed !== undefined) return parsed
  const fresh = kind.parse(JSON.parse(await content.get(tenantId, hash)))
  if (fresh !== null) known.set(key, fresh)
  return fresh
}
