export interface Reading {
  readonly minutes: number;
  readonly value: number;
}

/** By how much the values grow in a minute: the slope of the line that fits them best. */
export function slopePerMinute(readings: readonly Reading[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middle, level] = [
    mean(readings.map(({ minutes }) => minutes)),
    mean(readings.map(({ value }) => value)),
  ];
  const spread = readings.reduce((sum, { minutes }) => sum + (minutes - middle) ** 2, 0);
  if (spread === 0) return 0;
  return readings.reduce((sum, { minutes, value }) => sum + (minutes - middle) * (value - level), 0) / spread;
}
