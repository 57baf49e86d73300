/** Where the panels ask: the data source that is chosen on the dashboard. */
export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

const LAST = { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, orientation: 'auto' };

/** A panel; `queries` are [PromQL, legend] pairs, `custom` is what the lines look like. */
function panel(type, title, w, queries, description, { custom = {}, options, overrides = [], ...defaults }) {
  const targets = queries.map(([expr, legendFormat, more = {}], nth) => ({
    refId: String.fromCharCode(65 + nth),
    datasource: DATASOURCE,
    editorMode: 'code',
    expr,
    legendFormat,
    range: true,
    ...more,
  }));
  return {
    type,
    title,
    description,
    datasource: DATASOURCE,
    targets,
    w,
    fieldConfig: { defaults: { color: { mode: 'palette-classic' }, custom, ...defaults }, overrides },
    options,
  };
}

/** The last value in the time range, in large. */
export const stat = (title, w, query, description, { options = {}, ...defaults }) =>
  panel('stat', title, w, [query], description, {
    color: { mode: 'thresholds' },
    thresholds: thresholds(),
    options: {
      ...LAST,
      colorMode: 'value',
      graphMode: 'none',
      justifyMode: 'auto',
      textMode: 'auto',
      wideLayout: true,
      showPercentChange: false,
      percentChangeColorMode: 'standard',
      ...options,
    },
    ...defaults,
  });

/** Lines over time. */
export const graph = (title, w, queries, description, { custom = {}, ...more }) =>
  panel('timeseries', title, w, queries, description, {
    min: 0,
    custom: {
      drawStyle: 'line',
      lineWidth: 1,
      fillOpacity: 8,
      showPoints: 'auto',
      spanNulls: false,
      axisPlacement: 'auto',
      ...custom,
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    ...more,
  });

/** One line on top of another. */
export const stacked = { stacking: { mode: 'normal', group: 'A' }, fillOpacity: 30 };

/** Colours from a value upwards: `[value, colour]` each. */
export function thresholds(...steps) {
  return {
    mode: 'absolute',
    steps: [{ color: 'green', value: null }, ...steps.map(([value, color]) => ({ color, value }))],
  };
}
