/** One small diagram: a bar for each figure, longest to the right. */
export interface Panel {
  readonly title: string;
  /** What the figures are, and which way is good. */
  readonly caption: string;
  readonly digits: number;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Whether it is the gateway's: these stand out. */
  readonly isOurs: boolean;
}
