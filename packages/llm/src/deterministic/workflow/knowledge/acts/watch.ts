import { archetype, type Act } from '../archetype.ts'

/** To monitor, track, watch, measure. */
export const watch: Act = {
  input: 'Past readings of the {object}',
  subject: 'data',
  core: 'read',
  counterpart: { name: 'Duty contact', duty: 'Takes every alarm and confirms it within the hour.' },
  tasks: [
    archetype(
      'prepare',
      'signals',
      'Choose the signals that speak for the {object}',
      'Signals and limits for the {object}',
      [
        'Pick at most seven signals, each with unit, source and reading interval',
        'Derive a lower and an upper limit from past readings|, not from hope',
        'Say for each limit who is woken, and what that person may do alone',
        'Remove signals on which nobody would act',
      ],
      'each signal has limits, a reader and a first action',
      'A signal nobody acts on trains people to ignore all of them.',
    ),
    archetype(
      'gather',
      'read',
      'Read the signals and keep the series',
      'Series of readings on the {object}',
      [
        'Take readings at the fixed hour|, including when everything looks calm',
        'Note beside outliers what else happened that day',
        'Mark gaps as gaps instead of guessing values',
        'Calibrate the source against a second one from time to time',
      ],
      'the series has no unexplained gap since the last look',
      'A series with honest gaps can be trusted; a smooth one has to be doubted.',
    ),
    archetype(
      'check',
      'trust',
      'Doubt the instruments before the {object}',
      'Trust notes on each source',
      [
        'Feed each source a known value and see what it shows',
        'List what would stay invisible if one source fell silent',
        'Change readers for a week and compare series',
        'Date each trust note|, so that it can expire',
      ],
      'each source showed a known value within its tolerance',
      'Many alarms are about thermometers, not about fevers.',
    ),
    archetype(
      'check',
      'drift',
      'Look for drift before limits break',
      'Note on drift in the {object}',
      [
        'Lay the latest readings over the same season earlier',
        'Call three moves in one direction a drift|, even inside the limits',
        'Test one explanation by looking where it would show besides',
        'Retire explanations that failed twice',
      ],
      'each drift carries an explanation that was tested, or the word unknown',
      'Limits catch what is already broken; drift shows what is about to.',
    ),
    archetype(
      'deliver',
      'alarm',
      'Raise and close alarms on the {object}',
      'Closed alarm log',
      [
        'Send the alarm with reading, limit and first action in one message',
        'Confirm receipt by name|, and pass it on when nobody answers in fifteen minutes',
        'Close it only after the reading has returned and stayed',
        'Count false alarms and move the limit that caused most',
      ],
      'the log holds no alarm without a confirming name and a closing reading',
      'An unconfirmed alarm is indistinguishable from silence.',
    ),
  ],
}
