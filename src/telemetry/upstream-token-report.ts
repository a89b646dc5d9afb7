import type { Logger } from 'pino';

import type { UpstreamTokenSearch } from '../vocabulary/observer.ts';

/** One line for each search for another token of an upstream login; what only a person can mend is said as a warning. */
export function reportUpstreamToken(logger: Logger, report: UpstreamTokenSearch): void {
  const { route, outcome, detail } = report;
  switch (outcome) {
    case 'refresh':
      return logger.info(report, `the upstream login of route ${route} was refreshed`);
    case 'another-process':
      return logger.debug(report, `the upstream login of route ${route} was changed by another process`);
    case 'stopping':
      return logger.debug(report, `the upstream login of route ${route} isn't refreshed: the gateway stops`);
    case 'login-needed':
      return logger.warn(report, `route ${route} needs a login at its upstream: ${detail}`);
    case 'unsaved':
      return logger.error(
        report,
        `the new token of route ${route} can't be saved, and is lost with this process: ${detail}`,
      );
    case 'failed':
    case 'store-unavailable':
      return logger.warn(report, `the upstream login of route ${route} can't be refreshed: ${detail}`);
  }
}
