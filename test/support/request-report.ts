/** What a bridge received: told on its stderr by `report-requests.ts`, read here. */
export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value, … as they came. */
  readonly rawHeaders: readonly string[];
}

const prefix = 'received-request ';

export function writeReport(request: ReceivedRequest): string {
  return `${prefix}${JSON.stringify(request)}\n`;
}

/** The report in a line of output; none if the line is something else. */
export function readReport(line: string): readonly ReceivedRequest[] {
  return line.startsWith(prefix) ? [JSON.parse(line.slice(prefix.length)) as ReceivedRequest] : [];
}

/** All values of a header, whatever its case. */
export function headerOf(request: ReceivedRequest, name: string): readonly string[] {
  const { rawHeaders } = request;
  return rawHeaders.filter(
    (_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name.toLowerCase(),
  );
}
