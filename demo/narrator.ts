import { styleText } from 'node:util';

/** One exchange on the wire, as a person wants to read it. */
export interface Step {
  readonly request: string;
  readonly status: number;
  /** The line of the answer that matters. */
  readonly shows?: string;
  readonly says: string;
}

/** Prints the demo: numbered steps, and indented lines that belong to the step above. */
export interface Narrator {
  step(step: Step): void;
  /** A line under the last step. */
  detail(text: string): void;
  heading(text: string): void;
  line(text?: string): void;
  /** Nothing more is printed: while the parts end, what passes between them is no story. */
  fallSilent(): void;
}

/** Colours only where a terminal shows them and NO_COLOR doesn't forbid it; `styleText` knows both. */
export function createNarrator(output: NodeJS.WriteStream): Narrator {
  let count = 0;
  const style = (format: Parameters<typeof styleText>[0], text: string): string =>
    styleText(format, text, { stream: output });
  let silent = false;
  const line = (text = ''): void => {
    if (!silent) output.write(`${text}\n`);
  };
  const detail = (text: string): void => line(`     ${text}`);
  return {
    line,
    detail,
    fallSilent: () => (silent = true),
    heading(text) {
      line();
      line(style('bold', text));
    },
    step({ request, status, shows, says }) {
      count += 1;
      const colour = status < 400 ? 'green' : 'yellow';
      line();
      line(`${String(count).padStart(2)}.  ${style('bold', request)}  →  ${style(colour, String(status))}`);
      if (shows !== undefined) detail(style('cyan', shows));
      detail(says);
    },
  };
}
