import { AlmanacError, isAlmanacError, type Industry, type Issue } from '@almanac/domain'
import { checkIndustry, installIndustry } from '@almanac/industries'
import { readText } from '../read-file.ts'

/** The value of a JSON text that may hold `//` and block comments. Throws SyntaxError. */
export const parseCommentedJson = (text: string): unknown =>
  JSON.parse(
    text.replace(/("(?:[^"\\\n]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, quoted?: string) =>
      quoted === undefined ? '' : quoted,
    ),
  )

export type IndustryFile = { ok: true; industry: Industry } | { ok: false; problems: string[] }

/** The industry that a file describes, or all that is wrong with it. Throws FILE_UNREADABLE. */
export function readIndustry(file: string): IndustryFile {
  const text = readText(file)
  try {
    return checkIndustry(parseCommentedJson(text))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { ok: false, problems: [`must be JSON, with or without comments: ${error.message}`] }
  }
}

/** Installs the industries of files. Throws CONFIG_INVALID with all that is wrong with any of them. */
export function installIndustries(files: readonly string[]): void {
  const issues = files.flatMap((file): Issue[] => {
    const problem = (message: string) => ({
      field: 'ALMANAC_INDUSTRIES',
      message: `${file}: ${message}`,
    })
    try {
      const read = readIndustry(file)
      if (!read.ok) return read.problems.map(problem)
      installIndustry(read.industry)
      return []
    } catch (error) {
      if (!isAlmanacError(error)) throw error
      return [problem(error.message)]
    }
  })
  if (issues.length > 0) throw new AlmanacError('CONFIG_INVALID', { issues })
}
