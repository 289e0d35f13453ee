import { sha256 } from '@almanac/domain/hash'
import type { Check } from './check.ts'

interface Row {
  tenant_id: string
  specification_id: string
  revision: number
  body: string
  hash: string
}

/** P5: what a tenant ordered is what it ordered then. */
export const specificationRevisions: Check = {
  promise: 'P5',
  name: 'every revision of a specification is what its hash says',
  unit: 'revisions',
  async run({ snapshot }, findings) {
    const rows = snapshot.each<Row>(
      'select tenant_id, specification_id, revision, body, hash from specification_revisions',
    )
    for await (const { body, hash, ...row } of rows) {
      findings.rows(1)
      const found = sha256(body)
      if (found !== hash)
        findings.problem('specification_revisions', row, `its body has the hash ${found}`)
    }
  },
}
