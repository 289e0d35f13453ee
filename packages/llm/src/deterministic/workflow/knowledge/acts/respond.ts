import { archetype, type Act } from '../archetype.ts'

/** To respond, handle, resolve, investigate, triage. */
export const respond: Act = {
  input: 'Incoming reports about the {object}',
  subject: 'incidents',
  core: 'contain',
  counterpart: {
    name: 'Case owner on call',
    duty: 'Holds each case until it is closed or handed over.',
  },
  tasks: [
    archetype(
      'prepare',
      'drill',
      'Get ready before the {object} come',
      'Duty roster and drill notes',
      [
        'Publish a roster with a first and second name for each hour',
        'Write the first five minutes on one card',
        'Drill once without warning, and time it',
        'Stock what the card asks for|, within reach',
      ],
      'the drill reached the end of the card in time',
      'In the first five minutes people do what they practised.',
    ),
    archetype(
      'gather',
      'intake',
      'Take in the {object} and rank them',
      'Ranked queue of the {object}',
      [
        'Open a case within minutes: who, what, since when, how bad',
        'Rank by harm first, by number of people second|, by noise never',
        'Merge cases that share an origin',
        'Send a first reply that promises the next one by a certain hour',
      ],
      'no report older than an hour is without rank and reply',
      'People forgive slow repairs sooner than silence.',
    ),
    archetype(
      'produce',
      'contain',
      'Stop the harm before hunting the origin',
      'Containment note on the {object}',
      [
        'Isolate what spreads and restore what people cannot go without',
        'Use a workaround, and write down what it hides|, so that it is taken off again',
        'Keep traces untouched: copies, logs, parts',
        'Tell those affected what still works',
      ],
      'no new harm has been reported since the note was written',
      'Hunting origins during a fire burns the house down thoroughly understood.',
    ),
    archetype(
      'check',
      'origin',
      'Find the origin of the {object}',
      'Origin with proof',
      [
        'Draw the timeline from traces, not from recollection',
        'Form two rival explanations and look for what would refute each',
        'Reproduce it in a safe place|, or say plainly that this failed',
        'Note every guard that should have caught it and did not',
      ],
      'one explanation survived an honest attempt to refute it',
      'The first plausible story is usually the convenient one.',
    ),
    archetype(
      'deliver',
      'close',
      'Close the case with those affected',
      'Prevention list from the {object}',
      [
        'Repair the origin, then remove the workaround',
        'Tell those affected what happened, in words without blame',
        'Put one missing guard in place within a week|, and date the rest',
        'Ask the reporter whether the case may be closed',
      ],
      'the reporter agreed to close, and the first guard is in place',
      'A case closed without its reporter returns under another number.',
    ),
  ],
}
