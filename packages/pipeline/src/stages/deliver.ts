import { delivered, persisted } from '../outputs.ts'
import type { Ports } from '../ports.ts'
import { defineStage } from '../stage.ts'

/** Starts the run's deliveries at once; without it they start with the delivery loop's next pass. */
export const deliver = defineStage({
  name: 'deliver',
  role: 'aftermath',
  tries: 1,
  timeoutMs: 5_000,
  input: { persist: persisted },
  output: delivered,
  run: async ({ run, persist }, { deliveries }: Pick<Ports, 'deliveries'>) => {
    if (persist.deliveries.length > 0) await deliveries.prompt(run.tenantId, run.id)
    return null
  },
})
