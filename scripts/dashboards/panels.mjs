import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, QueryEditorMode } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** Where the panels ask: the data source that is chosen on the dashboard. */
export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** The series of the chosen coordinator, further narrowed by `matchers`. */
export const of = (metric, ...matchers) => `${metric}{${['instance="$instance"', ...matchers].join(', ')}}`;
/** Its rate, of however many series there are. */
export const perSecond = (metric, ...matchers) => `rate(${of(metric, ...matchers)}[$__rate_interval])`;
/** What it grew by between two points. */
export const growth = (metric, ...matchers) => `increase(${of(metric, ...matchers)}[$__rate_interval])`;

const query = (expression, legend) =>
  new DataqueryBuilder()
    .datasource(DATASOURCE)
    .editorMode(QueryEditorMode.Code)
    .expr(expression)
    .legendFormat(legend);

/** Colours from a value upwards: `[value, colour]` each, after the first, which begins nowhere. */
export const thresholds = (first, ...steps) =>
  new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([{ color: first, value: null }, ...steps.map(([value, color]) => ({ color, value }))]);

/** A colour for each of the series that are named so. */
export function colored(panel, colors) {
  for (const [name, fixedColor] of Object.entries(colors))
    panel.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor } }]);
  return panel;
}

/** The last value in the time range, in large. */
export const stat = (title, width, [expression, legend], description) =>
  new StatBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .span(width)
    .withTarget(query(expression, legend).refId('A').range())
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .thresholds(thresholds('green'))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false))
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .textMode(BigValueTextMode.Auto);

/** What holds right now, by the names of the series. */
export const names = (title, width, [expression, legend], description) =>
  stat(title, width, [expression, legend], description)
    .targets([query(expression, legend).refId('A').instant()])
    .colorMode(BigValueColorMode.Background)
    .textMode(BigValueTextMode.Name);

/** Lines over time, from 0 up; `queries` are [PromQL, legend] pairs. */
export const graph = (title, width, queries, description) =>
  new TimeseriesBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .span(width)
    .targets(
      queries.map(([expression, legend], nth) =>
        query(expression, legend)
          .refId(String.fromCharCode(65 + nth))
          .range(),
      ),
    )
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic))
    .min(0)
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(8)
    .showPoints(VisibilityMode.Auto)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));

/** Lines of which one lies on top of another. */
export const stack = (...graphOf) =>
  graph(...graphOf)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .fillOpacity(30);

/** Bars: what happened now and then. */
export const bars = (...graphOf) =>
  graph(...graphOf)
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(60)
    .lineWidth(0)
    .decimals(0);
