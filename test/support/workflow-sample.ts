import {
  moduleDefinition,
  workflowSpecification,
  type ModuleDefinition,
  type WorkflowSpecification,
} from '@almanac/domain'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const example = resolve(import.meta.dirname, '../../examples/supplier-onboarding')
const read = (file: string): unknown => JSON.parse(readFileSync(resolve(example, file), 'utf8'))

/** The example's workflow specification, with what a test changes of it. */
export const sampleWorkflow = (over: Partial<WorkflowSpecification> = {}): WorkflowSpecification =>
  workflowSpecification.parse({ ...(read('specification.json') as object), ...over })

/** The example's registered module. */
export const sampleModule = (): ModuleDefinition => moduleDefinition.parse(read('module.json'))

export const sampleMonth = '2026-09'
