export const RUNS = '/api/runs';
export const runUrl = (id: string): string => `${RUNS}/${id}`;
export const sampleUrl = (id: string, name: string): string => `${RUNS}/${id}/samples/${name}`;
/** @param checkpoint makes the browser ask anew for another one */
export const plotUrl = (id: string, checkpoint: string): string =>
  `${RUNS}/${id}/components.svg?${checkpoint}`;
export const componentsUrl = (id: string): string => `${RUNS}/${id}/components.json`;
/** @param from the last step known of each run */
export const streamUrl = (from: string): string => `/api/stream?from=${from}`;
