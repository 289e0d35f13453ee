#!/usr/bin/env node
import { createProgram } from './program.ts'
import { failure } from './failure.ts'

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = failure(error)
}
