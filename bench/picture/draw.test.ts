import { expect, test } from 'vitest';

import { drawPanels } from './draw.ts';

test('draws a bar in proportion for each figure, and no mark-up out of a name', () => {
  const svg = drawPanels('Costs', 'a <b> & "c"', [
    {
      title: 'Small call',
      caption: 'less is better',
      digits: 0,
      bars: [
        { label: 'bare', value: 50, isOurs: false },
        { label: '<i>', value: 100, isOurs: true },
      ],
    },
  ]);
  const widths = [...svg.matchAll(/<rect x="156" y="[\d.]+" width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  );
  expect(widths).toHaveLength(2);
  expect(widths[1]).toBeCloseTo(2 * (widths[0] ?? 0));
  expect(svg).not.toMatch(/<b>|<i>|"c"/);
  expect(svg.match(/<svg /g)).toHaveLength(1);
});
