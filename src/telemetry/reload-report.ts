import type { Logger } from 'pino';

import type { Configuration } from '../config/configuration.ts';
import type { ConfigMetrics } from './config-metrics.ts';
import { reportStart } from './start-report.ts';

export interface ReloadReports {
  /** A reload has come to its end, and this is what is in force. */
  reportReload(configuration: Configuration, reload: Reload): void;
  /** What should have been put in force can't be; `faults` as `portcullis check` tells them. */
  reportUnusable(faults: string): void;
}

interface Reload {
  readonly outcome: 'applied' | 'unchanged';
  /** Keys of the file that stay as they were until the gateway starts again. */
  readonly needRestart: readonly string[];
}

/** Tells in log and metrics what a reload has put in force, in the words of the start, and what it couldn't. */
export function reloadReports(
  logger: Logger,
  { metrics, clock }: { readonly metrics: ConfigMetrics; readonly clock: () => number },
): ReloadReports {
  return {
    reportReload(configuration, { outcome, needRestart }) {
      const { hash } = configuration;
      logger.level = configuration.log.level;
      metrics.applied(configuration, clock());
      if (outcome === 'applied') {
        reportStart(logger, configuration);
        logger.info({ configuration: hash }, `configuration ${hash} is in force`);
      } else
        logger.info(
          { configuration: hash },
          `configuration ${hash} is in force already: nothing has changed`,
        );
      for (const setting of needRestart)
        logger.warn(
          { setting },
          `${setting} has changed, and stays as it was until the gateway starts again`,
        );
    },
    reportUnusable(faults) {
      metrics.refused();
      logger.error({ faults }, 'the new configuration is unusable: the one before stays in force');
    },
  };
}
