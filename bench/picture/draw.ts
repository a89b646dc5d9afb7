import type { Bar, Panel } from './panel.ts';

const ink = '#1f2933';
const faint = '#5f6c7b';
const ours = '#0b6e4f';
const others = '#9fb3c8';
const paper = '#ffffff';
const frame = '#cbd2d9';

const width = 920;
const margin = 24;
const gap = 32;
const panelWidth = (width - 2 * margin - gap) / 2;
const labelWidth = 132;
const valueWidth = 64;
const headHeight = 44;
const rowHeight = 22;
const titleHeight = 64;

/** All panels in two columns as one SVG. It brings its own background, so that it reads on a dark page as on a light one. */
export function drawPanels(title: string, subtitle: string, panels: readonly Panel[]): string {
  const drawn: string[] = [];
  let top = titleHeight + margin;
  for (let index = 0; index < panels.length; index += 2) {
    const row = panels.slice(index, index + 2);
    row.forEach((panel, column) => drawn.push(drawPanel(panel, margin + column * (panelWidth + gap), top)));
    top += Math.max(...row.map(heightOf)) + gap;
  }
  const height = top - gap + margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" role="img">`,
    `<title>${escape(title)}</title>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${paper}" stroke="${frame}"/>`,
    text({ x: margin, y: margin + 18, size: 20, weight: 600, fill: ink }, title),
    text({ x: margin, y: margin + 40, size: 13, fill: faint }, subtitle),
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function heightOf({ bars }: Panel): number {
  return headHeight + bars.length * rowHeight;
}

function drawPanel({ title, caption, digits, bars }: Panel, left: number, top: number): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const scale = most > 0 ? (panelWidth - labelWidth - valueWidth) / most : 0;
  return [
    text({ x: left, y: top + 12, size: 14, weight: 600, fill: ink }, title),
    text({ x: left, y: top + 29, size: 11, fill: faint }, caption),
    ...bars.map((bar, index) =>
      drawBar(bar, { left, top: top + headHeight + index * rowHeight, scale, digits }),
    ),
  ].join('\n');
}

interface BarPlace {
  readonly left: number;
  readonly top: number;
  /** Pixels for one of the figure. */
  readonly scale: number;
  readonly digits: number;
}

function drawBar({ label, value, isOurs }: Bar, { left, top, scale, digits }: BarPlace): string {
  const start = left + labelWidth;
  const length = Math.max(1, value * scale);
  const weight = isOurs ? 600 : 400;
  const middle = top + rowHeight / 2;
  const base = { y: middle + 4, size: 12, weight, fill: ink };
  return [
    text({ ...base, x: start - 8, anchor: 'end' }, label),
    `<rect x="${start}" y="${top + 3}" width="${length.toFixed(1)}" height="${rowHeight - 6}" rx="2" fill="${isOurs ? ours : others}"/>`,
    text({ ...base, x: Number((start + length + 6).toFixed(1)) }, withThousands(value, digits)),
  ].join('\n');
}

interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly fill: string;
  readonly weight?: number;
  readonly anchor?: 'end';
}

function text({ x, y, size, fill, weight = 400, anchor }: TextPlace, words: string): string {
  const placed = anchor === undefined ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}"${placed}>${escape(words)}</text>`;
}

function withThousands(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function escape(words: string): string {
  return words.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
