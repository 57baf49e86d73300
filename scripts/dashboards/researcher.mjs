import {
  AxisPlacement,
  BigValueGraphMode,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { graph, of, perSecond, stat } from './panels.mjs';
import { alerts, phases, progress, rate, state, timeLeft } from './shared.mjs';

const BITS = 'suffix: bits/dim';

const now = [
  state(4),
  progress(4),
  timeLeft(3),
  stat('Examples', 3, [perSecond('ardm_samples_total'), 'examples/s'], 'Training examples a second.')
    .unit('suffix: /s')
    .graphMode(BigValueGraphMode.Area),
  stat(
    'Test bound',
    4,
    [of('ardm_loss_bits_per_dim', 'split="test"'), 'test'],
    'Bits per dimension of the moving average at the last evaluation. Lower is better.',
  )
    .unit(BITS)
    .decimals(4)
    .noValue('not evaluated'),
  stat(
    'Compression',
    2,
    [of('ardm_data_compression_ratio'), 'ratio'],
    'How many times smaller a file of test examples becomes, losslessly, with the model at the last evaluation.',
  )
    .unit('suffix: x')
    .decimals(2)
    .noValue('not evaluated'),
  alerts(4),
];

const learning = [
  graph(
    'Bound',
    12,
    [
      [of('ardm_loss_bits_per_dim', 'split="train"'), 'train, last batch'],
      [`avg_over_time(${of('ardm_loss_bits_per_dim', 'split="train"')}[5m])`, 'train, mean of 5 minutes'],
      [of('ardm_loss_bits_per_dim', 'split="test"'), 'test'],
    ],
    'Bound on the negative log-likelihood. Single batches scatter widely: look at the mean. A test bound that rises while the training bound falls is overfitting.',
  )
    .min(undefined)
    .unit(BITS)
    .decimals(3)
    .overrideByName('train, last batch', [
      { id: 'custom.lineStyle', value: { fill: 'dot', dash: [1, 4] } },
      { id: 'custom.fillOpacity', value: 0 },
    ])
    .overrideByRegexp('.*mean.*|test', [{ id: 'custom.lineWidth', value: 2 }]),
  graph(
    'Test bound',
    6,
    [
      [
        `${of('ardm_loss_bits_per_dim', 'split="test"')} - ignoring (split) ${of('ardm_evaluation_standard_error_bits_per_dim')}`,
        'one standard error less',
      ],
      [of('ardm_loss_bits_per_dim', 'split="test"'), 'test'],
      [
        `${of('ardm_loss_bits_per_dim', 'split="test"')} + ignoring (split) ${of('ardm_evaluation_standard_error_bits_per_dim')}`,
        'one more',
      ],
    ],
    'At each evaluation, with its standard error: two evaluations that differ by less than that do not differ.',
  )
    .min(undefined)
    .unit(BITS)
    .decimals(3)
    .overrideByRegexp('one.*', [
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [4, 4] } },
      { id: 'custom.fillOpacity', value: 0 },
    ]),
  graph(
    'Compression',
    6,
    [[of('ardm_data_compression_ratio'), 'ratio']],
    'Bits of a dimension as it is stored, over the test bound: what `ardm compress` comes to with every network call.',
  ).unit('suffix: x'),
];

const optimization = [
  graph(
    'Gradient norm',
    6,
    [[of('ardm_gradient_norm'), 'norm']],
    'Of the averaged gradient before the clip, on a logarithmic scale. Peaks above training.clip are scaled down to it; a lasting rise comes before divergence.',
  )
    .min(undefined)
    .unit('short')
    .scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10)),
  graph(
    'Clip',
    6,
    [[of('ardm_clip_factor'), 'factor']],
    'What the gradient was multiplied by. 1: it was short enough; below 1 nearly all the time: training.clip decides the step size.',
  )
    .max(1)
    .unit('percentunit'),
  graph(
    'Objective',
    6,
    [
      [of('ardm_objective_bits_per_dim'), 'minimized'],
      [of('ardm_loss_bits_per_dim', 'split="train"'), 'bound'],
    ],
    'What the last batch gave: the bound, and with model.ceWeight times the cross-entropy term what is minimized.',
  )
    .min(undefined)
    .unit(BITS)
    .decimals(3),
  graph(
    'Learning rate and epoch',
    6,
    [
      [of('ardm_learning_rate'), 'learning rate'],
      [`${of('ardm_epoch')} + ${of('ardm_epoch_progress_ratio')}`, 'epoch'],
    ],
    'The learning rate of the last step, and how often the training split was passed through.',
  )
    .unit('sci')
    .overrideByName('epoch', [
      { id: 'unit', value: 'short' },
      { id: 'custom.axisPlacement', value: AxisPlacement.Right },
    ]),
];

const speed = [
  rate(8),
  phases(8),
  graph(
    'Evaluating and sampling',
    8,
    [[of('ardm_task_duration_seconds'), '{{kind}}']],
    'The last evaluation and the last samples: training waits for both. Fewer evaluation.examples or a samples.budget shorten them.',
  ).unit('s'),
];

/** Is it learning, how far is it, when is it done: [title, height, panels] of each row. */
export const RESEARCHER = {
  uid: 'ardm-researcher',
  title: 'ARDM: researcher',
  description: 'Is it learning, and when is it done? docs/observability.md tells what to look at.',
  rows: [
    ['', 4, now],
    ['Learning', 9, learning],
    ['Optimization', 8, optimization],
    ['Speed', 8, speed],
  ],
};
