export { simulateLlm, type CommandPorts } from './command.ts'
export { systemClock, type Clock } from './clock.ts'
export type { Control, SettingsChange } from './control.ts'
export type { Usage } from './composing/reply.ts'
export { faultNames, type Fault, type FaultName } from './faults/fault.ts'
export type { FaultRuleInput, StandingRule } from './faults/fault-book.ts'
export type { LogEntry, RequestLog, Totals } from './request-log.ts'
export type { Settings, SimulatorOptions } from './settings.ts'
export {
  createSimulator,
  type Listening,
  type Simulator,
  type SimulatorPorts,
} from './simulator.ts'
export { countTokens } from './tokens.ts'
