/** What the rules of a route said of a request. */
export interface Decision {
  /**
   * The rule that admitted it, or the one that came nearest; undefined where there is none, or none was needed. Of a batch the rules of its
   * messages, separated by commas.
   */
  readonly rule: string | undefined;
  /** Names of the rules that admitted it, each as often as it admitted something; empty where no rule has a rate. */
  readonly admittedBy: readonly string[];
}
