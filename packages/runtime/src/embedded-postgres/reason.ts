/** What a system error's code means for a folder, as the end of "… cannot be used: ". */
const reasons: Record<string, string> = {
  EACCES: 'this user may not write to it',
  EPERM: 'this user may not write to it',
  EROFS: 'it is read-only',
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk quota is used up',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'it is a file',
  ENOENT: 'it cannot be created there',
  ENAMETOOLONG: 'its path is too long',
  EIO: 'its disk has an error',
}

/** The system's own words for the same, as Postgres passes them on. */
const systemWords: readonly [RegExp, keyof typeof reasons][] = [
  [/no space left on device/i, 'ENOSPC'],
  [/quota exceeded/i, 'EDQUOT'],
  [/read-only file system/i, 'EROFS'],
  [/permission denied/i, 'EACCES'],
  [/input\/output error/i, 'EIO'],
]

/** Why a folder cannot be used, in words for people, from a system error or a program's error output. */
export function reasonOf(problem: unknown): string {
  if (typeof problem === 'string') return reasonInOutput(problem)
  const code =
    problem instanceof Error && 'code' in problem ? String(problem.code) : 'unknown error'
  return reasons[code] ?? `the system refuses it (${code})`
}

function reasonInOutput(output: string): string {
  const known = systemWords.find(([words]) => words.test(output))?.[1]
  if (known !== undefined) return reasons[known] ?? known
  const lines = output.split('\n').map((line) => line.trim())
  const telling =
    lines.findLast((line) => /\b(FATAL|PANIC|error)\b/.test(line)) ?? lines.findLast(Boolean)
  if (telling === undefined) return 'Postgres did not start, and did not say why'
  const said = telling
    .replace(/^.*?\b(FATAL|PANIC|error):\s*/, '')
    .replace(/^\/\S+: /, '')
    .replace(/\.$/, '')
  return `Postgres fails on it (${said})`
}
