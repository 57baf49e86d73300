// Exit code 0 where the coordinator of this container answers, 1 where it does not.
const answer = await fetch('http://127.0.0.1:9464/healthz', { signal: AbortSignal.timeout(4000) }).catch(
  () => undefined,
);
process.exitCode = answer?.ok ? 0 : 1;
