import { readFileSync } from 'node:fs'

export type Profile = 'embedded' | 'standard'

/** The servers of a profile; `fresh` gives each round a database and queue of its own. */
export interface Servers {
  fresh(): Promise<{ env: Record<string, string>; databaseUrl: string; redisUrl?: string }>
  close(): Promise<void>
}

export async function openProfile(profile: Profile): Promise<Servers> {
  const { openStandard } = await import('./standard-servers.ts')
  return openStandard(profile)
}

/** User and system seconds that a process has used, by the kernel's account. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}
