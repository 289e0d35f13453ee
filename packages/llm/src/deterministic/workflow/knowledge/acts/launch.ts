import { archetype, type Act } from '../archetype.ts'

/** To launch, release, roll out, open. */
export const launch: Act = {
  input: 'Promise made about the {object}',
  subject: 'goods',
  core: 'open',
  counterpart: {
    name: 'Launch desk',
    duty: 'Answers the first users and records what they trip over.',
  },
  tasks: [
    archetype(
      'prepare',
      'promise',
      'Put the promise of the {object} into one sentence',
      'Promise and first users of the {object}',
      [
        'Say in one sentence who can do what on day one that was impossible before',
        'Name the first fifty users and why they would bother|, in their own words',
        'List what is deliberately missing from the first version',
        'Choose the single number that will tell whether it landed',
      ],
      'an outsider repeats the promise correctly after hearing it once',
      'A launch without a single promise is remembered for its bugs.',
    ),
    archetype(
      'gather',
      'trial-crowd',
      'Let strangers try the {object} in private',
      'Stumbling blocks of the {object}',
      [
        'Invite twelve strangers, unpaid by the project',
        'Give a goal instead of instructions and keep silent',
        'Note the minute at which each gives up|, and the last thing touched',
        'Repair the two commonest blocks, then invite twelve others',
      ],
      'the second dozen passed where the first gave up',
      'Friends forgive what strangers leave over.',
    ),
    archetype(
      'produce',
      'readiness',
      'Bring the {object} to readiness',
      'Readiness sheet of the {object}',
      [
        'Hold a readiness meeting where support, legal, supply and sales each say yes or no',
        'Turn every no into a blocker with an owner|, or into an accepted risk with a signature',
        'Prepare answers to the ten questions that will certainly come',
        'Rehearse the failure that would hurt most',
      ],
      'all voices say yes, or a signature stands under each remaining risk',
      'The team that was not asked is the one that is overrun on the first day.',
    ),
    archetype(
      'deliver',
      'open',
      'Open the {object} in widening circles',
      'Open {object} with a record of each circle',
      [
        'Let in the smallest circle first and watch them without helping',
        'Widen only after the agreed number has held for the agreed time',
        'Keep the off switch with one person per shift',
        'Publish the announcement when the second circle is calm, not before',
      ],
      'the widest circle is in, and the off switch was not needed in the last one',
      'Small circles turn a public failure into a private lesson.',
    ),
    archetype(
      'sustain',
      'afterglow',
      'Learn from the first weeks of the {object}',
      'Launch lessons and next version list',
      [
        'Read every question of the first two weeks|, sorted by how often it came',
        'Hold the chosen number against the promise',
        'Drop, mend or double each channel by what it brought',
        'Thank first users by showing what changed because of them',
      ],
      'the next version list names the user words that each entry comes from',
      'Attention after a launch is short; what is learnt then cannot be bought later.',
    ),
  ],
}
