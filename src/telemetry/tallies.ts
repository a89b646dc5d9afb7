import type { Registry } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

interface Described {
  readonly name: string;
  readonly help: string;
}

/** A counter whose series are found by one look-up: the library's own costs a microsecond for each request. */
export class TallyCounter {
  readonly name: string;
  readonly help: string;
  readonly type = 'counter';
  readonly aggregator = 'sum';
  readonly #series = new Map<string, { readonly labels: Labels; value: number }>();
  readonly #labelNames: readonly string[];

  constructor(
    registry: Registry,
    { name, help, labelNames }: Described & { readonly labelNames: readonly string[] },
  ) {
    this.name = name;
    this.help = help;
    this.#labelNames = labelNames;
    register(registry, this);
  }

  /** `values` stand in the order of the label names; each must come from a bounded list. */
  count(...values: readonly string[]): void {
    const key = keyOf(values);
    const series = this.#series.get(key);
    if (series !== undefined) series.value += 1;
    else this.#series.set(key, { labels: this.#labels(values), value: 1 });
  }

  /** Shows the series at 0, so that Prometheus sees the first time that it is counted as an increase. */
  begin(...values: readonly string[]): void {
    const key = keyOf(values);
    if (!this.#series.has(key)) this.#series.set(key, { labels: this.#labels(values), value: 0 });
  }

  get(): object {
    const { name, help, type, aggregator } = this;
    return {
      name,
      help,
      type,
      aggregator,
      values: [...this.#series.values()].map(({ labels, value }) => ({ labels, value })),
    };
  }

  reset(): void {
    this.#series.clear();
  }

  #labels(values: readonly string[]): Labels {
    return Object.fromEntries(this.#labelNames.map((name, index) => [name, values[index] ?? '']));
  }
}

function keyOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : values.join('\n');
}

/** Of one observation: the trace that it belongs to. */
export interface Exemplar {
  readonly traceId: string;
  /** Since the epoch. */
  readonly atSeconds: number;
}

interface Distribution {
  readonly counts: number[];
  /** The last of each bucket, as the library writes it. */
  readonly exemplars: (object | undefined)[];
  sum: number;
  total: number;
}

/** A histogram by route, in the same manner. */
export class TallyHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Distribution>();

  constructor(
    registry: Registry,
    { name, help, bounds }: Described & { readonly bounds: readonly number[] },
  ) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
    register(registry, this);
  }

  observe(route: string, value: number, exemplar?: Exemplar): void {
    let series = this.#series.get(route);
    if (series === undefined) {
      series = { counts: this.#bounds.map(() => 0), exemplars: [], sum: 0, total: 0 };
      this.#series.set(route, series);
    }
    const index = this.#bounds.findIndex((bound) => value <= bound);
    if (index !== -1) series.counts[index] = (series.counts[index] ?? 0) + 1;
    series.sum += value;
    series.total += 1;
    if (exemplar !== undefined)
      series.exemplars[index === -1 ? this.#bounds.length : index] = {
        labelSet: { trace_id: exemplar.traceId },
        value,
        timestamp: exemplar.atSeconds,
      };
  }

  get(): object {
    const { name, help, type, aggregator } = this;
    return {
      name,
      help,
      type,
      aggregator,
      values: [...this.#series].flatMap(([route, series]) => this.#values(route, series)),
    };
  }

  reset(): void {
    this.#series.clear();
  }

  #values(route: string, { counts, exemplars, sum, total }: Distribution): readonly object[] {
    let below = 0;
    const buckets = this.#bounds.map((le, index) => {
      below += counts[index] ?? 0;
      return {
        labels: { le, route },
        value: below,
        exemplar: exemplars[index],
        metricName: `${this.name}_bucket`,
      };
    });
    return [
      ...buckets,
      {
        labels: { le: '+Inf', route },
        value: total,
        exemplar: exemplars[this.#bounds.length],
        metricName: `${this.name}_bucket`,
      },
      { labels: { route }, value: sum, metricName: `${this.name}_sum` },
      { labels: { route }, value: total, metricName: `${this.name}_count` },
    ];
  }
}

/** The registry only ever asks a metric for `name`, `get` and `reset`; its types want a class of the library's. */
function register(registry: Registry, metric: { readonly name: string; get(): object; reset(): void }): void {
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
}
