import type { NewJob } from './queue-backend.ts'

type Add = (jobs: readonly NewJob[]) => Promise<void>

/**
 * Adds the jobs of one turn of the event loop together: those of stages that were committed together
 * follow each other at once, and share a round trip. A failure is told to all who added.
 */
export function gatherAdds(add: Add): Add {
  let gathered: NewJob[] = []
  let added: Promise<void> | undefined
  return (jobs) => {
    gathered.push(...jobs)
    added ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        const all = gathered
        gathered = []
        added = undefined
        add(all).then(resolve, reject)
      })
    })
    return added
  }
}
