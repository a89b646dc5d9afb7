// Preloaded into a contestant where there is no /proc: tells its CPU time when the bench asks over IPC.
process.on('message', (message) => {
  if (message === 'cpu?') process.send?.(process.cpuUsage());
});
// The contestant, not this channel, decides how long the process lives.
process.channel?.unref();
