import {
  Counter,
  type CounterConfiguration,
  Histogram,
  type HistogramConfiguration,
  type LabelValues,
  type MetricObjectWithValues,
  type MetricValueWithName,
} from 'prom-client';

/*
 * prom-client checks labels and looks them up as a text at every single observation: 2 us for the four of a request. What is counted for
 * each request is added up in plain numbers instead, one tally for each set of labels, and told when somebody asks.
 */

/** Counts under one set of labels. */
export interface CounterTally {
  add(amount: number): void;
}

/** A counter; ask once for the tally of a set of labels, and keep it. */
export function tallyCounter<Label extends string>(
  config: CounterConfiguration<Label>,
): (labels: LabelValues<Label>) => CounterTally {
  const tallies: { labels: LabelValues<Label>; amount: number }[] = [];
  new Counter({
    ...config,
    collect() {
      for (const tally of tallies) {
        this.inc(tally.labels, tally.amount);
        tally.amount = 0;
      }
    },
  });
  return (labels) => {
    const tally = { labels, amount: 0 };
    tallies.push(tally);
    return {
      add: (amount) => {
        tally.amount += amount;
      },
    };
  };
}

/** Observations under one set of labels. */
export class HistogramTally<Label extends string> {
  readonly labels: LabelValues<Label>;
  /** Observations by bucket, not yet those of the buckets below; the last one has no upper bound. */
  readonly counts: number[];
  sum = 0;
  readonly #bounds: readonly number[];

  constructor(labels: LabelValues<Label>, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    this.counts[bucket]! += 1;
    this.sum += value;
  }
}

/** A histogram that is fed through tallies alone; ask once for the tally of a set of labels, and keep it. */
export class TallyHistogram<Label extends string> extends Histogram<Label> {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #tallies: HistogramTally<Label>[] = [];

  constructor(config: HistogramConfiguration<Label> & { buckets: number[] }) {
    super(config);
    this.#name = config.name;
    this.#help = config.help;
    this.#bounds = config.buckets;
  }

  tally(labels: LabelValues<Label>): HistogramTally<Label> {
    const tally = new HistogramTally(labels, this.#bounds);
    this.#tallies.push(tally);
    return tally;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<Label>>> {
    const values = this.#tallies.flatMap((tally) => this.#valuesOf(tally));
    const said = { name: this.#name, help: this.#help, type: 'histogram', aggregator: 'sum', values };
    return said as unknown as MetricObjectWithValues<MetricValueWithName<Label>>;
  }

  /** What prom-client asks where it writes text. */
  getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<Label>>> {
    return this.get();
  }

  #valuesOf({ labels, counts, sum }: HistogramTally<Label>): MetricValueWithName<Label>[] {
    let count = 0;
    const buckets = counts.map((inBucket, bucket) => {
      count += inBucket;
      const le = this.#bounds[bucket] ?? '+Inf';
      return { metricName: `${this.#name}_bucket`, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels, value: sum },
      { metricName: `${this.#name}_count`, labels, value: count },
    ];
  }
}
