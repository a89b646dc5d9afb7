/** What the upstream sends on `/ticks`, one event each time. */
export const tickMillis = 20;

/** What it sends on `/bulk`, in events of 64 KiB. */
export const bulkBytes = 256 * 1024 * 1024;
