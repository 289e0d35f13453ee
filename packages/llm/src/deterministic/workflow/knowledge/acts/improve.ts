import { archetype, type Act } from '../archetype.ts'

/** To reduce, increase, optimise, improve. */
export const improve: Act = {
  input: 'Figures on the {object} of the last year',
  subject: 'data',
  core: 'experiment',
  counterpart: {
    name: 'Baseline keeper',
    duty: 'Guards how the figure is taken, before and after.',
  },
  tasks: [
    archetype(
      'gather',
      'baseline',
      'Measure where the {object} {stand/stands} now',
      'Baseline of the {object}',
      [
        'Define how the figure is taken so that a stranger gets the same one',
        'Take it four times before touching anything|, and keep the spread',
        'Split it by shift, site or kind until one slice stands out',
        'Write the target as a figure with a date',
      ],
      'two takers agree on the figure within its spread',
      'Without a spread, luck looks like progress.',
    ),
    archetype(
      'gather',
      'causes',
      'Trace the causes behind the worst slice',
      'Ranked causes in the {object}',
      [
        'Follow three single cases from end to start|, on foot',
        'Ask why until the answer is something that can be altered',
        'Estimate how much of the gap each cause explains',
        'Discard causes nobody present can influence',
      ],
      'the named causes explain at least two thirds of the gap',
      'Remedies for the wrong cause are paid for twice.',
    ),
    archetype(
      'gather',
      'voices-floor',
      'Ask those who live with the {object}',
      'Ideas from the floor on the {object}',
      [
        'Hold short talks at the place itself, in pairs',
        'Ask what was tried already and why it died',
        'Sort ideas by cost: free, cheap, dear|, and start free ones at once',
        'Name the idea’s author in each note',
      ],
      'a free idea is already running',
      'Those nearest to waste know its price best.',
    ),
    archetype(
      'produce',
      'experiment',
      'Try one remedy at a time on the {object}',
      'Results of the trials on the {object}',
      [
        'Choose the cheapest remedy for the biggest cause',
        'Predict the effect in writing|, then run it in one place for a fixed time',
        'Keep an untouched place for comparison',
        'Undo what did not reach half of its prediction',
      ],
      'each trial shows prediction, result and the decision that followed',
      'Two remedies at once teach nothing about either.',
    ),
    archetype(
      'sustain',
      'standard',
      'Make the gain the new standard',
      'New standard for the {object}',
      [
        'Rewrite the working instruction on the spot where work is done',
        'Retrain one shift at a time, the sceptics first',
        'Plot the figure where everyone walks past it|, for three months',
        'Agree what triggers another look',
      ],
      'the figure has held inside its new spread for three months',
      'Gains return to the old level when only memory holds them.',
    ),
  ],
}
