import { archetype, type Archetype } from './archetype.ts'

/**
 * What a purpose says besides its acts, each kind with the task that makes sure of it. In its texts
 * `{object}` is the condition itself, as the purpose says it.
 */
export const conditions = {
  deadline: archetype(
    'check',
    'deadline',
    'Guard the date: {object}',
    'Confirmed date',
    [
      'Count back from “{object}”|, and mark the last safe day of every module',
      'Report each Friday how many working days of reserve are left',
      'Cut scope in the agreed order once the reserve is gone',
    ],
    'the result is there {object}, or the cut was announced in advance',
    'Dates are missed one day at a time.',
  ),
  rhythm: archetype(
    'sustain',
    'rhythm',
    'Keep the rhythm: {object}',
    'Rota for each round',
    [
      'Enter the rounds ({object}) in a rota with a first and a second name',
      'Open each round with what the previous one left over',
      'Skip a round by decision only|, never by forgetting',
    ],
    'the rota shows every round held or skipped by decision',
    'A rhythm that slips twice is gone.',
  ),
  ceiling: archetype(
    'check',
    'ceiling',
    'Stay inside the limit: {object}',
    'Running tally against the limit',
    [
      'Keep a running tally against “{object}”, commitments included',
      'Warn at four fifths and stop new commitments at the limit',
      'Release reserves through one named person',
    ],
    'the final tally respects “{object}”',
    'Commitments break limits long before payments do.',
  ),
  exclusion: archetype(
    'check',
    'exclusion',
    'Rule out: {object}',
    'Proof that the exclusion held',
    [
      'Translate “{object}” into an observable sign that it was violated',
      'Look for that sign at every handover',
      'Halt and reverse the latest step when it appears',
    ],
    'no handover showed the sign',
    'What must not happen needs a lookout more than a promise.',
  ),
  place: archetype(
    'prepare',
    'local-ground',
    'Settle what differs from place to place: {object}',
    'Sheet of local differences',
    [
      'Ask one local contact per place ({object})|, about hours, holidays, language and custom',
      'Decide what is uniform and what each place may settle alone',
      'Pilot where conditions are harshest',
    ],
    'each place has confirmed its line on the sheet',
    'Uniform plans fail at the edge nobody visited.',
  ),
  beneficiary: archetype(
    'deliver',
    'beneficiary',
    'Serve those it is meant for: {object}',
    'Acceptance by those it is meant for',
    [
      'Ask two of them ({object}) beforehand|, what they could do with the result',
      'Show them a half-finished state and change what they stumble over',
      'Have them accept the result by using it once',
    ],
    'two of them used the result without being asked to',
    'Good intentions for absent people are usually wrong in the details.',
  ),
  means: archetype(
    'prepare',
    'means',
    'Make the means ready: {object}',
    'Means, tried out',
    [
      'Check that {object} can be had|, in the needed amount and on the needed day',
      'Try the means on the smallest real case',
      'Write down what replaces it for two days, should it fail',
    ],
    'the smallest real case went through with it',
    'Tools fail on the first real case, not in the demonstration.',
  ),
  destination: archetype(
    'prepare',
    'destination',
    'Make the far end ready: {object}',
    'Far end, ready to receive',
    [
      'Inspect the far end ({object})|: room, rights and limits, before anything leaves',
      'Send one harmless piece ahead and see how it arrives',
      'Name who receives at the other side, hour by hour',
    ],
    'the piece sent ahead arrived whole and was confirmed',
    'A sender only knows half of a journey.',
  ),
  origin: archetype(
    'gather',
    'origin',
    'Secure the source: {object}',
    'Access to the source, in writing',
    [
      'Agree with the holder what may be taken ({object})|, when and in which form',
      'Take a first small portion and look for holes in it',
      'Write down what the source cannot tell',
    ],
    'a first portion has arrived in the agreed form',
    'Sources dry up when nobody asked their owner.',
  ),
  detail: archetype(
    'check',
    'detail',
    'Hold to what was specified: {object}',
    'Specified detail, confirmed',
    [
      'Repeat “{object}” to whoever asked for it until both mean the same',
      'Derive one test from it that can fail',
      'Run that test on the finished result',
    ],
    'the derived test was run and its outcome is written down',
    'Details spoken once are remembered differently by everybody.',
  ),
  aim: archetype(
    'check',
    'aim',
    'Keep the aim in sight: {object}',
    'Answer to the question of aim',
    [
      'Rewrite “{object}” as a question that can be answered with yes or no',
      'Answer it at the end of every phase, with one observation',
      'Stop what does not serve it|, even when it is nearly finished',
    ],
    'the last answer is yes, and names its observation',
    'Busy work hides a lost aim.',
  ),
} as const satisfies Record<string, Archetype>
export type ConditionKind = keyof typeof conditions
