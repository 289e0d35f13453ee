import { archetype, type Act } from '../archetype.ts'

/** To maintain, repair, clean, calibrate, restock. */
export const maintain: Act = {
  input: 'Service history of the {object}',
  subject: 'equipment',
  core: 'service',
  counterpart: {
    name: 'Stores keeper',
    duty: 'Has parts and material on the shelf before work begins.',
  },
  tasks: [
    archetype(
      'gather',
      'condition',
      'Examine the condition of the {object}',
      'Condition sheet of the {object}',
      [
        'Look, listen, touch and measure in the same sequence each round',
        'Write wear as a figure|, for instance millimetres left or hours run',
        'Photograph anything that differs from the previous round',
        'Tag unsafe items at once and take them out of service',
      ],
      'every item has a figure, and unsafe ones carry a tag',
      'A fixed sequence finds what a casual glance skips.',
    ),
    archetype(
      'prepare',
      'kit',
      'Make up the kit before the stop',
      'Kit and permit for the {object}',
      [
        'Lay out parts, consumables and tools per job, in one box',
        'Obtain the permit, and agree the stop with those who depend on it',
        'Read the maker’s torque, fill and clearance values into the job card',
        'Plan what is done first if the stop is cut short',
      ],
      'the box is complete when checked against the card by a second person',
      'Most of a stop is lost walking for parts.',
    ),
    archetype(
      'prepare',
      'intervals',
      'Set intervals for the {object} by wear',
      'Interval table for the {object}',
      [
        'Order items by consequence of failure, not by price',
        'Shorten intervals where two of the last five rounds found damage',
        'Lengthen where three rounds found none|, one notch at a time',
        'Spread heavy jobs over the quiet months',
      ],
      'each item has an interval and the round that justifies it',
      'Intervals from a brochure fit nobody’s climate.',
    ),
    archetype(
      'produce',
      'service',
      'Service the {object} by the job card',
      'Signed job cards of the {object}',
      [
        'Isolate, lock and prove dead before the first cover comes off',
        'Work down the card and enter each value reached|, not a tick',
        'Replace worn parts in pairs or sets where they wear together',
        'Clean while closing, since dirt hides the next leak',
      ],
      'each card holds values and a signature, and no part is left over',
      'A value shows a trend; a tick shows only that a pen was at hand.',
    ),
    archetype(
      'check',
      'return',
      'Return the {object} to use under observation',
      'Return-to-use record',
      [
        'Start without load, then bring it up in three stages',
        'Compare noise, heat and output with the condition sheet',
        'Stay for the first full cycle|, and come back after a day',
        'Adjust the interval by what wear was found',
      ],
      'readings after a day equal those at handover',
      'Repairs fail early or late, seldom in between.',
    ),
  ],
}
