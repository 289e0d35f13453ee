import type { Screen } from '../screen.ts'

/** A screen that nobody watches, with what commands wrote to it. */
export interface RecordingScreen extends Screen {
  said: string[]
  results: unknown[]
}

/** Creates a screen that keeps the lines, warnings among them, and the results of commands. */
export function recordingScreen({ json = false } = {}): RecordingScreen {
  const said: string[] = []
  const results: unknown[] = []
  return {
    ...{ json, interactive: false, said, results },
    say: (line = '') => void said.push(line),
    warn: (line) => void said.push(line),
    result: (value) => void results.push(value),
  }
}
