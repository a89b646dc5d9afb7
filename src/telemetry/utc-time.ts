/** Writes times as RFC 3339 in UTC with milliseconds. Most calls fall into the second of the one before. */
export function utcTimeWriter(): (milliseconds: number) => string {
  let second = Number.NaN;
  let prefix = '';
  return (milliseconds) => {
    const thisSecond = Math.floor(milliseconds / 1000);
    if (thisSecond !== second) {
      second = thisSecond;
      prefix = new Date(thisSecond * 1000).toISOString().slice(0, 20);
    }
    const rest = Math.floor(milliseconds - thisSecond * 1000);
    return `${prefix}${rest < 100 ? '0' : ''}${rest < 10 ? '0' : ''}${rest}Z`;
  };
}
