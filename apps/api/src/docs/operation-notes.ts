import type { Operation } from '@almanac/domain'

/** A header that a request may carry, beside Authorization. */
interface HeaderNote {
  name: string
  description: string
  required?: boolean
  example: string
}

const waiting: HeaderNote = {
  name: 'Prefer',
  description: 'wait=N: answer when the run has ended, or after N seconds, at most 60.',
  example: 'wait=30',
}

/** Request headers of single operations; `Idempotency-Key` follows from the route itself. */
export const requestHeaders: Partial<Record<Operation, readonly HeaderNote[]>> = {
  createRun: [waiting],
  retryRun: [waiting],
  rerunRun: [waiting],
  changeSpecification: [
    {
      name: 'If-Match',
      description: 'The revision that the change starts from, as the ETag has it.',
      required: true,
      example: '"7"',
    },
  ],
  streamRunEvents: [
    {
      name: 'Last-Event-ID',
      description: 'The sequence number after which to go on; comes before `after`.',
      example: '12',
    },
  ],
  getArtifact: [
    {
      name: 'If-None-Match',
      description: 'The ETag of the copy that the caller has.',
      example: '"9f86d081884c7d65…"',
    },
  ],
}

export const idempotencyHeader: HeaderNote = {
  name: 'Idempotency-Key',
  description:
    'Makes it safe to send this again for 24 hours: the second answer is the first one, marked `Idempotency-Replayed: true`.',
  example: 'order-7',
}

/** Answers with other statuses than the route's own, and what each means. */
export const furtherStatuses: Partial<Record<Operation, Readonly<Record<number, string>>>> = {
  createRun: {
    200: 'The run ended while the caller waited, or `return_existing` found one.',
    202: 'The caller waited, and the run is not over yet.',
  },
  retryRun: {
    200: 'The run ended while the caller waited.',
    202: 'The caller waited, and the run is not over yet.',
  },
  rerunRun: {
    200: 'The run ended while the caller waited.',
    202: 'The caller waited, and the run is not over yet.',
  },
  streamRunEvents: { 204: 'The run is over and has no further events.' },
  getArtifact: { 304: 'The caller’s copy is the artifact.' },
  previewArtifact: { 304: 'The caller’s copy is the artifact.' },
}

/** Response headers of single operations, beside Request-Id. */
export const responseHeaders: Partial<Record<Operation, Readonly<Record<string, string>>>> = {
  createSpecification: { Location: 'Its address.', ETag: 'Its revision, for If-Match.' },
  getSpecification: { ETag: 'Its revision, for If-Match.' },
  changeSpecification: { ETag: 'Its new revision.' },
  createRun: {
    Location: 'The run’s address.',
    'Preference-Applied': 'The waiting time that was kept, such as wait=30.',
  },
  retryRun: { Location: 'The new run’s address.' },
  rerunRun: { Location: 'The new run’s address.' },
  getArtifact: { ETag: 'SHA-256 of the bytes.', 'Content-Disposition': 'A file name.' },
  previewArtifact: {
    ETag: 'SHA-256 of the bytes.',
    'Content-Security-Policy': 'Lets nothing in the artifact run or load.',
  },
}
