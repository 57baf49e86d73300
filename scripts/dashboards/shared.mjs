import { BigValueGraphMode } from '@grafana/grafana-foundation-sdk/common';
import { colored, graph, names, of, perSecond, stack, stat, thresholds } from './panels.mjs';

export const STEPS_PER_SECOND = perSecond('ardm_steps_total', 'outcome="committed"');

const STATE_COLORS = {
  starting: 'blue',
  waiting: 'orange',
  training: 'green',
  stopping: 'orange',
  done: 'green',
  failed: 'red',
};

export const state = (width) =>
  colored(
    names(
      'State',
      width,
      [`${of('ardm_coordinator_state')} == 1`, '{{state}}'],
      'What the coordinator does right now. Waiting: fewer workers are ready than the run needs.',
    ).noValue('not running'),
    STATE_COLORS,
  );

export const progress = (width) =>
  stat(
    'Progress',
    width,
    [`${of('ardm_step')} / ${of('ardm_steps_planned')}`, 'progress'],
    'Committed steps of all planned ones.',
  )
    .unit('percentunit')
    .decimals(1)
    .min(0)
    .max(1)
    .graphMode(BigValueGraphMode.Area);

export const timeLeft = (width) =>
  stat(
    'Time left',
    width,
    [
      `(${of('ardm_steps_planned')} - ${of('ardm_step')}) / ignoring (outcome) (${STEPS_PER_SECOND} > 0)`,
      'time left',
    ],
    'The steps that are left at the present rate; evaluations and sample grids to come are not in it.',
  )
    .unit('s')
    .decimals(0)
    .noValue('no step yet');

export const alerts = (width) =>
  names(
    'Alerts',
    width,
    [of('ALERTS', 'alertstate="firing"', 'alertname=~"Ardm.+"'), '{{alertname}}'],
    'What fires of deploy/prometheus/alerts.yml, where Prometheus loads it.',
  )
    .noValue('none')
    .thresholds(thresholds('green', [1, 'red']));

export const rate = (width) =>
  graph(
    'Rate',
    width,
    [[perSecond('ardm_samples_total'), 'examples/s']],
    'Training examples a second. It drops to 0 while the run evaluates or samples.',
  ).unit('suffix: /s');

export const phases = (width) =>
  stack(
    'Mean step, by phase',
    width,
    [
      [
        `${perSecond('ardm_step_duration_seconds_sum')} / ${perSecond('ardm_step_duration_seconds_count')}`,
        '{{phase}}',
      ],
    ],
    'compute: dealt until the first gradient arrives; upload: until the last; reduce: sum and update; publish: handing the average to the sockets. A long upload is a slow link or one slow worker.',
  ).unit('s');
