import { parseArgs } from 'node:util'
import { benchDocuments } from './documents.ts'
import { benchEngine } from './engine.ts'
import { publish } from './measurements.ts'
import { benchMoney } from './money.ts'
import { benchPipeline } from './pipeline.ts'
import { benchRefinement } from './refinement.ts'

/** `npm run bench -- NAME [--profile embedded|standard] [--json FILE]`: measures, and decides nothing. */
const benches = {
  documents: benchDocuments,
  engine: benchEngine,
  money: benchMoney,
  pipeline: benchPipeline,
  refinement: benchRefinement,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    profile: { type: 'string', default: 'embedded' },
    rounds: { type: 'string', default: '3' },
  },
})
const [name = ''] = positionals
const bench = Object.hasOwn(benches, name) ? benches[name as keyof typeof benches] : undefined
if (!bench || !['embedded', 'standard'].includes(values.profile)) {
  console.error(
    `Usage: npm run bench -- ${Object.keys(benches).join(' | ')} [--profile embedded|standard] [--rounds N] [--json FILE]`,
  )
  process.exit(2)
}
const metrics = await bench({
  profile: values.profile as 'embedded' | 'standard',
  rounds: Number(values.rounds),
})
publish(`${name} (${values.profile})`, metrics, values.json)
